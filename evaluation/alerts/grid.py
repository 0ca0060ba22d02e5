"""A table, for the terminal and for a page."""

from __future__ import annotations

from dataclasses import dataclass

from rich.box import SIMPLE
from rich.table import Table


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        title: Above it.
        heads: Of its columns.
        rows: As many cells each.
        note: Below it.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> list[str]:
        """Lines of a page."""
        lines = [f"## {self.title}", "", _line(self.heads), f"|---|{'---:|' * (len(self.heads) - 1)}"]
        lines += map(_line, self.rows)
        return [*lines, "", self.note, ""] if self.note else [*lines, ""]

    def console(self) -> Table:
        """For the terminal."""
        table = Table(
            title=self.title, title_justify="left", caption=self.note or None, caption_justify="left", box=SIMPLE,
            padding=(0, 1, 0, 0),
        )  # fmt: skip
        for number, head in enumerate(self.heads):
            table.add_column(head, justify="right" if number else "left", no_wrap=not number)
        for row in self.rows:
            table.add_row(*(cell.replace("**", "") for cell in row))
        return table


def per_cent(share: float | None) -> str:
    """A share."""
    return "-" if share is None else f"{100 * share:.0f}"


def several(shares: list[float | None]) -> str:
    """Shares at several budgets."""
    return " / ".join(map(per_cent, shares))


def seconds(time: float | None) -> str:
    """A time."""
    return "-" if time is None else f"{time:.2f}"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
