"""The tables that are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from evaluation.behaviour.counts import Counts

BUDGETS = (6.0, 30.0)


def header(first: str, columns: Sequence[str]) -> str:
    """The first two lines of a table."""
    names = [first, *columns]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def work_row(name: str, found: Mapping[str, Mapping[float, Counts]], usual: Mapping[float, Counts]) -> str:
    """Faults found, in percent, and false reports an hour in work without any; each at all budgets."""
    cells = [" / ".join(f"{counts[budget].percent:.0f}" for budget in BUDGETS) for counts in found.values()]
    cells.append(" / ".join(f"{usual[budget].false_per_hour:.1f}" for budget in BUDGETS))
    return f"| {name} | {' | '.join(cells)} |"


def walk_row(name: str, of: Mapping[float, Counts]) -> str:
    """The same of one change of walking, with how long it took."""
    found = " / ".join(f"{of[budget].named} of {of[budget].faults}" for budget in BUDGETS if of[budget].faults) or "-"
    delays = [delay for budget in BUDGETS for delay in of[budget].delays_s]
    took = f"{median(delays):.0f} s" if delays else "-"
    false = " / ".join(f"{of[budget].false_per_hour:.1f}" for budget in BUDGETS)
    return f"| {name} | {found} | {took} | {false} |"
