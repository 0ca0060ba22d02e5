"""The table that is printed."""

from __future__ import annotations

import numpy as np
from kineseg.sources import Frames
from kineseg.sources.recorded import Recorded

from evaluation.capture.segments import OfTheFile, begins_at, segmented
from evaluation.quality.robustness_compare import TOLERANCE_S, Result, compare, matched

_LEAST_KEPT = 0.978  # docs/robustness.md, the lowest of its rows for lost frames and for jitter


def header() -> str:
    """The first two lines."""
    columns = ["kept, %", "furthest, ms", "ARI, %", "lost, %", "kept, lossy, %", "F1, %", "furthest, ms", "ARI, %"]
    return "\n".join((f"| protocol | {' | '.join(columns)} |", f"|---{'|---:' * len(columns)}|"))


def row(name: str, take: Recorded, of_the_file: OfTheFile, plain: list[Frames], lossy: list[Frames]) -> str:
    """One protocol: as it is, and with loss and jitter."""
    first, second = (segmented(pieces, take) for pieces in (plain, lossy))
    wanted, wanted_too = (of_the_file.begun_at(begins_at(pieces[0], take)) for pieces in (plain, lossy))
    as_it_is, with_faults = compare(wanted, first), compare(wanted_too, second)
    came = sum(piece.n_frames for piece in lossy)
    mark = "" if with_faults.kept >= _LEAST_KEPT else " **less than docs/robustness.md allows**"
    cells = [
        f"{100 * as_it_is.kept:.0f}",
        f"{1000 * furthest(wanted, first):.0f}",
        f"{100 * as_it_is.ari:.1f}",
        f"{100 * (1 - came / len(take.values)):.1f}",
        f"{100 * with_faults.kept:.0f}{mark}",
        f"{100 * with_faults.f1:.0f}",
        f"{1000 * furthest(wanted_too, second):.0f}",
        f"{100 * with_faults.ari:.1f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def furthest(before: Result, now: Result) -> float:
    """How far a boundary is off that has a partner, at most; seconds."""
    pairs = matched(before.boundaries, now.boundaries, TOLERANCE_S)
    offs = [abs(float(before.boundaries[a] - now.boundaries[b])) for a, b in pairs]
    return float(np.max(offs)) if offs else 0.0
