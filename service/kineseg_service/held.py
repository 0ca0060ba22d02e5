"""Values that are missing from frames that came: each channel keeps its last one, and long outages are told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

# A channel that is without values for this long is told of; a marker that flickers is not.
TOLD_AFTER_NS = 250_000_000
_THERE = -1


@dataclass(frozen=True, slots=True)
class ValuesMissing:
    """These channels have no values from `frame` on: still at `decided`, or until then if they have `returned`."""

    frame: int
    time_ns: int
    channels: tuple[str, ...]
    returned: bool
    decided: int
    decided_ns: int


class Held:
    """Fills missing values (NaN) of one stream frame by frame. Picklable.

    Args:
        channels: C names.
        typical: ``(C,)`` what a channel is given as long as no value has come; None: zeros.

    Attributes:
        count: Number of values that were missing so far.
    """

    def __init__(self, channels: Sequence[str], typical: Sequence[float] | None = None) -> None:
        self.count = 0
        self._channels = tuple(channels)
        self._last = np.zeros(len(channels), np.float32) if typical is None else np.asarray(typical, np.float32)
        self._since = np.full(len(channels), _THERE, np.int64)  # the frame from which on a channel has been missing
        self._since_ns = np.zeros(len(channels), np.int64)
        self._told = np.zeros(len(channels), np.bool_)

    def fill(self, first: int, frames: F32, times_ns: Sequence[int]) -> tuple[F32, dict[int, list[ValuesMissing]]]:
        """Fills the next frames.

        Args:
            first: Number of the first of them.
            frames: ``(n, C)``, n > 0.
            times_ns: n times.

        Returns:
            The frames without holes; and by row what is to be told just before that frame.
        """
        missing = np.isnan(frames)
        told: dict[int, list[ValuesMissing]] = {}
        if missing.any():
            self.count += int(np.count_nonzero(missing))
            # For every value the row that it is taken from; row 0 is what came before these frames.
            source = np.maximum.accumulate(np.where(missing, 0, np.arange(1, len(frames) + 1)[:, None]), axis=0)
            told = self._tell(first, missing, times_ns)
            frames = np.take_along_axis(np.concatenate([self._last[None], frames]), source, axis=0)
        elif (self._since != _THERE).any():
            told = self._tell(first, missing[:1], times_ns)  # all are back with the first frame
        self._last = frames[-1].copy()
        return frames, told

    def _tell(self, first: int, missing: NDArray[np.bool_], times_ns: Sequence[int]) -> dict[int, list[ValuesMissing]]:
        told: dict[int, list[ValuesMissing]] = {}
        for row, gone in enumerate(missing):
            frame, now = first + row, times_ns[row]
            there = self._since == _THERE
            back = ~there & ~gone
            begins = there & gone
            self._since[begins], self._since_ns[begins] = frame, now
            long = ~there & gone & ~self._told & (now - self._since_ns >= TOLD_AFTER_NS)
            found = self._group(back & self._told, frame, now, returned=True)
            found += self._group(long, frame, now, returned=False)
            if found:
                told[row] = found
            self._told[long] = True
            self._told[back] = False
            self._since[back] = _THERE
        return told

    def _group(self, which: NDArray[np.bool_], frame: int, now: int, *, returned: bool) -> list[ValuesMissing]:
        """One for all channels that have been missing from the same frame on."""
        places = np.flatnonzero(which).tolist()
        groups: dict[tuple[int, int], list[str]] = {}
        for place in places:
            since = int(self._since[place]), int(self._since_ns[place])
            groups.setdefault(since, []).append(self._channels[place])
        return [ValuesMissing(*since, tuple(names), returned, frame, now) for since, names in sorted(groups.items())]
