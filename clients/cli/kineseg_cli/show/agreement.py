"""How well what was found agrees with what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_cli.show.segment_versions import Bar, Boundary
from kineseg_cli.show.stream_history import StreamHistory

TOLERANCE_S = 0.5


@dataclass(frozen=True, slots=True)
class BoundaryAgreement:
    """Agreement of reported boundaries with the known ones.

    Attributes:
        known, found, hits: Number of known boundaries, of reported ones, and of pairs of them within the tolerance.
        precision, recall, f1: 0 to 1.
        delay_s: Median over hits of the time from the boundary to its report, seconds; None without hits.
    """

    known: int
    found: int
    hits: int
    precision: float
    recall: float
    f1: float
    delay_s: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement with the known truth, over the part of the stream that was seen.

    Attributes:
        confirmed: Of the confirmed boundaries, as they were confirmed.
        provisional: Of all boundaries as they were first reported, those retracted later included; None if nothing was
            reported before it was confirmed.
        accuracy: Share of time that carries the right label, when labels are named one to one as well as possible.
    """

    confirmed: BoundaryAgreement
    provisional: BoundaryAgreement | None
    accuracy: float


def compare_with_truth(history: StreamHistory) -> Agreement | None:
    """How well what was found so far agrees with the known truth; None where nothing is known or nothing was seen."""
    bars = history.bars()
    seen_s = bars[-1].end_s if bars else 0.0
    if not history.truth or seen_s <= 0:
        return None
    known = [bar for bar in history.truth if bar.start_s < seen_s]
    windows = _windows(history, len(known))
    return Agreement(
        confirmed=_boundary_agreement(windows, history.boundaries),
        provisional=_boundary_agreement(windows, history.segments.first_reported) if history.provisional else None,
        accuracy=_accuracy(known, bars, seen_s),
    )


def naming(history: StreamHistory) -> dict[int, int]:
    """For each known class the label found that covers it best, one to one; classes without one are absent."""
    bars = history.bars()
    if not history.truth or not bars:
        return {}
    overlap, classes, labels = _overlap(history.truth, bars)
    rows, columns = _best_pairs(-overlap)
    return {classes[i]: labels[j] for i, j in zip(rows, columns, strict=True) if overlap[i, j] > 0}


def _windows(history: StreamHistory, count: int) -> list[tuple[float, float, float]]:
    """Earliest, best and latest second of the changes between the first `count` known segments."""
    truth = history.recording.truth
    assert truth is not None  # there are known bars
    times = history.recording.times() - history.recording.times()[0]
    windows = []
    for i in range(1, count):
        best = history.truth[i].start_s
        low, high = truth.tolerance[i] if truth.tolerance else (truth.boundaries[i],) * 2
        low_s, high_s = (float(times[min(frame, len(times) - 1)]) for frame in (low, high))
        windows.append((low_s - TOLERANCE_S, best, high_s + TOLERANCE_S))
    return windows


def _boundary_agreement(
    windows: Sequence[tuple[float, float, float]], boundaries: Sequence[Boundary]
) -> BoundaryAgreement:
    pairs = _match(windows, boundaries)
    known, found, hits = len(windows), len(boundaries), len(pairs)
    precision = hits / found if found else float(not known)
    recall = hits / known if known else 1.0
    delays = [boundaries[j].reported_s - windows[i][1] for i, j in pairs]
    return BoundaryAgreement(
        known=known,
        found=found,
        hits=hits,
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        delay_s=float(np.median(delays)) if delays else None,
    )


def _match(windows: Sequence[tuple[float, float, float]], boundaries: Sequence[Boundary]) -> list[tuple[int, int]]:
    """One-to-one pairs (known, found): as many as possible, then as near as possible."""
    if not windows or not boundaries:
        return []
    low, best, high = np.array(windows).T[:, :, None]
    times = np.array([boundary.time_s for boundary in boundaries])[None, :]
    inside = (times >= low) & (times <= high)
    # A hit is worth more than all distances together, so that the number of hits comes first.
    cost = np.where(inside, np.abs(times - best) - 1e6, 0.0)
    rows, columns = _best_pairs(cost)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if inside[i, j]]


def _overlap(truth: Sequence[Bar], bars: Sequence[Bar]) -> tuple[NDArray[np.float64], list[int], list[int]]:
    """Seconds that known class i and label j share, (classes, labels), and what the rows and columns are."""
    classes, labels = sorted({bar.label for bar in truth}), sorted({bar.label for bar in bars})
    overlap = np.zeros((len(classes), len(labels)))
    for a in truth:
        for b in bars:
            shared = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
            overlap[classes.index(a.label), labels.index(b.label)] += max(0.0, shared)
    return overlap, classes, labels


def _accuracy(truth: Sequence[Bar], bars: Sequence[Bar], seen_s: float) -> float:
    overlap, _, _ = _overlap(truth, bars)
    rows, columns = _best_pairs(-overlap)
    return float(min(1.0, overlap[rows, columns].sum() / seen_s))


def _best_pairs(cost: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns, one to one, whose costs (rows, columns) are least together."""
    from scipy.optimize import linear_sum_assignment  # tables and texts about agreement do not need it

    rows, columns = linear_sum_assignment(cost)
    return rows, columns
