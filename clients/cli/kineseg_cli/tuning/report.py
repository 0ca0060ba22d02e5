"""What tuning has found: a table for people, a line with the option to use, a file for a server."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from rich import box
from rich.table import Table

from kineseg_cli.tuning.choice import Choice
from kineseg_cli.tuning.counts import Counts


def threshold_table(thresholds: Sequence[float], counts: Counts, choice: Choice, measure: str) -> Table:
    """What each threshold does, one on each row."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("threshold", justify="right")
    for name in ("found", "missed/min", "invented/min", measure, "delay"):
        table.add_column(name, justify="right")
    table.add_column("", no_wrap=True)
    known = int(counts.known.sum())
    for row in np.argsort(thresholds):
        hits, found = int(counts.hits[row].sum()), int(counts.found[row].sum())
        delays = counts.delays_s[row]
        table.add_row(
            f"{thresholds[row]:g}",
            f"{hits}/{known}",
            f"{(known - hits) / counts.minutes:.1f}",
            f"{(found - hits) / counts.minutes:.1f}",
            f"{choice.scores[row]:.2f}",
            f"{np.median(delays):.1f} s" if delays else "",
            _mark(int(row), choice),
            style="bold" if row == choice.picked else None,
        )
    return table


def _mark(row: int, choice: Choice) -> str:
    marks = [name for name, of in (("default", choice.own), ("picked", choice.picked)) if of == row]
    return ", ".join(marks)


def verdict(thresholds: Sequence[float], choice: Choice, measure: str) -> list[str]:
    """What to do, in words."""
    own = choice.scores[choice.own]
    held_out = f"{measure} {choice.held_out:.2f} on parts that had no say in it"
    if choice.picked == choice.own:
        best = float(choice.scores.max())
        return [
            f"keep the default threshold, {thresholds[choice.own]:g}: {measure} {own:.2f} here, and no other is "
            f"better by more than chance (the best has {best:.2f} here; choosing gives {held_out})"
        ]
    return [
        f"--threshold {thresholds[choice.picked]:g}",
        f"{measure} {choice.scores[choice.picked]:.2f} here instead of {own:.2f} with the default, "
        f"{thresholds[choice.own]:g}; choosing gives {held_out}",
    ]


def settings_file(model: str, thresholds: Sequence[float], choice: Choice, lines: Sequence[str]) -> str:
    """The same for `kineseg serve --config`, TOML."""
    about = "".join(f"# {line}\n" for line in ("Written by `kineseg tune`.", *lines))
    threshold = "" if choice.picked == choice.own else f"default_boundary_threshold = {thresholds[choice.picked]:g}\n"
    return f"{about}default_model = {json.dumps(model)}\n{threshold}"
