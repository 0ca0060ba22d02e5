"""Delay against accuracy: every set at several budgets of final decisions.

    python -m evaluation.quality.latency --into docs/latency.md

Writes the table into that page and the picture beside it. No server runs: see `budgets`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from kineseg_core.errors import BadBundle, OutOfRange
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.opening import Opener

from evaluation.quality import budgets
from evaluation.quality.errors import QualityError
from evaluation.quality.latency_page import Curve, save, table
from evaluation.quality.markers import insert
from evaluation.quality.options import family_and_bundle
from evaluation.quality.plan import QualityPlan
from evaluation.quality.progress import progress
from evaluation.quality.results import FINAL, MethodResult
from evaluation.quality.sets import SETS, load
from evaluation.threads import one_thread_each

BUDGETS_S = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.quality.latency", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--streams", type=int, help="at most so many of each set")
    parser.add_argument("--budgets", type=float, nargs="+", default=list(BUDGETS_S), metavar="S", help="seconds")
    parser.add_argument("--bundle", type=Path, help="another bundle than the packaged one")
    parser.add_argument("--left-out", action="append", default=[], type=family_and_bundle, metavar="FAMILY=BUNDLE",
                        help="as of python -m evaluation.quality")  # fmt: skip
    parser.add_argument("--into", type=Path, help="page to write the table into; the picture goes beside it")
    options = parser.parse_args(arguments)
    one_thread_each()
    plan = QualityPlan(
        tuple(options.sets), bundle=options.bundle, left_out=dict(options.left_out), limit=options.streams
    )
    try:
        found = list(curves(plan, sorted(options.budgets)))
        text = table(found, plan)
        print(text)
        if options.into is not None:
            insert(options.into, "latency", text)
            save(found, options.into.with_suffix(".png"))
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def curves(plan: QualityPlan, budgets_s: Sequence[float]) -> Iterator[Curve]:
    """The sets of the plan, one after the other, each with the bundle that the plan has for it.

    Raises:
        QualityError: Data, metrics or a bundle are not there, or a budget is none that a server offers.
    """
    for path, names in groupby(plan.sets, plan.bundle_for):
        bundle = _bundle(path)
        opener = Opener({bundle.name: bundle})
        for name in names:
            streams = load(name, plan.seeds, plan.limit)
            said = []
            with progress(f"{name}: {len(budgets_s)} budgets", len(streams)) as bar:
                for stream in streams:
                    try:
                        said.append(budgets.segment(stream, opener, bundle, budgets_s))
                    except OutOfRange as error:
                        raise QualityError(f"{stream.set_name}/{stream.name}: {error.message}") from error
                    bar.update()
            scores = [MethodResult.of(FINAL, "ours", streams, each).score for each in zip(*said, strict=True)]
            yield Curve(name, SETS[name].figure, tuple(budgets_s), tuple(scores))


def _bundle(path: Path | None) -> Bundle:
    chosen = path or packaged_bundle()
    if chosen is None:
        raise QualityError("the service has no packaged bundle; give one with --bundle")
    try:
        return load_bundle(chosen)
    except BadBundle as error:
        raise QualityError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
