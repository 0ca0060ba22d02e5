"""One stream of few channels: embeddings and surprise go in frame by frame, decisions come out.

The same interface as `Segmenter`, for which an action is a few seconds of similar motion; here a segment is a pattern
that repeats for long, and its phases differ as much as actions do in motion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network import Ask
from kineseg_core.generic.pattern_boundaries import PatternBoundaries
from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_segments import PatternSegments
from kineseg_core.generic.pattern_settings import PatternSettings
from kineseg_core.generic.rests import RestDetector
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter import Decision
from kineseg_core.segmenter.labels import Labeller
from kineseg_core.segmenter.surprise import SurpriseScore

F32 = NDArray[np.float32]


@within("0 <= _summed < _block_frames", "_first_frame <= _taken", "-1e15 <= _sum <= 1e15")
@keeps("_blocks _rests _surprise _sum _taken _summed")
class PatternSegmenter(PatternSegments):
    """Boundaries and labels of one stream whose segments are repeating patterns. Picklable.

    Args:
        plan: How the stream is segmented.
        labeller: What gives labels, in place of the one that the plan names.
    """

    def __init__(self, plan: PatternPlan, labeller: Labeller | None = None) -> None:
        super().__init__(plan, labeller)
        self._blocks = PatternBoundaries(PatternSettings(), plan.dim, plan.budget)
        self._rests = RestDetector(plan.dim, plan.budget)
        self._surprise = SurpriseScore(plan.settings, plan.rate_hz)
        self._sum = np.zeros(plan.dim)
        self._taken = 0  # frames
        self._summed = 0  # those of the block that is not full yet

    @property
    def anomaly_score(self) -> float:
        return self._surprise.value

    @property
    def _boundaries(self) -> PatternBoundaries:
        return self._blocks

    @property
    def _n_frames(self) -> int:
        return self._taken

    @property
    def _in_block(self) -> int:
        return self._summed

    def step(self, frame: F32, embedding: F32, surprise: float, ask: Ask) -> list[Decision]:
        """Takes the next frame (C,), its embedding (E,) and its surprise, and returns what is decided, often nothing.

        There is nothing to ask.
        """
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(self._taken, decisions)
        self._surprise.update(surprise, still=self._rests.still)
        self._taken += 1
        self._summed += 1
        self._sum += embedding
        if self._summed == self._block_frames:
            block = self._sum / self._block_frames
            self._sum[:] = 0.0
            self._summed = 0
            self._take_block(block, decisions)
        return decisions

    def _take_block(self, block: NDArray[np.float64], decisions: list[Decision]) -> None:
        """The next block (E,)."""
        boundary = self._rests.update(block, self._blocks.count + 1, self._blocks.start)
        if boundary is not None or self._rests.resting:
            self._blocks.append(block)
        else:
            boundary = self._blocks.update(block)
        if boundary is not None:
            self._cut(boundary, decisions)

    def _restart(self) -> None:
        self._blocks.restart()
        self._rests.restart()
        self._surprise.restart()
        self._summed = 0
        self._sum[:] = 0.0
