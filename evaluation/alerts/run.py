"""Runs what is asked for, and prints and writes what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from evaluation.alerts import picture
from evaluation.alerts.cost import measure_cost
from evaluation.alerts.grid import Grid
from evaluation.alerts.measure import measure
from evaluation.alerts.peers import PEERS, installed
from evaluation.alerts.peers.cache import PeerCache
from evaluation.alerts.results import SetResult
from evaluation.alerts.sets import SEEDS, SETS, Seeds
from evaluation.alerts.tables import tables
from evaluation.alerts.targets import reached
from evaluation.asked import Reached, plain

CACHE = "alerts-cache"
SUMMARY = "summary.json"
_PAGE, _DOCS_PAGE, _PICTURE = "alerts.md", "alerts-measured.md", "alerts/by-kind.png"


def run(
    out: Path, names: Sequence[str], seeds: Seeds, *, with_peers: bool, fresh_peers: bool, docs: Path | None = None
) -> None:
    """Everything, set after set.

    Args:
        out: Folder for the page, the picture and the figures, which join those that are in its ``summary.json``.
        names: Of the sets.
        seeds: Which seeds.
        with_peers: Whether to run the others, too.
        fresh_peers: Whether to run them although it is known what they would say.
        docs: Folder for the page and the picture as well.

    Raises:
        QualityError: Data is not there.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    peers, missing = installed() if with_peers else ([], [])
    for reason in missing:
        console.print(f"left out: {reason} (make quality installs it)", style="yellow")
    results: list[SetResult] = []
    for result in measure(names, SEEDS[seeds], peers, PeerCache(out / CACHE, fresh=fresh_peers)):
        results.append(result)
        console.print(f"alerts, {result.name}: done", highlight=False)
    figures = reached(results, measure_cost() if tuple(names) == tuple(SETS) else None)
    grids = tables(results, figures)
    for grid in grids[1:]:
        console.print(grid.console())
    for each in figures:
        if each.value is not None:
            console.print(_line(each), style="green" if each.holds else "red", highlight=False)
    for folder, page in ((out, _PAGE), *([(docs, _DOCS_PAGE)] if docs else [])):
        write(folder, page, grids, results, seeds, missing)
    merge(out / SUMMARY, figures)
    console.print(f"written: {out / _PAGE}, {out / SUMMARY}", highlight=False)


def merge(path: Path, figures: Sequence[Reached]) -> None:
    """Puts figures of alerts into a summary; others that are in it stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    ours = {f"alerts: {name}": figure for name, figure in plain(figures).items()}
    path.write_text(json.dumps(known | ours, indent=1) + "\n", encoding="utf-8")


def _line(each: Reached) -> str:
    sign = "<=" if each.asked.at_most else ">="
    return f"{each.verdict:<8}{each.asked.name}: {sign} {each.asked.bound:g}, is {each.value:.3f}"


def write(
    folder: Path, name: str, grids: Sequence[Grid], results: Sequence[SetResult], seeds: Seeds, missing: Sequence[str]
) -> None:
    """The page, called `name`, and its picture."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(_page(grids, results, seeds, missing), encoding="utf-8")
    picture.save(results, folder / _PICTURE)


def _page(grids: Sequence[Grid], results: Sequence[SetResult], seeds: Seeds, missing: Sequence[str]) -> str:
    sets = "; ".join(f"{result.name}: {SETS[result.name].title}" for result in results)
    lines = [
        "# Alerts, measured", "",
        f"Written by `python -m evaluation.alerts --seeds {seeds}`. Bodies come at the rate of a camera, on their "
        "source positions. An alarm counts from a fault's start to 1 s after its end; a trial has one fault, and "
        f"all kinds at the same places. Sets: {sets}.", "",
        "Two things flatter. What is late is so by whole frames, so its first 0.3 s are an exact repetition, which "
        "a rule can tell; a real delay need not be. And where bodies are made from angles, their bones are exact. What "
        "does not: a fault that begins while a false alarm goes on counts as missed.", "",
    ]  # fmt: skip
    lines += grids[0].markdown()
    if any(any(result.trials) for result in results):
        lines += [f"![faults found by kind]({_PICTURE})", ""]
    for grid in grids[1:]:
        lines += grid.markdown()
    lines += ["Settings of the others:", "", *(f"- {peer.name}: {peer.settings}." for peer in PEERS)]
    lines += [f"- Not run: {reason}." for reason in missing]
    return "\n".join(lines) + "\n"
