"""The main table for the terminal and for the page, with its two lines on top."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table

from evaluation.quality.headline import Headline, verdict
from evaluation.quality.results import MethodResult
from evaluation.quality.table import per_cent, seconds

TITLE = "Leave one set out"
HEADS = (
    "bF1", "bF1@1s", "P", "R", "MoF", "ARI", "cover", "delay", "prov. bF1", "prov. delay", "best online peer", "peer",
    "ours - peer", "blind", "oracle MoF",
)  # fmt: skip
_FIGURES = ("bf1", "bf1@1s", "precision", "recall", "mof", "ari", "covering")


def verdict_lines(rows: Sequence[Headline]) -> list[str]:
    """On top of everything: how far we are ahead of the best online peer, and where least."""
    found = verdict(rows)
    if found is None:
        return ["ours minus the best online peer: not measured, no set has both"]
    known = sum(bool(row.seen) for row in rows if row.ahead is not None)
    return [
        f"mean over {found.sets} sets, {known} of them not left out, of ours minus the best online peer: "
        f"{100 * found.mean_ahead:+.1f}",
        f"the worst set: {found.worst}, {100 * found.worst_ahead:+.1f}",
    ]


def console_table(rows: Sequence[Headline]) -> Table:
    """A row a set; what is not left out has a star."""
    table = Table(title=TITLE, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("set", no_wrap=True)
    for name in HEADS:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(_name(row), *_cells(row))
    return table


def footnotes(rows: Sequence[Headline]) -> list[str]:
    """What the stars mean, by set."""
    seen: dict[str, list[str]] = {}
    for row in rows:
        if row.seen:
            seen.setdefault(row.seen, []).append(row.name)
    return [f"* not left out: {', '.join(names)}: {what}" for what, names in seen.items()]


def markdown(rows: Sequence[Headline]) -> list[str]:
    """The lines of the section."""
    lines = [f"## {TITLE}", "", *(f"- {line[0].upper()}{line[1:]}." for line in verdict_lines(rows)), ""]
    lines += [f"| set | {' | '.join(HEADS)} |", f"|---|{'---:|' * len(HEADS)}"]
    lines += [f"| {_name(row).replace('*', '&ast;')} | {' | '.join(_cells(row))} |" for row in rows]
    lines += [
        "",
        "Per cent; delays in seconds, median; prov.: provisional. Peer and floor by the set's own figure: bF1 within "
        "0.5 s, or covering (tssb, idle).",
        "",
    ]
    return lines + [f"- &ast;{note[1:]}." for note in footnotes(rows)]


def _name(row: Headline) -> str:
    return f"{row.name}*" if row.seen else row.name


def _cells(row: Headline) -> list[str]:
    peer = row.best_peer
    return [
        *(per_cent(_share(row.final, figure)) for figure in _FIGURES),
        _delay(row.final),
        per_cent(_share(row.provisional, "bf1")),
        _delay(row.provisional),
        "-" if peer is None else peer.method,
        per_cent(_share(peer, row.figure)),
        "-" if row.ahead is None else f"{100 * row.ahead:+.1f}",
        per_cent(_share(row.floor, row.figure)),
        per_cent(_share(row.oracle, "mof")),
    ]


def _share(row: MethodResult | None, figure: str) -> float | None:
    return None if row is None else row.score.shares.get(figure)


def _delay(row: MethodResult | None) -> str:
    return "-" if row is None else seconds(row.score.delay(0.5))
