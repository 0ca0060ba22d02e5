"""Values that are missing from frames that came: each channel keeps its last one, and long outages are reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kept.declared import keeps, record

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

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


@record
class _Open(NamedTuple):
    """What is known of channels that have no values, ``(C,)`` each.

    Attributes:
        since, since_ns: Frame and time from which on; `_THERE`: the channel has values.
        reported: It has been reported.
    """

    since: I64
    since_ns: I64
    reported: NDArray[np.bool_]

    @classmethod
    def of(cls, channels: int) -> _Open:
        """All have values."""
        return cls(np.full(channels, _THERE, np.int64), np.zeros(channels, np.int64), np.zeros(channels, np.bool_))


class _Outages(NamedTuple):
    """Stretches in which a channel has no values, (n,) each, in the order of channels, then time.

    Attributes:
        channel: Which channel.
        since, since_ns: Frame and time from which on.
        end: The row of the chunk in which it has values again; the number of rows if it does not.
        reported: It has been reported before these rows.
        reported_at: The row from which on it is long enough to be reported, if it lasts until then.
    """

    channel: I64
    since: I64
    since_ns: I64
    end: I64
    reported: NDArray[np.bool_]
    reported_at: I64


@keeps("_open count", fixed="_channels")
class MissingValueFiller:
    """Fills missing values (NaN) of one stream frame by frame. Picklable.

    Args:
        channels: C names.

    Attributes:
        count: Number of values that were missing so far.
    """

    __slots__ = ("_channels", "_open", "count")

    __slots__ = ("_channels", "_open", "count")

    _open: _Open | None

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.count = 0
        self._channels = channels
        self._open = None

    @property
    def is_open(self) -> bool:
        """Some channel had no value in the last frame."""
        return self._open is not None

    def fill(self, first: int, frames: F32, times_ns: I64, before: F32) -> tuple[F32, dict[int, list[ValuesMissing]]]:
        """Fills the next frames.

        Args:
            first: Number of the first of them.
            frames: ``(n, C)``, n > 0.
            times_ns: ``(n,)``
            before: ``(C,)`` the frame before them, filled; at first what a channel is given until a value has come.

        Returns:
            The frames without holes; and by row what is to be reported just before that frame.
        """
        missing = np.isnan(frames)
        if missing.any():
            self.count += int(np.count_nonzero(missing))
            # For every value the row that it is taken from; row 0 is what came before these frames.
            source = np.maximum.accumulate(np.where(missing, 0, np.arange(1, len(frames) + 1)[:, None]), axis=0)
            reported = self._report(first, missing, times_ns)
            return np.take_along_axis(np.concatenate([before[None], frames]), source, axis=0), reported
        if self._open is not None:
            return frames, self._report(first, missing[:1], times_ns[:1])  # all are back with the first frame
        return frames, {}

    def _report(self, first: int, missing: NDArray[np.bool_], times_ns: I64) -> dict[int, list[ValuesMissing]]:
        """What is to be reported, by row; advances to the last row. It works on outages, not on each row."""
        outages = _outages(self._open or _Open.of(len(self._channels)), first, missing, times_ns)
        long = ~outages.reported & (outages.reported_at < outages.end)
        back = (outages.end < len(missing)) & (outages.reported | long)
        found: dict[int, dict[tuple[bool, int, int], list[str]]] = {}
        for which, rows, returned in ((back, outages.end, True), (long, outages.reported_at, False)):
            for at in np.flatnonzero(which).tolist():
                # One for all channels that have been missing from the same frame on; what returned comes first.
                key = not returned, int(outages.since[at]), int(outages.since_ns[at])
                found.setdefault(int(rows[at]), {}).setdefault(key, []).append(self._channels[int(outages.channel[at])])
        self._open = _still_open(outages, long, len(missing), len(self._channels))
        return {
            row: [
                ValuesMissing(since, since_ns, tuple(names), not open_, first + row, int(times_ns[row]))
                for (open_, since, since_ns), names in sorted(groups.items())
            ]
            for row, groups in found.items()
        }


def _outages(open_: _Open, first: int, missing: NDArray[np.bool_], times_ns: I64) -> _Outages:
    """The outages of these rows, with those that are open before them."""
    gone = open_.since != _THERE
    changed = np.concatenate([gone[None], missing[:-1]]) != missing
    carried = np.flatnonzero(gone)
    begin_channel, begin_row = np.nonzero((changed & missing).T)
    end_channel, end_row = np.nonzero((changed & ~missing).T)
    channel = np.concatenate([carried, begin_channel])
    row = np.concatenate([np.full(len(carried), -1), begin_row])
    order = np.lexsort((row, channel))
    channel, row = channel[order], row[order]
    # In each channel beginnings and ends take turns, and those still open end behind the last row.
    lasting = np.flatnonzero(missing[-1])
    ends_of = np.concatenate([end_channel, lasting])
    end = np.concatenate([end_row, np.full(len(lasting), len(missing))])
    end = end[np.lexsort((end, ends_of))]
    before = row < 0
    since = np.where(before, open_.since[channel], first + row)
    since_ns = np.where(before, open_.since_ns[channel], times_ns[row])
    reported = before & open_.reported[channel]
    return _Outages(channel, since, since_ns, end, reported, np.searchsorted(times_ns, since_ns + REPORTED_AFTER_NS))


def _still_open(outages: _Outages, long: NDArray[np.bool_], rows: int, channels: int) -> _Open | None:
    """Those that go on behind the last of so many rows; `long` ones have been reported now."""
    still = outages.end == rows
    if not still.any():
        return None
    open_, which = _Open.of(channels), outages.channel[still]
    open_.since[which], open_.since_ns[which] = outages.since[still], outages.since_ns[still]
    open_.reported[which] = (outages.reported | long)[still]
    return open_
