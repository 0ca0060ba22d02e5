"""All exact rules over the frames of one stream."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.rules.compare import Steps, compare, new_steps
from kineseg_core.anomalies.rules.frozen import frozen
from kineseg_core.anomalies.rules.gap import Pace, gap, new_pace
from kineseg_core.anomalies.rules.looped import looped
from kineseg_core.anomalies.rules.occluded import occluded
from kineseg_core.anomalies.rules.replayed import Replays, new_replays, replayed
from kineseg_core.anomalies.rules.runs import Runs, new_runs
from kineseg_core.anomalies.rules.stalled import stalled
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.kept.declared import record
from kineseg_core.kernels import kernel

_LOOP_S, _MOST_HASHES = 60.0, 4096
_GAP, _OCCLUDED, _STALLED, _FROZEN, _LOOPED, _LATE = range(6)


class RuleBook(NamedTuple):
    """What the rules have learnt of a stream, see each of them.

    Attributes:
        before: ``(D, U)`` its last values, axis after axis, that were not lost; NaN before there were any.
        lost: ``(U,)`` units lost in the newest frame.
        same: ``(U,)`` units that are as they were in the frame before.
        steps: By how much each changes.
        seen, moved: ``(U,)`` frames in which each was seen, and moved, while it matters.
        began: ``(1,)`` frames in which something moved.
        occluded, frozen: ``(U,)`` where these rules hold.
        hashes: ``(N,)`` of the last frames.
        position: ``(2,)`` in these.
        found: ``(6,)`` gap or not, units occluded, stalled or not, units frozen, looped or not, units late.
        pace: Of the frames.
        occluded_runs, stalled_runs, frozen_runs, looped_runs: Of lost, equal and repeated frames.
        replays: Of units that repeat what they did.
    """

    before: NDArray[np.float64]
    lost: NDArray[np.bool_]
    same: NDArray[np.bool_]
    steps: Steps
    seen: NDArray[np.float32]
    moved: NDArray[np.float32]
    began: NDArray[np.float64]
    occluded: NDArray[np.bool_]
    frozen: NDArray[np.bool_]
    hashes: NDArray[np.uint16]
    position: NDArray[np.int64]
    found: NDArray[np.int64]
    pace: Pace
    occluded_runs: Runs
    stalled_runs: Runs
    frozen_runs: Runs
    looped_runs: Runs
    replays: Replays


def new_book(source: WatchedSource) -> RuleBook:
    """Nothing has been seen yet."""
    units, rate_hz = len(source.names), source.rate_hz
    return RuleBook(
        before=np.full((source.numbers, units), np.nan),
        lost=np.zeros(units, bool),
        same=np.zeros(units, bool),
        steps=new_steps(units, source.numbers),
        seen=np.zeros(units, np.float32),
        moved=np.zeros(units, np.float32),
        began=np.zeros(1),
        occluded=np.zeros(units, bool),
        frozen=np.zeros(units, bool),
        hashes=np.zeros(min(_MOST_HASHES, max(8, round(_LOOP_S * rate_hz))), np.uint16),
        position=np.zeros(2, np.int64),
        found=np.zeros(6, np.int64),
        pace=new_pace(rate_hz),
        occluded_runs=new_runs(units),
        stalled_runs=new_runs(1),
        frozen_runs=new_runs(units),
        looped_runs=new_runs(1),
        replays=new_replays(units, rate_hz),
    )


@kernel(inlined=True)
def apply_rules(book, frame, bits, interval_s, root, rate):  # type: ignore[no-untyped-def]
    """Takes a frame and writes what is found.

    Args:
        book: See `RuleBook`.
        frame: ``(U, D)``, finite or NaN.
        bits: ``(U, D)`` int64, its own bits.
        interval_s: Time since the last frame, below 0: it is the first.
        root: The unit that places are relative to; -1: none.
        rate: Frames a second.

    Returns:
        How many units are lost, and how much is found.
    """
    found = book.found
    found[:] = 0
    found[_GAP] = interval_s >= 0.0 and gap(book.pace, interval_s, rate)
    n_lost, n_same, code = compare(frame, book.before, book.lost, book.same, book.steps, bits)
    all_same = n_same > 0 and n_same + n_lost == len(book.lost)
    found[_OCCLUDED] = occluded(book.occluded_runs, book.seen, book.lost, n_lost, rate, book.occluded)
    found[_STALLED] = stalled(book.stalled_runs, book.began, all_same, rate)
    if not all_same:  # what stands still alone, or comes again, is not known then
        found[_FROZEN] = frozen(
            book.frozen_runs, book.moved, book.same, n_same, book.lost, book.steps, rate, book.frozen
        )
        found[_LOOPED] = looped(book.looped_runs, book.hashes, book.position, code, rate)
        found[_LATE] = replayed(book.replays, book.before, book.lost, root, rate)
    return n_lost, found.sum()


@record
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


def findings(book: RuleBook, time_s: float, interval_s: float) -> list[RuleFinding]:
    """The rules that hold.

    Args:
        book: Of the stream.
        time_s: Capture time of its newest frame.
        interval_s: Time since the frame before.
    """
    is_gap, n_occluded, is_stalled, n_frozen, is_looped, n_late = book.found.tolist()
    usual_s = float(book.pace["interval_s"][0])

    def since(runs: Runs, unit: int) -> float:
        return time_s - float(runs.run[unit] - 1.0) * usual_s

    def of_units(kind: AnomalyKind, on: NDArray[np.bool_], runs: Runs) -> RuleFinding:
        units = np.flatnonzero(on)
        longest = int(units[np.argmax(runs.run[units])])
        return RuleFinding(kind, tuple(units.tolist()), since(runs, longest))

    found = []
    if is_gap:
        found.append(RuleFinding(AnomalyKind.GAP, (), time_s - interval_s))
    if n_occluded:
        found.append(of_units(AnomalyKind.OCCLUDED, book.occluded, book.occluded_runs))
    if is_stalled:
        found.append(RuleFinding(AnomalyKind.STALLED, (), since(book.stalled_runs, 0)))
    if n_frozen:
        found.append(of_units(AnomalyKind.FROZEN, book.frozen, book.frozen_runs))
    if is_looped:
        found.append(RuleFinding(AnomalyKind.LOOPED, (), since(book.looped_runs, 0)))
    elif n_late:
        units = np.flatnonzero(book.replays.on)
        behind = int(book.replays.lag[units].max())
        found.append(RuleFinding(AnomalyKind.LATE, tuple(units.tolist()), time_s - behind * usual_s))
    return found
