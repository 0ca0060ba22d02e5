"""What an annotation says of a recording: where its boundaries are, and from when to when that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kineseg_cli.failures import CommandError
from kineseg_cli.tuning.annotation_file import AnnotatedSegment

_SAME_S = 0.01  # what is rounded in a file differs by less
_BEYOND_S = 1.0  # a last segment may end so long after the last frame


@dataclass(frozen=True, slots=True)
class KnownBoundaries:
    """The annotated boundaries of one recording, in seconds since its first frame.

    Attributes:
        start_s, end_s: What is annotated; outside nothing is known, and nothing is counted.
        times_s: The boundaries within it, ascending.
    """

    start_s: float
    end_s: float
    times_s: tuple[float, ...]


def known_boundaries(path: Path, segments: Sequence[AnnotatedSegment], duration_s: float) -> KnownBoundaries:
    """The boundaries of annotated segments. What lies between two segments is a segment too, without a name.

    Where the file gives ends, the first start and the last end bound what is annotated; otherwise all of it is.

    Args:
        path: Where they come from, for errors.
        segments: In the order of time.
        duration_s: Of the recording.

    Raises:
        CommandError: They overlap, are empty, are not in the order of time or lie beyond the recording; names the line.
    """
    times: list[float] = []
    before = 0.0
    for i, one in enumerate(segments):
        start, end = one.start_s, one.end_s
        where = f"--labels {path}{one.place}"
        if start < 0.0:
            raise CommandError(f"{where}: starts at {start:g} s; times count from the recording's first frame")
        if i and start < before - _SAME_S:
            raise CommandError(
                f"{where}: starts at {start:g} s, before {before:g} s, where the one above it ends: segments must be "
                "in the order of time and not overlap"
            )
        if end is not None and end <= start:
            raise CommandError(f"{where}: ends at {end:g} s, which is not after its start at {start:g} s")
        last = start if end is None else end
        if start >= duration_s or last > duration_s + _BEYOND_S:
            raise CommandError(
                f"{where}: {last:g} s lies beyond the recording, which lasts {duration_s:.1f} s: times are in seconds, "
                "and files go with recordings in their order"
            )
        times += [start] if end is None else [start, end]
        before = last
    has_ends = any(one.end_s is not None for one in segments)
    start_s = segments[0].start_s if has_ends else 0.0
    end_s = duration_s if segments[-1].end_s is None else min(before, duration_s)
    inside = [time for time in times if start_s + _SAME_S < time < end_s - _SAME_S]
    apart = [time for i, time in enumerate(inside) if not i or time - inside[i - 1] > _SAME_S]
    return KnownBoundaries(start_s, end_s, tuple(apart))
