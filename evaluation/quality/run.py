"""Runs what is planned, and prints and writes what came out."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.console import Console

from evaluation.asked import plain
from evaluation.quality import figures, headline_table, idle_table, pictures, report, summary
from evaluation.quality.headline import Headline, headlines
from evaluation.quality.looked_at import Setting, looked_at, total
from evaluation.quality.measure import measure
from evaluation.quality.peers import chosen
from evaluation.quality.peers.cache import PeerCache
from evaluation.quality.plan import QualityPlan
from evaluation.quality.results import SetResult
from evaluation.quality.table import console_table

CACHE = "peers-cache"
COMMAND = "make quality"


def run(plan: QualityPlan, options: argparse.Namespace) -> None:
    """Everything, set after set; pages and pictures are written after each.

    Raises:
        QualityError: Data or metrics are not there, or the server failed.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=180)
    out: Path = options.out
    _folders(options)
    settings = looked_at()
    _, missing = chosen(plan.peers)
    for reason in missing:
        console.print(f"left out: {reason} ({COMMAND} installs it)", style="yellow")
    rows: list[Headline] = []
    results: list[SetResult] = []
    for result in measure(plan, PeerCache(out / CACHE, fresh=options.fresh_peers)):
        results.append(result)
        console.print(f"{result.name}: done", highlight=False)
        rows = headlines(results, settings, packaged=plan.bundle is None)
        if options.pictures:
            for each in result.streams:
                pictures.save_stream(each, out / "quality" / f"{result.name}-{each.stream.name}.png")
        _write(rows, plan, settings, options)
    _print(console, rows)
    console.print(f"settings that were looked at: {total(settings)} values of {len(settings)}", highlight=False)
    console.print(f"written: {', '.join(str(out / name) for name in ('quality.md', 'quality.json', 'summary.json'))}")


def _print(console: Console, rows: Sequence[Headline]) -> None:
    for line in headline_table.verdict_lines(rows):
        console.print(line, style="bold", highlight=False)
    console.print(headline_table.console_table(rows))
    for line in idle_table.console_lines([row.result for row in rows]):
        console.print(line, highlight=False)
    for note in headline_table.footnotes(rows):
        console.print(note, highlight=False)
    console.print(console_table([row.result for row in rows]))
    for outcome in (each for each in summary.reached(rows) if each.value is not None):
        console.print(report.outcome_line(outcome), style="green" if outcome.holds else "red", highlight=False)


def _write(
    rows: Sequence[Headline],
    plan: QualityPlan,
    settings: Sequence[Setting],
    options: argparse.Namespace,
) -> None:
    """Everything so far, so that a run that is broken off has not been for nothing."""
    _, missing = chosen(plan.peers)
    page = report.markdown(
        rows, plan, settings, command=COMMAND, machine=_machine(), pictures=options.pictures, missing_peers=missing,
    )  # fmt: skip
    newest = rows[-1].result
    for folder in _folders(options):
        (folder / "quality.md").write_text(page, encoding="utf-8")
        if options.pictures:
            if newest.streams:
                pictures.save_set(newest, folder / "quality" / f"{newest.name}.png")
            pictures.save_confidence([row.result for row in rows], folder / "quality" / "confidence.png")
    for name, content in (
        ("quality.json", figures.plain(rows, plan, machine=_machine())),
        ("summary.json", plain(summary.reached(rows))),
    ):
        (options.out / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _folders(options: argparse.Namespace) -> list[Path]:
    """Where the page and its pictures go."""
    folders = [folder for folder in (options.out, options.docs) if folder is not None]
    for folder in folders:
        (folder / "quality").mkdir(parents=True, exist_ok=True)
    return folders


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"
