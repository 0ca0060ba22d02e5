"""Everything that was measured, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from evaluation.alerts.events import event_scores
from evaluation.alerts.false_alarms import MANY_PER_HOUR, Realised, by_row, near_boundaries, realised
from evaluation.alerts.faults import (
    delay_s,
    found,
    grows,
    kind_right,
    kinds_right,
    median,
    of_kinds,
    places_right,
    share,
    warning_s,
)
from evaluation.alerts.grid import Grid, per_cent, seconds, several
from evaluation.alerts.results import BUDGETS, MIDDLE, OURS, Outcome, SetResult
from evaluation.alerts.sets import SETS
from evaluation.asked import Reached

_BUDGETS = " / ".join(f"{per_hour:g}" for per_hour in BUDGETS)


def tables(results: Sequence[SetResult], all_reached: Sequence[Reached]) -> list[Grid]:
    """All, those of what was not run left out."""
    with_faults = [result for result in results if any(result.trials)]
    with_events = [result for result in results if SETS[result.name].has_events]
    grids = [targets(all_reached)]
    if with_faults:
        grids += [by_set(with_faults), *map(by_kind, with_faults)]
    if with_events:
        grids.append(events(with_events))
    return [*grids, false_alarms(results), *boundaries(results)]


def targets(all_reached: Sequence[Reached]) -> Grid:
    """What was asked, and what was reached."""
    rows = [
        (
            each.asked.name,
            f"{'<=' if each.asked.at_most else '>='} {each.asked.bound:g}",
            "-" if each.value is None else f"{each.value:.3f}",
            each.verdict,
        )
        for each in all_reached
    ]
    return Grid("Targets", ("figure", "asked", "reached", ""), tuple(rows))


def by_set(results: Sequence[SetResult]) -> Grid:
    """How many faults are found on each set, by whom."""
    peers = list(dict.fromkeys(name for result in results for name in result.peers))
    rows = []
    for result in results:
        trials = sum(map(len, result.trials))
        best = [
            several([share(result.best_outcomes[name, a], found).value for a in BUDGETS])
            if name in result.methods
            else "-"
            for name in (OURS, *peers)
        ]
        stated = several([share(result.stated_outcomes[a], found).value for a in BUDGETS])
        right = (per_cent(kinds_right(result).value), per_cent(places_right(result).value))
        rows.append((f"{result.name} ({trials})", f"**{stated}**", *right, *best))
    return Grid(
        f"Faults found, per cent, at {_BUDGETS} alarms an hour",
        (
            "set (trials)",
            "kineseg, stated",
            "kind right",
            "place right",
            "kineseg, best",
            *(f"{p}, best" for p in peers),
        ),
        tuple(rows),
        "*Stated*: the alarms of the monitor at that budget, nothing else set. *Best*: the threshold on the score that "
        "raises so many alarms in the same streams without faults, chosen afterwards. Kind and place (at 6 an hour, of "
        "the faults found): half a second after the alarm; place: at least half of the joints or channels named are at "
        "the fault or next to it.",
    )


def by_kind(result: SetResult) -> Grid:
    """How every kind of fault is found on one set."""
    kinds = list(dict.fromkeys(trial.kind.name for trials in result.trials for trial in trials))
    rows = []
    for kind in kinds:
        these = {a: _of(outcomes, kind) for a, outcomes in result.stated_outcomes.items()}
        middle = these[MIDDLE]
        best = {name: share(_of(result.best_outcomes[name, MIDDLE], kind), found).value or 0.0 for name in result.peers}
        first = max(best, key=lambda name: best[name], default=None)
        peer = "-" if first is None else f"{per_cent(best[first])} ({first.split(' (')[0]})" if best[first] else "0"
        warned = [warning_s(each) for each in middle if grows(each)]
        rows.append(
            (
                kind.replace("_", " "),
                str(len(middle)),
                several([share(these[a], found).value for a in BUDGETS]),
                peer,
                seconds(median([delay_s(each) for each in middle])),
                seconds(median(warned)),
                per_cent(share(middle, kind_right, found).value),
                _called(middle),
            )
        )
    return Grid(
        f"{result.name}: {SETS[result.name].title}",
        ("fault", "trials", f"found at {_BUDGETS}", "best peer at 6", "delay s", "warning s", "kind right", "called"),
        tuple(rows),
    )


def events(results: Sequence[SetResult]) -> Grid:
    """Real faults and falls."""
    rows = []
    for result in results:
        count = sum(len(stream.events) for stream in result.streams)
        for score in event_scores(result):
            stated = " / ".join(f"{per_cent(share)} at {rate:.0f}" for share, rate in score.stated.values())
            cells = (several([score.found[a] for a in BUDGETS]), stated or "-")
            rows.append(
                (f"{result.name} ({count}), {score.method}", *cells, f"{score.auc_pr:.2f}", f"{score.vus_pr:.2f}")
            )
    return Grid(
        f"Real events found, per cent, at {_BUDGETS} false alarms an hour",
        ("set (events), method", "best threshold", "stated, at false alarms an hour", "AUC-PR", "VUS-PR"),
        tuple(rows),
    )


def false_alarms(results: Sequence[SetResult]) -> Grid:
    """Alarms where nothing is wrong, as raised."""
    each = [realised(result.name, [result]) for result in results if not SETS[result.name].has_events]
    rows = [_false_row(row) for row in (*each, *by_row(results).values()) if row is not None]
    return Grid(
        f"Alarms where nothing is wrong, at {_BUDGETS} an hour as stated",
        ("streams", "minutes", "alarms", "allowed", "ratio", "called, at 6"),
        tuple(rows),
        "The last rows are sums. Alarms during the warm-up count.",
    )


def boundaries(results: Sequence[SetResult]) -> list[Grid]:
    """Where alarms are, with respect to changes of action."""
    rows = []
    for result in results:
        if (near := near_boundaries(result)) is not None:
            cells = [f"{each.near} of {each.alarms} (p {each.p:.2f})" for each in near]
            rows.append((result.name, *cells, per_cent(near[0].chance)))
    heads = ("set", "as raised at 30 an hour", f"threshold of {MANY_PER_HOUR:g} an hour", "chance %")
    return [Grid("Alarms within 1 s of a boundary between actions", heads, tuple(rows))] if rows else []


def _of(outcomes: Sequence[Outcome], kind: str) -> list[Outcome]:
    return list(filter(of_kinds((kind,)), outcomes))


def _called(outcomes: Sequence[Outcome]) -> str:
    """What the alarms about a kind of fault were called, most often first."""
    return _counted(dict(Counter(each.alarm.kind for each in outcomes if each.alarm is not None).most_common(3)))


def _counted(called: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in called.items()) or "-"


def _false_row(row: Realised) -> tuple[str, ...]:
    return (
        row.name,
        f"{60 * row.hours:.1f}",
        " / ".join(str(row.alarms[a]) for a in BUDGETS),
        " / ".join(f"{a * row.hours:.1f}" for a in BUDGETS),
        " / ".join(f"{row.ratio(a):.1f}" for a in BUDGETS),
        _counted(row.called),
    )
