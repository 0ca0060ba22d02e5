"""Measure quality: ``python -m evaluation.quality``.

Prints one table, writes it as Markdown and JSON, and draws every stream.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
from rich.console import Console

from evaluation.quality import pictures, report
from evaluation.quality.errors import QualityError
from evaluation.quality.measure import QualityPlan, SetResult, measure
from evaluation.quality.peers import chosen
from evaluation.quality.sets import SETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code."""
    options = _parser().parse_args(arguments)
    # A core a process: the service is measured on one core, and so are its peers.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    held_out = options.seeds == "held-out"
    sets = options.sets or [name for name, each in SETS.items() if each.seeds or not held_out]
    plan = QualityPlan(
        sets=tuple(sets),
        seeds=options.seeds,
        peers=options.peers,
        bundle=options.bundle,
        latency_s=options.latency,
        leave_one_take_out=options.leave_one_take_out,
        limit=options.streams,
    )
    try:
        _run(plan, options)
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), help="default: all that have such seeds")
    parser.add_argument(
        "--seeds", choices=("dev", "held-out"), default="dev", help="held-out: streams that no one has looked at"
    )
    parser.add_argument("--peers", choices=("none", "fast", "all"), default="all", help="which peers to run too")
    parser.add_argument("--bundle", type=Path, help="another bundle for our service than the packaged one")
    parser.add_argument("--latency", type=float, help="budget of final decisions, seconds; default: the server's")
    parser.add_argument(
        "--leave-one-take-out", action=argparse.BooleanOptionalAction, default=True,
        help="choose settings for each take on the other five, as a row of its own",
    )  # fmt: skip
    parser.add_argument("--streams", type=int, help="at most so many of each set")
    parser.add_argument("--out", type=Path, default=Path("quality-output"), help="folder for table and pictures")
    parser.add_argument(
        "--docs", type=Path, help="folder to write quality.md and the pictures of the sets into as well"
    )
    parser.add_argument("--pictures", action=argparse.BooleanOptionalAction, default=True, help="draw every stream")
    return parser


def _run(plan: QualityPlan, options: argparse.Namespace) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    out: Path = options.out
    (out / "quality").mkdir(parents=True, exist_ok=True)
    _, left_out = chosen(plan.peers)
    for reason in left_out:
        console.print(f"left out: {reason} (make quality installs it)", style="yellow")
    results: list[SetResult] = []
    for result in measure(plan):
        results.append(result)
        console.print(f"{result.name}: done", highlight=False)
        if options.pictures:
            for each in result.streams:
                pictures.save_stream(each, out / "quality" / f"{result.name}-{each.stream.name}.png")
        _write(results, plan, options, left_out)
    console.print(report.console_table(results))
    report.print_targets(console, results)
    console.print(f"written: {out / 'quality.md'}, {out / 'quality.json'}", highlight=False)


def _write(
    results: Sequence[SetResult], plan: QualityPlan, options: argparse.Namespace, left_out: Sequence[str]
) -> None:
    """Everything so far, after each set, so that a run that is broken off has not been for nothing."""
    machine = (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"
    )
    command = "make quality"
    page = report.markdown(
        results, plan, command=command, machine=machine, pictures=options.pictures, left_out=left_out
    )
    for folder in (options.out, options.docs):
        if folder is None:
            continue
        (folder / "quality").mkdir(parents=True, exist_ok=True)
        (folder / "quality.md").write_text(page, encoding="utf-8")
        if options.pictures:
            if results[-1].streams:
                pictures.save_set(results[-1], folder / "quality" / f"{results[-1].name}.png")
            pictures.save_confidence(results, folder / "quality" / "confidence.png")
    figures = report.plain(results, plan, machine=machine)
    (options.out / "quality.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
