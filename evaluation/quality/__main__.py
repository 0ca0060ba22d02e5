"""Measure quality: ``python -m evaluation.quality``.

Prints the main table and all figures, writes them as Markdown and JSON, and draws every stream; alerts come last.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from evaluation.alerts import run as alerts
from evaluation.alerts.sets import SETS
from evaluation.quality.errors import QualityError
from evaluation.quality.options import parse, plan_of, with_alerts
from evaluation.quality.run import run
from evaluation.threads import one_thread_each


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with `arguments`, those of the process unless given; the exit code: 0 also where a target is missed."""
    options = parse(arguments)
    one_thread_each()
    try:
        run(plan_of(options), options)
        if with_alerts(options):
            # Settings are chosen on the other seeds.
            alerts.run(
                options.out, tuple(SETS), "fresh",
                with_peers=options.peers != "none", fresh_peers=options.fresh_peers, docs=options.docs,
            )  # fmt: skip
    except QualityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
