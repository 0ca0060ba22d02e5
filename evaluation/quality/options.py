"""The command's options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from evaluation.quality.plan import QualityPlan
from evaluation.quality.sets import FAMILIES, SETS


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options in `arguments`, those of the process unless given."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.quality",
        description="Measures quality: ours and others', final and provisional, on every set.",
    )
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), help="default: all that have such seeds")
    parser.add_argument(
        "--seeds", choices=("dev", "held-out"), default="dev", help="held-out: streams that no one has looked at"
    )
    parser.add_argument("--peers", choices=("none", "fast", "all"), default="all", help="which peers to run too")
    parser.add_argument(
        "--fresh-peers", action="store_true",
        help="run all peers; else what they said before about the same stream, with the same source and settings, is "
        "taken from OUT/peers-cache",
    )  # fmt: skip
    parser.add_argument("--bundle", type=Path, help="another bundle for our service than the packaged one")
    parser.add_argument(
        "--left-out", action="append", default=[], type=family_and_bundle, metavar="FAMILY=BUNDLE",
        help="the bundle to run on the sets of a family: one that was trained and chosen without them; again for "
        f"another family ({', '.join(FAMILIES)})",
    )  # fmt: skip
    parser.add_argument("--latency", type=float, help="budget of final decisions, seconds; default: the server's")
    parser.add_argument("--streams", type=int, help="at most so many of each set")
    parser.add_argument("--out", type=Path, default=Path("quality-output"), help="folder for tables and pictures")
    parser.add_argument(
        "--docs", type=Path, help="folder to write quality.md and the pictures of the sets into as well"
    )
    parser.add_argument(
        "--alerts", action=argparse.BooleanOptionalAction,
        help="measure alerts, too, see python -m evaluation.alerts; default: where all sets are run",
    )  # fmt: skip
    parser.add_argument("--pictures", action=argparse.BooleanOptionalAction, default=True, help="draw every stream")
    return parser.parse_args(arguments)


def with_alerts(options: argparse.Namespace) -> bool:
    """Whether `options` say to measure alerts, too."""
    return options.sets is None if options.alerts is None else bool(options.alerts)


def plan_of(options: argparse.Namespace) -> QualityPlan:
    """What `options` say to run."""
    held_out = options.seeds == "held-out"
    return QualityPlan(
        sets=tuple(options.sets or [name for name, each in SETS.items() if each.seeds or not held_out]),
        seeds=options.seeds,
        peers=options.peers,
        bundle=options.bundle,
        left_out=dict(options.left_out),
        latency_s=options.latency,
        limit=options.streams,
    )


def family_and_bundle(text: str) -> tuple[str, Path]:
    """A value of ``--left-out``: a family, and the bundle that was made without it."""
    family, sign, path = text.partition("=")
    if not sign or not path or family not in FAMILIES:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected FAMILY=BUNDLE, with a family out of {', '.join(FAMILIES)} and the folder of a bundle"
        )
    return family, Path(path)
