"""One stream's online segmentation: embeddings and surprise go in frame by frame, decisions come out."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.anomaly_tracker import AnomalyTracker
from kineseg_core.segmenter.boundary_classifier import BoundaryClassifiers, packaged_classifiers
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.features import final_features
from kineseg_core.segmenter.kernel_boundaries import KernelBoundaries
from kineseg_core.segmenter.provisional import ProvisionalBoundaries
from kineseg_core.segmenter.segments import Segments
from kineseg_core.segmenter.settings import SegmenterSettings
from kineseg_core.segmenter.without_looks import WithoutLooks

Array = NDArray[np.float64]


class Segmenter(WithoutLooks, Segments):
    """Boundaries, labels and anomalies of one stream.

    A boundary is emitted, provisional, once a boundary classifier finds it likely to be confirmed. It is confirmed or
    retracted when it is as old as the latency budget allows: then kernel change-point detection must have it in the
    best segmentation, and the classifier of final boundaries must find its two sides different.

    Picklable. Frames are counted from 0 at the model's rate, also after a `restart`, and decisions depend on nothing
    but the frames.

    Args:
        settings: Numbers of the method.
        dim: E, dimensions of the embedding.
        rate_hz: Frames a second.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most, whatever is decided, until a frame has come and by placing a boundary
            at a frame of its source.
        classifiers: The boundary classifiers; the packaged ones unless given.

    Attributes:
        shortest_latency_s: No boundary can be sure to be decided sooner than this after its frame.
    """

    def __init__(
        self,
        settings: SegmenterSettings,
        dim: int,
        rate_hz: float,
        latency_s: float = 4.0,
        delay_s: float = 0.0,
        classifiers: BoundaryClassifiers | None = None,
    ) -> None:
        self._block_frames = max(1, round(settings.block_s * rate_hz))
        settings = dataclasses.replace(settings, block_s=self._block_frames / rate_hz)
        super().__init__(settings, dim, settings.block_s)
        self._shortest = max(1, round(settings.min_segment_s / settings.block_s))
        # The boundaries' own budget leaves one block unused; only a longer delay has to come off.
        self._boundaries = KernelBoundaries(settings, dim, latency_s - max(0.0, delay_s - settings.block_s))
        self.shortest_latency_s = settings.block_s + delay_s
        self._classifiers = classifiers
        self._candidates = ProvisionalBoundaries(self.provisional, self._shortest, settings.provisional_at, classifiers)
        self._confirm_at = settings.confirm_at
        self._anomalies = AnomalyTracker(settings, rate_hz)
        self._sum = np.zeros(dim)
        self._n_frames = 0
        self._first_frame = 0  # of block 0
        self._in_block = 0  # frames of the block that is not full yet

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._anomalies.score

    def update(self, embedding: NDArray[np.float32], surprise: float) -> list[Decision]:
        """Takes the next frame's embedding (E,) and surprise, and returns what is decided with it, often nothing."""
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(self._n_frames, decisions)
        self._anomalies.update(self._n_frames, surprise, decisions, still=self._boundaries.still)
        self._n_frames += 1
        self._in_block += 1
        self._sum += embedding
        if self._in_block == self._block_frames:
            self._end_block(decisions)
        return decisions

    def restart(self) -> list[Decision]:
        """The stream was interrupted here: what is pending is decided, and the next frame begins a segment.

        Labels, numbering, and what has been learned of the stream's scales go on.
        """
        decisions = self.finish()
        self._boundaries.restart()
        self._candidates.restart()
        self._anomalies.restart()
        self._first_frame, self._in_block = self._n_frames, 0
        self._sum[:] = 0.0
        return decisions

    def finish(self) -> list[Decision]:
        """The stream has ended: what is pending is decided and the last segment closed."""
        decisions: list[Decision] = []
        self._anomalies.finish(self._n_frames, decisions)
        if not self._has_open_segment:
            return decisions
        while (boundary := self._boundaries.candidate()) is not None:
            if self._boundaries.count - boundary < self._shortest:
                break
            self._decide(boundary, decisions)
        self._retract(self.provisional[:], decisions)
        self._close(self._boundaries.count, self._n_frames, decisions)
        self._has_open_segment = False
        return decisions

    @property
    def _count(self) -> int:
        return self._boundaries.count

    @property
    def _variance(self) -> float:
        return self._boundaries.block_variance

    def _blocks_of(self, start: int, end: int) -> NDArray[np.float32]:
        return self._boundaries.recent(start, end)

    def _frame(self, block: int) -> int:
        return self._first_frame + block * self._block_frames

    def _end_block(self, decisions: list[Decision]) -> None:
        boundary = self._boundaries.update(self._sum / self._block_frames)
        self._sum[:] = 0.0
        self._in_block = 0
        if boundary is not None:
            self._decide(boundary, decisions)
        self._review(decisions)
        found = self._candidates.find(self._boundaries)
        if found is not None:
            self._emit_provisional(*found, decisions)

    def _decide(self, boundary: int, decisions: list[Decision]) -> None:
        """Makes `boundary` final, unless its two sides are too much alike."""
        confirmed = self._candidates.matching(boundary)
        classifier = (self._classifiers or packaged_classifiers()).final
        if classifier(final_features(self._boundaries, boundary)) < self._confirm_at:
            self._boundaries.reject(boundary)
            if confirmed is not None:
                self._retract([confirmed], decisions)
            return
        # Earlier provisional boundaries have not been confirmed; and if none is confirmed now, later ones follow
        # another segment than was thought.
        self._retract(
            [
                one
                for one in self.provisional
                if (confirmed is None or one.boundary <= confirmed.boundary) and one is not confirmed
            ],
            decisions,
        )
        self._confirm(boundary, confirmed, decisions)
        self._boundaries.accept(boundary)

    def _review(self, decisions: list[Decision]) -> None:
        retracted = []
        for one in self._candidates.due_for_review(self._boundaries):
            if self._candidates.review(self._boundaries, one):
                self._review_label(one, decisions)
            else:
                retracted.append(one)
        overdue = self._boundaries.count - self._boundaries.budget
        retracted += [one for one in self.provisional if one.boundary < overdue and one not in retracted]
        self._retract(retracted, decisions)
