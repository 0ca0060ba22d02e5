"""One stream's online segmentation: embeddings and surprise go in frame by frame, decisions come out."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network import Look
from kineseg_core.segmenter.anomaly_tracker import AnomalyTracker
from kineseg_core.segmenter.boundary_classifier import BoundaryClassifiers, packaged_classifiers
from kineseg_core.segmenter.decisions import (
    Decision,
    LabelsMerged,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_core.segmenter.features import final_features
from kineseg_core.segmenter.kernel_boundaries import KernelBoundaries
from kineseg_core.segmenter.labels import make_labeller, segment_point
from kineseg_core.segmenter.provisional import ProvisionalBoundaries, ProvisionalBoundary
from kineseg_core.segmenter.settings import SegmenterSettings

Array = NDArray[np.float64]


class Segmenter:
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
        self._trim = round(settings.trim_s / settings.block_s)
        self._shortest = max(1, round(settings.min_segment_s / settings.block_s))
        # The boundaries' own budget leaves one block unused; only a longer delay has to come off.
        self._boundaries = KernelBoundaries(settings, dim, latency_s - max(0.0, delay_s - settings.block_s))
        self.shortest_latency_s = settings.block_s + delay_s
        self._classifiers = classifiers
        self._provisional = ProvisionalBoundaries(self._shortest, settings.provisional_at, classifiers)
        self._confirm_at = settings.confirm_at
        self._anomalies = AnomalyTracker(settings, rate_hz)
        self._labeller = make_labeller(
            settings.clusterer, same_action=settings.same_action, max_labels=settings.max_labels, dim=dim
        )
        self._reach = max(1, round(settings.window_s / settings.block_s))  # of correlation within a segment
        self._sum = np.zeros(dim)
        self._decided: list[Decision] = []  # while observing
        self._n_frames = 0
        self._first_frame = 0  # of block 0
        self._in_block = 0  # frames of the block that is not full yet
        self._has_open_segment = False
        self._segment_id = -1  # of the open segment
        self._next_id = 0
        self._label = -1  # of it

    @property
    def label(self) -> int:
        """Label of the latest segment as far as it is known now; -1 before the first frame."""
        provisional = self._provisional.open
        return provisional[-1].label if provisional else self._label

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._anomalies.score

    def observe(self, frame: NDArray[np.float32], embedding: NDArray[np.float32], surprise: float) -> list[Look]:
        """Takes the next frame with its embedding (E,) and surprise; there is nothing to look at for the network."""
        self._decided = self.update(embedding, surprise)
        return []

    def decide(self, probabilities: NDArray[np.float32]) -> list[Decision]:
        """What is decided with the frame of the last `observe`, often nothing; there are no probabilities."""
        decisions, self._decided = self._decided, []
        return decisions

    def update(self, embedding: NDArray[np.float32], surprise: float) -> list[Decision]:
        """Takes the next frame's embedding (E,) and surprise, and returns what is decided with it, often nothing."""
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(decisions)
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
        self._provisional.restart()
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
        self._retract(self._provisional.open[:], decisions)
        self._close(self._boundaries.count, self._n_frames, decisions)
        self._has_open_segment = False
        return decisions

    def _begin(self, decisions: list[Decision]) -> None:
        self._has_open_segment = True
        self._segment_id, self._next_id = self._next_id, self._next_id + 1
        self._label = self._labeller.mint()
        decisions.append(SegmentStart(self._n_frames, self._segment_id, self._label))

    def _frame(self, block: int) -> int:
        """The first frame of a block."""
        return self._first_frame + block * self._block_frames

    def _end_block(self, decisions: list[Decision]) -> None:
        boundary = self._boundaries.update(self._sum / self._block_frames)
        self._sum[:] = 0.0
        self._in_block = 0
        self._labeller.length_scale = math.sqrt(self._boundaries.block_variance)
        if boundary is not None:
            self._decide(boundary, decisions)
        self._review(decisions)
        self._emit_provisional(decisions)

    # Final decisions.

    def _decide(self, boundary: int, decisions: list[Decision]) -> None:
        """Makes `boundary` final, unless its two sides are too much alike."""
        confirmed = self._provisional.matching(boundary)
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
                for one in self._provisional.open
                if (confirmed is None or one.boundary <= confirmed.boundary) and one is not confirmed
            ],
            decisions,
        )
        index = self._frame(boundary)
        self._close(boundary, index, decisions)
        self._boundaries.accept(boundary)
        point, error = self._point(boundary, self._boundaries.count)
        known = self._labeller.nearest(point, error)
        if confirmed is not None:
            self._provisional.open.remove(confirmed)
            self._segment_id = confirmed.segment_id
            self._label = self._new_label(confirmed) if known is None else known
            decisions.append(SegmentUpdate(index, self._segment_id, self._label, 1.0, True, point))
            return
        self._segment_id, self._next_id = self._next_id, self._next_id + 1
        self._label = self._labeller.mint() if known is None else known
        decisions.append(SegmentStart(index, self._segment_id, self._label, point=point))

    def _close(self, end_block: int, end: int, decisions: list[Decision]) -> None:
        start_block = self._boundaries.start
        start = self._frame(start_block)
        if start_block == end_block:  # less than a block: there is nothing to learn from it
            decisions.append(SegmentEnd(self._segment_id, self._label, start, end))
            return
        point, error = self._point(start_block, end_block)
        self._labeller.length_scale = math.sqrt(self._boundaries.block_variance)
        label = self._labeller.learn(point, end_block - start_block, new_label=self._label, error=error)
        decisions.append(SegmentEnd(self._segment_id, label, start, end, point))
        for gone, into in self._labeller.merged:
            decisions.append(LabelsMerged(end - 1, gone, into))
            for provisional in self._provisional.open:
                provisional.label = into if provisional.label == gone else provisional.label

    # Provisional decisions.

    def _emit_provisional(self, decisions: list[Decision]) -> None:
        found = self._provisional.find(self._boundaries)
        if found is None:
            return
        boundary, before, confidence = found
        provisional = ProvisionalBoundary(boundary, before, self._next_id, -1, confidence)
        self._next_id += 1
        provisional.label, point = self._provisional_label(provisional)
        self._provisional.open.append(provisional)
        index = self._frame(boundary)
        decisions.append(SegmentStart(index, provisional.segment_id, provisional.label, confidence, False, point))

    def _review(self, decisions: list[Decision]) -> None:
        retracted = []
        for one in self._provisional.due_for_review(self._boundaries):
            if not self._provisional.review(self._boundaries, one):
                retracted.append(one)
                continue
            # One review may err; two that agree count.
            label, point = self._provisional_label(one)
            if label != one.label and label == one.candidate_label:
                one.label = label
                index = self._frame(one.boundary)
                decisions.append(SegmentUpdate(index, one.segment_id, label, one.confidence, False, point))
            one.candidate_label = label
        overdue = self._boundaries.count - self._boundaries.budget
        retracted += [one for one in self._provisional.open if one.boundary < overdue and one not in retracted]
        self._retract(retracted, decisions)

    def _retract(self, provisional: list[ProvisionalBoundary], decisions: list[Decision]) -> None:
        for one in provisional:
            self._provisional.open.remove(one)
            decisions.append(SegmentRetract(self._frame(one.boundary), one.segment_id))

    def _provisional_label(self, provisional: ProvisionalBoundary) -> tuple[int, Array]:
        """Label of a provisional segment so far, other than that of the one before it, and its point."""
        following = [one.boundary for one in self._provisional.open if one.boundary > provisional.boundary]
        end = min(following, default=self._boundaries.count)
        point, error = self._point(provisional.boundary, end)
        known = self._labeller.nearest(point, error)
        earlier = [one.label for one in self._provisional.open if one.boundary < provisional.boundary]
        if known is not None and known != (earlier[-1] if earlier else self._label):
            return known, point
        return self._new_label(provisional), point

    def _new_label(self, provisional: ProvisionalBoundary) -> int:
        if provisional.new_label is None:
            provisional.new_label = self._labeller.mint()
        return provisional.new_label

    def _point(self, start: int, end: int) -> tuple[Array, float]:
        """Mean of blocks [start, end) without the transitions at both ends, and its squared standard error."""
        return segment_point(self._boundaries.recent(start, end).astype(np.float64), self._trim, self._reach)
