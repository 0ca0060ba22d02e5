"""What alerts are asked to reach: of every figure what it is, what was asked, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evaluation.alerts.cost import JOINTS, STREAMS, Cost
from evaluation.alerts.events import event_scores
from evaluation.alerts.false_alarms import by_row, exact_false, near_boundaries
from evaluation.alerts.faults import (
    OLD_KINDS,
    Share,
    ahead,
    exact_soon,
    found,
    grows,
    kinds_right,
    of_kinds,
    places_right,
    share,
)
from evaluation.alerts.results import BUDGETS, MIDDLE, OURS, SetResult
from evaluation.alerts.sets import GENERATED, MOTIONLESS, NOISE, RECORDED
from evaluation.asked import Asked, Reached

Results = dict[str, SetResult]
_SIGNIFICANT = 0.05
CHANNELS = ("hapt", "actrectut", "gesturephase")
HOSTS = ("cmu", "mocap6", "bandai", "generated", "utkinect", *CHANNELS)


def reached(results: Sequence[SetResult], cost: Cost | None = None) -> list[Reached]:
    """All figures that are asked, of the sets that were run."""
    by_name = {result.name: result for result in results}
    return [
        *(Reached(asked, value(by_name)) for asked, value in _BY_SETS),
        Reached(_FRAME_US, None if cost is None else cost.frame_us),
        Reached(_STATE_KIB, None if cost is None else cost.state_kib),
    ]


def _found(names: Sequence[str], per_hour: float, kinds: Sequence[str] = ()) -> Callable[[Results], float | None]:
    """Mean over sets of the share of faults found as stated; of all kinds, or of these."""

    def value(results: Results) -> float | None:
        if not all(name in results for name in names):
            return None
        shares = [
            share(results[name].stated_outcomes[per_hour], found, of_kinds(kinds) if kinds else lambda _: True).value
            for name in names
        ]
        known = [each for each in shares if each is not None]
        return sum(known) / len(known) if known else None

    return value


def _pooled(figure: Callable[[SetResult], Share], names: Sequence[str] = HOSTS) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        there = [figure(results[name]) for name in names if name in results]
        return sum(there, Share(0, 0)).value if len(there) == len(names) else None

    return value


def _in_time(result: SetResult) -> Share:
    return share(result.stated_outcomes[MIDDLE], ahead, grows)


def _false_exact(results: Results) -> float | None:
    there = [results[name] for name in HOSTS if name in results]
    return float(exact_false(there)) if len(there) == len(HOSTS) else None


def _realised(row: str, per_hour: float) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        found = by_row(list(results.values())).get(row)
        return None if found is None else found.ratio(per_hour)

    return value


def _motionless(results: Results) -> float | None:
    found = by_row(list(results.values())).get(MOTIONLESS)
    return None if found is None else float(max(found.most.values()))


def _events(name: str) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        if name not in results:
            return None
        return next(each.found[MIDDLE] for each in event_scores(results[name]) if each.method == OURS)

    return value


def _ahead_of_peers(name: str, per_hour: float) -> Callable[[Results], float | None]:
    def value(results: Results) -> float | None:
        if name not in results or not results[name].peers:
            return None
        each = {score.method: score.found[per_hour] for score in event_scores(results[name])}
        return each.pop(OURS) - max(each.values())

    return value


def _at_boundaries(results: Results) -> float | None:
    """How likely chance has as many alarms near boundaries: the least of all sets, times the number of sets."""
    there = [near for result in results.values() if (near := near_boundaries(result)) is not None]
    return min(1.0, len(there) * min(raised.p for raised, _ in there)) if there else None


Value = Callable[[Results], float | None]
_BY_SETS: tuple[tuple[Asked, Value], ...] = (
    (Asked("17 kinds on cmu, found at 2 an hour", 0.80), _found(("cmu",), 2.0)),
    (Asked("17 kinds on cmu, found at 6 an hour", 0.92), _found(("cmu",), 6.0)),
    (Asked("11 old kinds on cmu, found at 2 an hour", 0.90), _found(("cmu",), 2.0, OLD_KINDS)),
    (Asked("11 old kinds on cmu, found at 6 an hour", 0.97), _found(("cmu",), 6.0, OLD_KINDS)),
    (Asked("generated, found at 6 an hour", 0.85), _found(("generated",), 6.0)),
    (Asked("noisy Kinect (utkinect), found at 6 an hour", 0.55), _found(("utkinect",), 6.0)),
    (Asked("inertial channels, found at 6 an hour", 0.50), _found(CHANNELS, 6.0)),
    (Asked("gap, drop-out, stalled, frozen, loop, unit: found within 0.3 s", 0.98), _pooled(exact_soon)),
    (Asked("gap, drop-out, stalled, frozen, loop, unit: false alarms", 0.0, at_most=True), _false_exact),
    (Asked("kind right", 0.85), _pooled(kinds_right)),
    (Asked("joint right to one neighbour", 0.92), _pooled(places_right)),
    (Asked("growing faults raised 4 s before their worst", 0.80), _pooled(_in_time, ("cmu", "generated"))),
    *(
        (Asked(f"realised over stated alarms, {row}, {a:g} an hour", 1.5, at_most=True), _realised(row, a))
        for row in (RECORDED, GENERATED, NOISE)
        for a in BUDGETS
    ),
    (Asked("alarms in ten motionless minutes", 1.0, at_most=True), _motionless),
    (Asked("skab events found at 6 an hour, best threshold", 0.78), _events("skab")),
    (Asked("falls found at 6 an hour, best threshold", 0.60), _events("falls")),
    *(
        (Asked(f"{name} minus best peer, {a:g} an hour", 0.0), _ahead_of_peers(name, a))
        for name in ("skab", "falls")
        for a in (6.0, 30.0)
    ),
    (Asked("alarms at boundaries no more than chance (p, worst set)", _SIGNIFICANT), _at_boundaries),
)
_FRAME_US = Asked(f"us a frame and stream, {JOINTS} joints at {STREAMS} streams", 40.0, at_most=True)
_STATE_KIB = Asked("state of a stream, KiB", 64.0, at_most=True)
