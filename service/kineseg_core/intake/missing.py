"""Values that are missing from frames that came: each channel keeps its last one, and long outages are reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

# A channel that is without values for this long is reported; a marker that flickers is not.
REPORTED_AFTER_NS = 250_000_000
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


class _Outages(NamedTuple):
    """Stretches in which a channel has no values, (n,) each, in the order of channels, then time.

    Attributes:
        channel: Which channel.
        since, since_ns: Frame and time from which on.
        end: The row of the chunk in which it has values again; the number of rows if it does not.
        reported: It has been reported before these rows.
        reported_at: The row from which on it is long enough to be reported, if it lasts until then.
    """

    channel: NDArray[np.int64]
    since: NDArray[np.int64]
    since_ns: NDArray[np.int64]
    end: NDArray[np.int64]
    reported: NDArray[np.bool_]
    reported_at: NDArray[np.int64]


class MissingValueFiller:
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
        self._reported = np.zeros(len(channels), np.bool_)

    def fill(self, first: int, frames: F32, times_ns: Sequence[int]) -> tuple[F32, dict[int, list[ValuesMissing]]]:
        """Fills the next frames.

        Args:
            first: Number of the first of them.
            frames: ``(n, C)``, n > 0.
            times_ns: n times.

        Returns:
            The frames without holes; and by row what is to be reported just before that frame.
        """
        missing = np.isnan(frames)
        reported: dict[int, list[ValuesMissing]] = {}
        if missing.any():
            self.count += int(np.count_nonzero(missing))
            # For every value the row that it is taken from; row 0 is what came before these frames.
            source = np.maximum.accumulate(np.where(missing, 0, np.arange(1, len(frames) + 1)[:, None]), axis=0)
            reported = self._report(first, missing, times_ns)
            frames = np.take_along_axis(np.concatenate([self._last[None], frames]), source, axis=0)
        elif (self._since != _THERE).any():
            reported = self._report(first, missing[:1], times_ns[:1])  # all are back with the first frame
        self._last = frames[-1].copy()
        return frames, reported

    def _report(
        self, first: int, missing: NDArray[np.bool_], times_ns: Sequence[int]
    ) -> dict[int, list[ValuesMissing]]:
        """What is to be reported, by row; advances to the last row. It works on outages, not on each row."""
        outages = self._outages(first, missing, np.asarray(times_ns, np.int64))
        long = ~outages.reported & (outages.reported_at < outages.end)
        back = (outages.end < len(missing)) & (outages.reported | long)
        found: dict[int, dict[tuple[bool, int, int], list[str]]] = {}
        for which, rows, returned in ((back, outages.end, True), (long, outages.reported_at, False)):
            for at in np.flatnonzero(which).tolist():
                # One for all channels that have been missing from the same frame on; what returned comes first.
                key = not returned, int(outages.since[at]), int(outages.since_ns[at])
                found.setdefault(int(rows[at]), {}).setdefault(key, []).append(self._channels[int(outages.channel[at])])
        self._since[:] = _THERE
        self._reported[:] = False
        still = outages.end == len(missing)
        channels = outages.channel[still]
        self._since[channels], self._since_ns[channels] = outages.since[still], outages.since_ns[still]
        self._reported[channels] = (outages.reported | long)[still]
        return {
            row: [
                ValuesMissing(since, since_ns, tuple(names), not open_, first + row, times_ns[row])
                for (open_, since, since_ns), names in sorted(groups.items())
            ]
            for row, groups in found.items()
        }

    def _outages(self, first: int, missing: NDArray[np.bool_], times_ns: NDArray[np.int64]) -> _Outages:
        gone = self._since != _THERE
        changed = np.concatenate([gone[None], missing[:-1]]) != missing
        carried = np.flatnonzero(gone)
        begin_channel, begin_row = np.nonzero((changed & missing).T)
        end_channel, end_row = np.nonzero((changed & ~missing).T)
        channel = np.concatenate([carried, begin_channel])
        row = np.concatenate([np.full(len(carried), -1), begin_row])
        order = np.lexsort((row, channel))
        channel, row = channel[order], row[order]
        # In each channel beginnings and ends take turns, and those still open end behind the last row.
        open_ = np.flatnonzero(missing[-1])
        ends_of = np.concatenate([end_channel, open_])
        end = np.concatenate([end_row, np.full(len(open_), len(missing))])
        end = end[np.lexsort((end, ends_of))]
        before = row < 0
        since = np.where(before, self._since[channel], first + row)
        since_ns = np.where(before, self._since_ns[channel], times_ns[row])
        reported = before & self._reported[channel]
        return _Outages(
            channel, since, since_ns, end, reported, np.searchsorted(times_ns, since_ns + REPORTED_AFTER_NS)
        )
