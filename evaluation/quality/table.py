"""All figures of every method, a table a set."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table

from evaluation.quality.results import FINAL, PROVISIONAL, MethodResult, SetResult
from evaluation.quality.scores import StreamScore

COLUMNS = {
    "mof": "MoF",
    "ari": "ARI",
    "edit": "edit",
    "f1@50": "F1@50",
    "covering": "cover",
    "bf1": "bF1",
    "precision": "P",
    "recall": "R",
    "bf1@1s": "bF1@1s",
}
HEADS = (*COLUMNS.values(), "delay", "95 %", "frames/s")


def per_cent(share: float | None) -> str:
    """A share for a table."""
    return "-" if share is None else f"{100 * share:.1f}"


def seconds(time: float | None) -> str:
    """A time for a table."""
    return "-" if time is None else f"{time:.1f}"


def cells(row: MethodResult) -> list[str]:
    """One method: a cell for each of `HEADS`."""
    speed = "-" if row.frames_per_s is None else f"{row.frames_per_s:,.0f}"
    return [*shares(row.score), seconds(row.score.delay(0.5)), seconds(row.score.delay(0.95)), speed]


def shares(score: StreamScore) -> list[str]:
    """A cell for each of `COLUMNS`."""
    return [per_cent(score.shares.get(name)) for name in COLUMNS]


def console_table(results: Sequence[SetResult]) -> Table:
    """One table with all sets."""
    table = Table(
        title="per cent; delays in seconds; frames per second and core",
        title_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    table.add_column("set, method", no_wrap=True, max_width=54)
    for name in HEADS:
        table.add_column(name, justify="right", no_wrap=True, min_width=5)
    for result in results:
        table.add_row(f"[bold]{result.name}[/bold], {n_streams(result)} streams")
        if result.not_served:
            table.add_row(f"  kineseg: not served ({result.not_served})")
        for i, row in enumerate(result.rows):
            style = "bold cyan" if row.method in (FINAL, PROVISIONAL) else ""
            table.add_row(f"  {row.method}", *cells(row), style=style, end_section=i == len(result.rows) - 1)
    return table


def n_streams(result: SetResult) -> int:
    """How many streams a set has."""
    return max((row.streams for row in result.rows), default=0)
