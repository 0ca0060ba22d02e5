"""Training examples: features as the segmenter computes them, with the outcome that it cannot know yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg_core.segmenter import KernelBoundaries, SegmenterSettings
from kineseg_core.segmenter.features import final_features, provisional_features
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEAR = 6  # blocks; a boundary this near to a true one is that one
_SAME = 8  # the same, for a provisional and a confirmed one
_WRONG = 0.1  # share of decisions that go against the truth, so that there are examples of what follows an error
_MISSED, _SPURIOUS = 0.12, 0.12  # share of moments at which the segment is assumed to begin elsewhere than it does


@dataclass(frozen=True, eq=False)
class Examples:
    """Candidate boundaries, one a row.

    Attributes:
        features: (n, F).
        positive: (n,) whether there was a boundary.
    """

    features: Array
    positive: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.positive)

    @classmethod
    def of(cls, rows: list[tuple[Array, bool]]) -> Examples:
        """From rows."""
        return cls(np.array([row for row, _ in rows]), np.array([positive for _, positive in rows], dtype=bool))

    @classmethod
    def joined(cls, parts: Sequence[Examples]) -> Examples:
        """All of them; at least one must not be empty."""
        full = [part for part in parts if len(part)]
        return cls(np.concatenate([part.features for part in full]), np.concatenate([part.positive for part in full]))


def final_examples(blocks: Array, truth: Array, latency_s: float, rng: np.random.Generator) -> Examples:
    """Every candidate of kernel change-point detection when it is due, and whether it is a true boundary.

    Args:
        blocks: (n, E) the stream.
        truth: (K,) true boundaries, in blocks.
        latency_s: Latency budget.
        rng: Of the wrong decisions.
    """
    kernel = KernelBoundaries(SegmenterSettings(), blocks.shape[1], latency_s)
    rows: list[tuple[Array, bool]] = []
    for block in blocks:
        boundary = kernel.update(block)
        if boundary is None:
            continue
        true = bool((np.abs(truth - boundary) <= _NEAR).any())
        rows.append((final_features(kernel, boundary), true))
        if true != (rng.random() < _WRONG):
            kernel.accept(boundary)
        else:
            kernel.reject(boundary)
    return Examples.of(rows)


def provisional_examples(blocks: Array, confirmed: list[tuple[int, int]], rng: np.random.Generator) -> Examples:
    """Moments at which a provisional boundary might be emitted or reviewed, and whether it was confirmed later.

    Args:
        blocks: (n, E) the stream.
        confirmed: (boundary, decided) in blocks, of the segmenter's own decisions: no truth is needed.
        rng: Of the moments, and of errors in where the segment before began.
    """
    settings = SegmenterSettings()
    kernel = KernelBoundaries(settings, blocks.shape[1], 4.0)
    boundaries = np.array([0, *(boundary for boundary, _ in confirmed)])
    decided = {at: boundary for boundary, at in confirmed}
    rows: list[tuple[Array, bool]] = []
    seen: list[tuple[int, int]] = []  # (start, cut) of earlier ones, to be reviewed

    def positive(cut: int) -> bool:
        return bool((np.abs(boundaries[1:] - cut) <= _SAME).any())

    for t, block in enumerate(blocks):
        kernel.update(block)
        if t in decided:
            kernel.accept(decided[t])
        now = kernel.count
        if now < 20:
            continue
        start = _assumed_start(boundaries[boundaries <= now - 9], now, rng)
        candidate = kernel.best_candidate(start, 3, 15)
        if candidate is not None and now - start >= 15 and candidate[1] >= 0.5:
            rows.append((provisional_features(kernel, start, candidate[0]), positive(candidate[0])))
            seen.append((start, candidate[0]))
        seen = [pair for pair in seen if now - pair[1] <= 35]
        if seen and rng.random() < 0.3:
            start, cut = seen[int(rng.integers(len(seen)))]
            if now - cut >= 8:
                rows.append((provisional_features(kernel, start, cut), positive(cut)))
    return Examples.of(rows)


def _assumed_start(past: NDArray[np.int64], now: int, rng: np.random.Generator) -> int:
    """Where the open segment is assumed to have begun: mostly right, sometimes not."""
    chance = rng.random()
    if chance < _MISSED and len(past) > 1:
        return int(past[-2])
    if chance < _MISSED + _SPURIOUS:
        return int(rng.integers(max(0, now - 80), max(1, now - 18)))
    return int(past[-1]) if len(past) else 0
