"""How many segments there are where nothing happens: one is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.quality.results import FINAL, PROVISIONAL, SetResult

NAME = "idle"


def console_lines(results: Sequence[SetResult]) -> list[str]:
    """One line, if the set was run."""
    result = _idle(results)
    final, provisional = (result.row(FINAL), result.row(PROVISIONAL)) if result else (None, None)
    if final is None or provisional is None:
        return []
    return [
        f"idle: {np.mean(final.segments):.1f} segments in ten minutes, {max(final.segments)} at worst; provisional "
        f"ones {provisional.boundaries_per_minute:.1f} a minute"
    ]


def markdown(results: Sequence[SetResult]) -> list[str]:
    """The lines of the section; none if the set was not run."""
    result = _idle(results)
    if result is None:
        return []
    lines = [
        "", "## Where nothing happens", "",
        "Segments of ten minutes, one is right; boundaries per minute, none is.", "",
        f"| method | {' | '.join(each.stream.name for each in result.streams)} | mean | worst | boundaries/min |",
        f"|---|{'---:|' * (len(result.streams) + 3)}",
    ]  # fmt: skip
    for row in result.rows:
        if row.kind in ("ours", "peer"):
            counts = " | ".join(map(str, row.segments))
            lines.append(
                f"| {row.method} | {counts} | {np.mean(row.segments):.1f} | {max(row.segments)} | "
                f"{row.boundaries_per_minute:.2f} |"
            )
    return lines


def _idle(results: Sequence[SetResult]) -> SetResult | None:
    return next((result for result in results if result.name == NAME and result.streams), None)
