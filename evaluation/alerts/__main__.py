"""Measure alerts: ``python -m evaluation.alerts``; also the alerts part of ``python -m evaluation.quality``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.alerts.run import run
from evaluation.alerts.sets import SEEDS, SETS
from evaluation.quality.errors import QualityError
from evaluation.threads import one_thread_each


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code: 0 also where a target is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.alerts",
        description="Measures alerts, ours and others': faults put into clean streams, real ones, and false alarms.",
    )
    parser.add_argument("--only", nargs="+", choices=tuple(SETS), metavar="SET", help=f"of {', '.join(SETS)}")
    parser.add_argument(
        "--seeds", choices=tuple(SEEDS), default="dev",
        help="what is random: places, joints, people; settings are chosen on dev, and fresh is for what is reported",
    )  # fmt: skip
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="run the others, too")
    parser.add_argument("--fresh-peers", action="store_true", help="find nothing in OUT/alerts-cache: run all peers")
    parser.add_argument("--out", type=Path, default=Path("quality-output"), help="folder for the page and the picture")
    parser.add_argument("--docs", type=Path, help="folder to write alerts-measured.md and its picture into as well")
    options = parser.parse_args(arguments)
    one_thread_each()
    try:
        run(
            options.out, options.only or tuple(SETS), options.seeds,
            with_peers=options.peers, fresh_peers=options.fresh_peers, docs=options.docs,
        )  # fmt: skip
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
