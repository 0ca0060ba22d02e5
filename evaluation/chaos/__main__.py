"""Runs the trials, prints a table and writes summary.json: python -m evaluation.chaos [TRIAL ...]"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evaluation.asked import Asked, Reached
from evaluation.chaos.first import before_others
from evaluation.chaos.outcome import Outcome, summary
from evaluation.chaos.size import Size
from evaluation.chaos.trial import CannotRun, Trial
from evaluation.chaos.trials import COMPARING, TRIALS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"some of {', '.join(TRIALS)}; default: all")
    parser.add_argument("--out", type=Path, default=Path("chaos-output"), help="folder for summary.json")
    parser.add_argument("--seconds", type=float, default=90.0, help="how long each trial goes on")
    parser.add_argument(
        "--size", type=float, default=1.0, help="times as many streams, connections and messages as usual"
    )
    options = parser.parse_args()
    if unknown := set(options.trials) - set(TRIALS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(TRIALS)}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    options.out.mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, Outcome] = {}
    for name in options.trials or TRIALS:
        began = time.monotonic()
        with before_others() if name in COMPARING else contextlib.nullcontext() as first:
            outcomes[name] = _run(TRIALS[name], Size(options.seconds, options.size))
        if first is False:
            console.print(f"{name}: without real-time priority, which takes root, the ratios are of the machine, too")
        console.print(f"{name}: {time.monotonic() - began:.0f} s; {outcomes[name].seen}")
        (options.out / "summary.json").write_text(json.dumps(summary(outcomes), indent=1) + "\n")
    console.print(_table(outcomes))


def _run(trial: Trial, size: Size) -> Outcome:
    try:
        return trial(size)
    except CannotRun as reason:
        return Outcome((Reached(Asked("was run", 1.0), None),), str(reason))


def _table(outcomes: Mapping[str, Outcome]) -> Table:
    table = Table("trial", "figure", "is", "asked", "", title="what was done, and what became of it")
    for name, outcome in outcomes.items():
        for at, figure in enumerate(outcome.figures):
            value = "-" if figure.value is None else f"{figure.value:.3g}"
            bound = f"{'at most' if figure.asked.at_most else 'at least'} {figure.asked.bound:g}"
            table.add_row("" if at else name, figure.asked.name, value, bound, figure.verdict)
    return table


if __name__ == "__main__":
    main()
