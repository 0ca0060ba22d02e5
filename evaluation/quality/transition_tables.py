"""Kinds of transitions and of invented boundaries, for the page and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from evaluation.quality import transitions
from evaluation.quality.results import SetResult
from evaluation.quality.table import per_cent

_GROUPS = {"Skeletons": transitions.SKELETONS, "Sensors": transitions.SENSORS}


def markdown(results: Sequence[SetResult]) -> list[str]:
    """The lines of the section; none if no recorded set was run."""
    lines: list[str] = []
    for group, chosen in _chosen(results).items():
        kinds, places = transitions.kind_rows(chosen), transitions.place_rows(chosen)
        methods = list(kinds[0].found)
        heads = f"{' | '.join(methods)} |\n|---|{'---:|' * (len(methods) + 1)}"
        lines += ["", f"### {group}: {', '.join(result.name for result in chosen)}", ""]
        lines += [f"| transition, found within {transitions.HIT_S:g} s, % | number | {heads}"]
        lines += [f"| {k.kind} | {k.count} | {' | '.join(map(per_cent, k.found.values()))} |" for k in kinds]
        lines += ["", f"| boundaries invented a minute, in | minutes | {heads}"]
        lines += [
            f"| {p.place} | {p.minutes:.1f} | {' | '.join(f'{rate:.1f}' for rate in p.invented.values())} |"
            for p in places
        ]
    return ["", "## Kinds of transitions", "", _MEANING, *lines] if lines else []


def plain(results: Sequence[SetResult]) -> dict[str, Any]:
    """For JSON."""
    return {
        group.lower(): {
            "sets": [result.name for result in chosen],
            "transitions": [asdict(row) for row in transitions.kind_rows(chosen)],
            "invented": [asdict(row) for row in transitions.place_rows(chosen)],
        }
        for group, chosen in _chosen(results).items()
    }


_MEANING = (
    "`evaluation/quality/transitions.py` defines the kinds, from the truth and the standardised signal; they overlap. "
    f"Invented: more than {transitions.INVENTED_S:g} s from any true transition."
)


def _chosen(results: Sequence[SetResult]) -> dict[str, list[SetResult]]:
    """The recorded sets that our service was run on, by group."""
    groups = {group: [r for r in results if r.name in names and r.streams] for group, names in _GROUPS.items()}
    return {group: chosen for group, chosen in groups.items() if chosen}
