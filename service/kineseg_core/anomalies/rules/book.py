"""All exact rules over the frames of one stream."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.rules.compare import compare
from kineseg_core.anomalies.rules.frozen import frozen
from kineseg_core.anomalies.rules.gap import GapRule
from kineseg_core.anomalies.rules.looped import looped
from kineseg_core.anomalies.rules.occluded import occluded
from kineseg_core.anomalies.rules.replayed import new_replays, replayed
from kineseg_core.anomalies.rules.runs import Runs, new_runs
from kineseg_core.anomalies.rules.stalled import stalled
from kineseg_core.anomalies.source import WatchedSource

_LOOP_S, _MOST_HASHES = 60.0, 4096


class _State(NamedTuple):
    """What the kernel works on; see the rules for what is what."""

    before: NDArray[np.float64]
    lost: NDArray[np.bool_]
    same: NDArray[np.bool_]
    seen: NDArray[np.float64]
    moved: NDArray[np.float64]
    began: NDArray[np.float64]
    occluded: NDArray[np.bool_]
    frozen: NDArray[np.bool_]
    hashes: NDArray[np.uint32]
    position: NDArray[np.int64]
    found: NDArray[np.int64]
    """``(5,)`` units occluded, stalled or not, units frozen, looped or not, units late."""


class _AllRuns(NamedTuple):
    occluded: Runs
    stalled: Runs
    frozen: Runs
    looped: Runs


@njit(cache=True, error_model="numpy", nogil=True)
def _watch(frame, bits, state, runs, replays, root, rate):  # type: ignore[no-untyped-def]
    """Takes a frame, writes what is found, and returns how many units are lost, and how much is found."""
    n_lost, n_same, code = compare(frame, state.before, state.lost, state.same, bits)
    found = state.found
    all_same = n_same > 0 and n_same + n_lost == len(state.lost)
    found[0] = occluded(runs.occluded, state.seen, state.lost, rate, state.occluded)
    found[1] = stalled(runs.stalled, state.began, all_same, rate)
    if all_same:  # what stands still alone, or comes again, is not known then
        return n_lost, found.sum()
    found[2] = frozen(runs.frozen, state.moved, state.same, state.lost, rate, state.frozen)
    found[3] = looped(runs.looped, state.hashes, state.position, code, rate)
    found[4] = replayed(replays, state.before, state.lost, root, rate)
    return n_lost, found.sum()


class RuleFinding(NamedTuple):
    """A rule holds.

    Attributes:
        kind: Which.
        units: Indices of the units it holds for; empty: the whole source.
        since_s: Since when, capture time.
    """

    kind: AnomalyKind
    units: tuple[int, ...]
    since_s: float


class RuleBook:
    """The exact rules of one stream. Picklable.

    Args:
        source: What the frames are.

    Attributes:
        lost: ``(U,)`` bool, units lost in the last frame.
        any_lost: Whether there are any.
        gap: Whether there was a gap before it.
        filled: ``(U, D)`` its values, and where they are lost the last ones that were not; NaN before there were any.
    """

    def __init__(self, source: WatchedSource) -> None:
        units, rate_hz = len(source.names), source.rate_hz
        numbers = 1 if source.parents is None else 3
        self._rate_hz = rate_hz
        self._root = -1 if source.parents is None else source.parents.index(-1)
        self._gap = GapRule(rate_hz)
        self._state = _State(
            before=np.full((units, numbers), np.nan),
            lost=np.zeros(units, bool),
            same=np.zeros(units, bool),
            seen=np.zeros(units),
            moved=np.zeros(units),
            began=np.zeros(1),
            occluded=np.zeros(units, bool),
            frozen=np.zeros(units, bool),
            hashes=np.zeros(min(_MOST_HASHES, max(8, round(_LOOP_S * rate_hz))), np.uint32),
            position=np.zeros(2, np.int64),
            found=np.zeros(5, np.int64),
        )
        self._runs = _AllRuns(new_runs(units), new_runs(1), new_runs(units), new_runs(1))
        self._replays = new_replays(units, rate_hz)
        self.gap = False
        self.any_lost = False

    @property
    def lost(self) -> NDArray[np.bool_]:
        """``(U,)`` bool: units that have no values in the last frame."""
        return self._state.lost

    @property
    def filled(self) -> NDArray[np.float64]:
        """``(U, D)``: the last value of every number, NaN before there was one."""
        return self._state.before

    @property
    def interval_s(self) -> float:
        """Usual time between frames."""
        return self._gap.interval_s

    def update(self, frame: NDArray[np.float64], time_s: float, interval_s: float | None) -> list[RuleFinding]:
        """Takes a frame.

        Args:
            frame: ``(U, D)``, finite or NaN.
            time_s: Its capture time.
            interval_s: Time since the last frame; None: it is the first.

        Returns:
            The rules that hold now.
        """
        state, findings = self._state, []
        self.gap = interval_s is not None and self._gap.update(interval_s)
        if self.gap and interval_s is not None:
            findings.append(RuleFinding(AnomalyKind.GAP, (), time_s - interval_s))
        n_lost, found = _watch(frame, frame.view(np.int64), state, self._runs, self._replays, self._root, self._rate_hz)
        self.any_lost = n_lost > 0
        if not found:
            return findings
        occluded_, stalled_, frozen_, looped_, late_ = state.found.tolist()
        if occluded_:
            findings.append(self._of_units(AnomalyKind.OCCLUDED, state.occluded, self._runs.occluded, time_s))
        if stalled_:
            findings.append(RuleFinding(AnomalyKind.STALLED, (), self._since(self._runs.stalled, 0, time_s)))
        if frozen_:
            findings.append(self._of_units(AnomalyKind.FROZEN, state.frozen, self._runs.frozen, time_s))
        if looped_ and not stalled_:
            findings.append(RuleFinding(AnomalyKind.LOOPED, (), self._since(self._runs.looped, 0, time_s)))
        elif late_ and not stalled_:
            units = np.flatnonzero(self._replays.on)
            behind = int(self._replays.lag[units].max())
            findings.append(RuleFinding(AnomalyKind.LATE, tuple(units.tolist()), time_s - behind * self.interval_s))
        return findings

    def _of_units(self, kind: AnomalyKind, on: NDArray[np.bool_], runs: Runs, time_s: float) -> RuleFinding:
        units = np.flatnonzero(on)
        longest = units[np.argmax(runs["run"][units])]
        return RuleFinding(kind, tuple(units.tolist()), self._since(runs, int(longest), time_s))

    def _since(self, runs: Runs, unit: int, time_s: float) -> float:
        return time_s - float(runs["run"][unit] - 1.0) * self.interval_s
