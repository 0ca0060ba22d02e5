"""``file:PATH``: a recording, replayed at the speed at which it was captured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import Joints, MotionError, Recording, read
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import Frames, Layout, SourceInfo
from kineseg.sources.recorded import Recorded, load_recorded
from kineseg.sources.source import Health, Source

_CHUNK_S = 0.05
_SECOND = 1_000_000_000
_LARGEST = 1e9  # as of what is sent on


class FileSource:
    """A recording as a source; whoever reads slowly gets every frame all the same.

    Args:
        recorded: What is replayed.
        where: Its name, for people.
        speed: How many times faster than it was captured; 0: as fast as it is read.
        loop: Whether to begin again at its end, for ever.
    """

    def __init__(self, recorded: Recorded, *, where: str, speed: float = 1.0, loop: bool = False) -> None:
        self._recorded = recorded
        self._where = where
        self._speed = speed
        self._loop = loop
        self._info = info = recorded.info
        self._layout = Layout(info.joints, info.channels, rate=info.rate)
        self._frames = 0

    @property
    def where(self) -> str:
        """The file."""
        return self._where

    @property
    def infos(self) -> Mapping[str, SourceInfo]:
        """What is known of it."""
        return {"": self._info}

    def layouts(self) -> Mapping[str, Layout]:
        """What its numbers are."""
        return {"": self._layout}

    def health(self) -> Health:
        """How far it is."""
        arriving = self._info.rate * self._speed
        return Health(self._frames, 0, self._frames, 0, 0, 0, 0.0, arriving, 0.0, 0.0)

    def silence(self) -> str:
        """A file is never silent for long."""
        return f"{self._where} is not silent: {self._frames} frames have been read of it"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[Frames]:
        """Its frames, when they are due."""
        recorded, info = self._recorded, self._info
        rows = max(1, round(_CHUNK_S * info.rate * max(1.0, self._speed)))
        pieces = list(_pieces(recorded.numbers, rows))
        lasts_ns = int(recorded.times_ns[-1] - recorded.times_ns[0]) + round(_SECOND / info.rate)
        lasts_frames = int(recorded.numbers[-1] - recorded.numbers[0]) + 1
        started, turn = time.monotonic(), 0
        while True:
            for piece in pieces:
                times = recorded.times_ns[piece] + turn * lasts_ns
                since_s = float(times[-1] - recorded.times_ns[0]) / _SECOND
                due = started + since_s / self._speed if self._speed else 0.0
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                values = recorded.values[piece]
                self._frames += len(values)
                index = turn * lasts_frames + int(recorded.numbers[piece.start])
                yield Frames(index, values, times, time.monotonic_ns(), info)
            turn += 1
            if not self._loop:
                return


def _pieces(numbers: NDArray[np.int64], rows: int) -> Iterator[slice]:
    """Runs of at most so many frames, none of them across a hole in the numbers."""
    edges = [0, *(np.flatnonzero(np.diff(numbers) > 1) + 1).tolist(), len(numbers)]
    for start, stop in pairwise(edges):
        for first in range(start, stop, rows):
            yield slice(first, min(first + rows, stop))


def recorded_of(recording: Recording, *, as_channels: bool = False) -> Recorded:
    """A recording as frames of a source: its positions, if it has any and they are wanted, or else its channels.

    Raises:
        SourceError: It has a number that is larger than any that is measured.
    """
    positions = None if as_channels else recording.positions
    joints = None if positions is None else Joints.of(recording)
    channels = recording.channels if joints is None else ()
    names = channels if joints is None else [f"{joint} {axis}" for joint in joints.names for axis in "xyz"]
    rate = recording.rate
    measured = recording.frames if positions is None else positions
    _check_sane(measured.reshape(len(measured), -1), names)
    values = measured.astype(np.float32)
    times = recording.times() - recording.times()[0]
    info = SourceInfo("", 0, joints, channels, rate, rate, rate, "sender", recording.notes)
    numbers = np.arange(recording.n_frames, dtype=np.int64)
    return Recorded(info, values, np.rint(times * _SECOND).astype(np.int64), numbers)


def _check_sane(values: NDArray[np.floating], names: Sequence[str]) -> None:
    absurd = np.argwhere(np.abs(values) > _LARGEST)
    if len(absurd):
        frame, column = absurd[0].tolist()
        raise SourceError(
            f"frame {frame} has {values[frame, column]:g} in channel {names[column]!r}; numbers must lie within "
            f"{_LARGEST:g}, and what is missing must be NaN"
        )


def load_file(path: Path, expected: Expectations, mapping: Mapping[str, str]) -> Recorded:
    """What is in a file, recorded by us or by anybody.

    Raises:
        SourceError: It cannot be read.
    """
    recorded = load_recorded(path)
    if recorded is not None:
        return recorded
    try:
        recording = read(path, rate=expected.rate, up=expected.up)
        if mapping and recording.positions is not None:
            recording = replace(recording, mapping=mapping)
        return recorded_of(recording)
    except (MotionError, OSError) as error:
        raise SourceError(str(error)) from error


def open_file(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``file:PATH?speed=2``.

    Raises:
        SourceError: It cannot be read.
    """
    address.check_options(["loop", "speed"])
    path = address.file
    assert path is not None  # the scheme is that of files
    return FileSource(
        load_file(path, Expectations.of(address), mapping),
        where=f"file {path}",
        speed=address.number("speed", 1.0, low=0.0, high=1e6),
        loop=address.choice("loop", ("", "false", "true"), "false") != "false",
    )
