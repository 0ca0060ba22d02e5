"""What the judges learn from: evidence as the segmenter comes to see it, with the answer that it cannot see yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg_core.segmenter import KernelBoundaries, SegmenterSettings
from kineseg_core.segmenter.features import early_evidence, final_evidence
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEAR = 6  # blocks; a boundary this near to a true one is that one
_SAME = 8  # the same, for one that was announced and one that was confirmed
_WRONG = 0.1  # share of decisions that go against the truth, so that what follows an error is seen as well
_MISSED, _SPURIOUS = 0.12, 0.12  # share of moments at which the segment is thought to begin elsewhere than it does


@dataclass(frozen=True, eq=False)
class Lessons:
    """Evidence, one row a moment, and what turned out.

    Attributes:
        evidence: (n, F).
        answer: (n,) whether there was a boundary.
    """

    evidence: Array
    answer: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: list[tuple[Array, bool]]) -> Lessons:
        """From rows."""
        return cls(np.array([row for row, _ in rows]), np.array([answer for _, answer in rows], dtype=bool))

    @classmethod
    def joined(cls, parts: Sequence[Lessons]) -> Lessons:
        """All of them."""
        full = [part for part in parts if len(part.answer)]
        return cls(np.concatenate([part.evidence for part in full]), np.concatenate([part.answer for part in full]))


def final_lessons(blocks: Array, truth: Array, latency_s: float, rng: np.random.Generator) -> Lessons:
    """Every boundary (n, dim) that the kernel programme would decide, and whether it is one of `truth` (blocks)."""
    kernel = KernelBoundaries(SegmenterSettings(), blocks.shape[1], latency_s)
    rows: list[tuple[Array, bool]] = []
    for block in blocks:
        boundary = kernel.update(block)
        if boundary is None:
            continue
        true = bool((np.abs(truth - boundary) <= _NEAR).any())
        rows.append((final_evidence(kernel, boundary), true))
        if true != (rng.random() < _WRONG):
            kernel.accept(boundary)
        else:
            kernel.reject(boundary)
    return Lessons.of(rows)


def early_lessons(blocks: Array, confirmed: list[tuple[int, int]], rng: np.random.Generator) -> Lessons:
    """Moments at which a boundary might be announced or reviewed, and whether it was confirmed later.

    No truth is needed: the answers are the segmenter's own decisions, `confirmed`, as (boundary, decided) in blocks.
    """
    settings = SegmenterSettings()
    kernel = KernelBoundaries(settings, blocks.shape[1], 4.0)
    places = np.array([0, *(boundary for boundary, _ in confirmed)])
    decided = {at: boundary for boundary, at in confirmed}
    rows: list[tuple[Array, bool]] = []
    seen: list[tuple[int, int]] = []  # (start, cut) of earlier moments, to be reviewed

    def answer(cut: int) -> bool:
        return bool((np.abs(places[1:] - cut) <= _SAME).any())

    for t, block in enumerate(blocks):
        kernel.update(block)
        if t in decided:
            kernel.accept(decided[t])
        now = kernel.count
        if now < 20:
            continue
        start = _thought_start(places[places <= now - 9], now, rng)
        likeliest = kernel.likeliest_cut(start, 3, 15)
        if likeliest is not None and now - start >= 15 and likeliest[1] >= 0.5:
            rows.append((early_evidence(kernel, start, likeliest[0]), answer(likeliest[0])))
            seen.append((start, likeliest[0]))
        seen = [pair for pair in seen if now - pair[1] <= 35]
        if seen and rng.random() < 0.3:
            start, cut = seen[int(rng.integers(len(seen)))]
            if now - cut >= 8:
                rows.append((early_evidence(kernel, start, cut), answer(cut)))
    return Lessons.of(rows)


def _thought_start(past: NDArray[np.int64], now: int, rng: np.random.Generator) -> int:
    """Where the segment that is going on is thought to have begun: mostly right, sometimes not."""
    chance = rng.random()
    if chance < _MISSED and len(past) > 1:
        return int(past[-2])
    if chance < _MISSED + _SPURIOUS:
        return int(rng.integers(max(0, now - 80), max(1, now - 18)))
    return int(past[-1]) if len(past) else 0
