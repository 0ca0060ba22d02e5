"""What makes a chunk valid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.chunk import ABSURD, HOLES, LARGEST_VALUE, read_chunk
from kineseg_core.intake.clock import LATEST_NS
from kineseg_core.intake.resampling import F32, I64
from kineseg_core.intake.taken import GapFound
from kineseg_core.intake.watch import Found


@dataclass(slots=True)
class Chunk:
    """A chunk that is valid, see `Intake.begin`.

    Attributes:
        first: Number of its first frame.
        frames: ``(n, W)`` as they came.
        times: ``(n,)`` since the stream's first frame, nanoseconds.
        has_holes: Some numbers are missing.
        gaps: Before which of its frames others are missing.
        sent: What is watched, where it goes through in one piece.
        anomalies: What was found in it, or what failed; none before it has been watched.
    """

    first: int
    frames: F32
    times: I64
    has_holes: bool
    gaps: dict[int, GapFound]
    sent: NDArray[Any] | None
    anomalies: Found | Exception | None = None


def read_frames(
    data: bytes, width: int, names: Callable[[], Sequence[str]], most: int, first: int, period: float
) -> tuple[F32, I64, bool]:
    """The frames of a chunk.

    Args:
        data: As they came.
        width: W, numbers in a frame.
        names: Gives what they are called, in the order in which they are sent.
        most: So many frames it may have.
        first: Number of the first of them if none are missing.
        period: Nanoseconds from one to the next.

    Returns:
        They, ``(n, W)``, their times ``(n,)`` if they are the next ones, and whether some numbers are missing.

    Raises:
        InvalidFrame: Their bytes are not whole frames, none or too many, or a number is too large.
    """
    frame_bytes = 4 * width
    n, rest = divmod(len(data), frame_bytes)
    if rest:
        each = names()
        raise InvalidFrame(
            f"data is {len(data)} bytes, not a multiple of {frame_bytes} ({width} numbers, from {each[0]} to "
            f"{each[-1]}, of float32)",
            field="data",
        )
    if n == 0:
        raise InvalidFrame("a chunk must hold at least one frame", field="data")
    if n > most:
        raise InvalidFrame(
            f"the chunk holds {n} frames, at most {most} are allowed", field="data", minimum=1, maximum=most
        )
    frames, times = np.empty((n, width), np.float32), np.empty(n, np.int64)
    found = read_chunk(data, first, period, frames, times)
    if found == ABSURD:
        row, column = (int(i) for i in np.argwhere(np.abs(frames) > LARGEST_VALUE)[0])
        raise InvalidFrame(
            f"frame {row} of the chunk has {frames[row, column]:g} in channel {names()[column]!r}; "
            f"numbers must lie within {LARGEST_VALUE:g}, and what is missing must be NaN",
            field="data", minimum=-LARGEST_VALUE, maximum=LARGEST_VALUE,
        )  # fmt: skip
    return frames, times, found == HOLES


def check_index(first: int, n: int, received: int, period: float) -> None:
    """Raises `InvalidFrame` unless a chunk of n frames from number `first` on may follow the `received` before it."""
    if first < received:
        raise InvalidFrame(
            f"first_frame is {first}, but frames up to {received - 1} have come already",
            field="first_frame", reason="FRAMES_OUT_OF_ORDER", minimum=received,
        )  # fmt: skip
    if received == 0 and first > 0:
        raise InvalidFrame(
            f"the first frame of a stream has index 0, not {first}: there is nothing to fill from",
            field="first_frame", reason="FRAMES_OUT_OF_ORDER", minimum=0, maximum=0,
        )  # fmt: skip
    if (first + n) * period > LATEST_NS:
        raise InvalidFrame(
            f"first_frame is {first}, which no stream can reach", field="first_frame", reason="FRAMES_OUT_OF_ORDER"
        )
