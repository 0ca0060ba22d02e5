"""What no sensor does, found with the first rows of it: another unit of a sensor of three axes, a sign turned over.

That one axis has become larger or smaller says nothing of the unit: the other two must have, too.

Both come from one row to the next, and are believed when the next rows go on from there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.rules.book import RuleFinding
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.anomalies.values.sensors import sensor_array
from kineseg_core.kept.declared import keeps, record
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LEAST_FACTOR = math.log(4.0)
_EXPLAINED, _TURNED = 0.25, 0.07
"""What is left, relative to the values, where a factor or a turned sign explains the new row."""
_EXPLAINED_TOO, _SEEN = 0.5, 0.25
"""The same of the smaller two of a sensor's values, and how large these must be, relative to what they usually bend."""
_LEAST_SQUARE = 15.9  # a little less than that factor's square
_LEFT_SQUARE = 1.07  # a little more than that of 1 / (1 - _EXPLAINED^2)
_LARGE = 3.0
"""Times its usual second difference that a channel must be away from 0 for its sign to be seen."""
_SMOOTH = 0.3
"""How far it may have been about to move in that row, relative to that."""
_NOT_STILL = 0.5
"""The same of the values of a sensor, for its unit to be seen."""
_GOES_ON = {AnomalyKind.UNIT: 0.5, AnomalyKind.AXES: 0.25}
"""Largest step of the next rows, relative to the values."""
_CONFIRMED_BY = {AnomalyKind.UNIT: 4, AnomalyKind.AXES: 4}
_SETTLED_S, _KEPT_S = 10.0, 20.0


@record
@dataclass(slots=True)
class _Change:
    """A change that has been seen.

    Attributes:
        kind, channels: What and where.
        since_s: When.
        confirmed: Rows that have gone on from there.
    """

    kind: AnomalyKind
    channels: tuple[int, ...]
    since_s: float
    confirmed: int = 0


@keeps("_changes", fixed="_sensors")
class ChannelRules:
    """Exact rules on the values of channels. Picklable.

    Args:
        source: Channels.
    """

    _changes: list[_Change]

    def __init__(self, source: WatchedSource) -> None:
        self._sensors = sensor_array(source.names)
        self._changes = []

    @property
    def idle(self) -> bool:
        """Whether it need not be given a row that `may_be_changed` does not point at."""
        return not self._changes

    def update(
        self, values: ChannelValues, time_s: float, watched_s: float, usual_bends: F32, *, settled: bool
    ) -> list[RuleFinding]:
        """Looks at a new row of values.

        Args:
            values: With that row.
            time_s: Capture time of the row.
            watched_s: For how long there have been rows.
            usual_bends: ``(C,)`` upper limits of the channels' second differences.
            settled: Whether most channels are there, and have been for a while, without a gap.
        """
        if not settled or watched_s < _SETTLED_S:
            self._changes = []
            return []
        if self._changes:
            self._confirm(values, time_s)
        sudden = values.state.row[: len(usual_bends)] > usual_bends
        if sudden.any():
            self._look(values, time_s, sudden, usual_bends)
        return [
            RuleFinding(change.kind, change.channels, change.since_s)
            for change in self._changes
            if change.confirmed >= _CONFIRMED_BY[change.kind]
        ]

    def _confirm(self, values: ChannelValues, time_s: float) -> None:
        rows = values.last_rows()
        for change in tuple(self._changes):
            if change.confirmed < _CONFIRMED_BY[change.kind]:
                channels = list(change.channels)
                moved = np.linalg.norm(rows[2, channels] - rows[1, channels])
                if moved > _GOES_ON[change.kind] * np.linalg.norm(rows[1, channels]):
                    self._changes.remove(change)
                change.confirmed += 1
            elif time_s - change.since_s > _KEPT_S:
                self._changes.remove(change)

    def _look(self, values: ChannelValues, time_s: float, sudden: NDArray[np.bool_], usual_bends: F32) -> None:
        before, last, now = values.last_rows()
        expected = 2.0 * last - before
        found = [
            _Change(AnomalyKind.UNIT, tuple(sensor), time_s)
            for sensor in self._sensors[sudden[self._sensors].any(axis=1)].tolist()
            if np.linalg.norm(last[sensor]) > _NOT_STILL * np.linalg.norm(usual_bends[sensor])
            and any(_scaled(old[sensor], now[sensor], usual_bends[sensor]) for old in (last, expected))
        ]
        found += [
            _Change(AnomalyKind.AXES, (channel,), time_s)
            for channel in np.flatnonzero(sudden & (np.abs(now + expected) < _TURNED * np.abs(expected))).tolist()
            if abs(expected[channel]) > _LARGE * usual_bends[channel]
            and abs(expected[channel] - last[channel]) < _SMOOTH * abs(expected[channel])
        ]
        for change in found:
            same = [each for each in self._changes if (each.kind, each.channels) == (change.kind, change.channels)]
            for each in same:  # it is as it was again
                self._changes.remove(each)
            if not same:
                self._changes.append(change)


@kernel(inlined=True)
def may_be_changed(state, constants, usual_bends):  # type: ignore[no-untyped-def]
    """Whether the newest row is one in which a unit or a sign may have changed; hardly any is.

    Args:
        state, constants: Of `ChannelValues`.
        usual_bends: ``(C,)`` upper limits of the channels' second differences, or more.
    """
    ring, step = state.ring, constants.step
    row, size = (state.frames[0] - 1) % len(ring), len(ring)
    now, last, before = ring[row], ring[(row - step) % size], ring[(row - 2 * step) % size]
    for c in range(ring.shape[1]):
        expected = 2.0 * last[c] - before[c]
        if state.row[c] > usual_bends[c] and abs(now[c] + expected) < _TURNED * abs(expected):
            return True
    for sensor in constants.sensors:
        sudden, old, straight, new = False, 0.0, 0.0, 0.0
        for c in sensor:
            sudden = sudden or state.row[c] > usual_bends[c]
            old += last[c] ** 2
            straight += (2.0 * last[c] - before[c]) ** 2
            new += now[c] ** 2
        if sudden and (_is_scaled(new, old) or _is_scaled(new, straight)):
            return True
    return False


@kernel(inlined=True)
def _is_scaled(new, old):  # type: ignore[no-untyped-def]
    """Whether values with this sum of squares can be others times a factor as `_scaled` looks for."""
    return new > _LEAST_SQUARE * old or new * _LEAST_SQUARE < _LEFT_SQUARE * old


def _scaled(last: F64, now: F64, usual_bends: F32) -> bool:
    """Whether the new values are the last ones times a factor that no movement has, the smaller two as well."""
    size = float(last @ last)
    if size == 0.0:
        return False
    factor = float(last @ now) / size
    if factor <= 0.0 or abs(math.log(factor)) < _LEAST_FACTOR:
        return False
    smaller = np.argsort(np.abs(last))[:2]
    if np.linalg.norm(last[smaller]) < _SEEN * np.linalg.norm(usual_bends[smaller]):
        return False
    left = now - factor * last
    explained = np.linalg.norm(left) < _EXPLAINED * np.linalg.norm(now)
    return bool(explained and np.linalg.norm(left[smaller]) < _EXPLAINED_TOO * np.linalg.norm(now[smaller]))
