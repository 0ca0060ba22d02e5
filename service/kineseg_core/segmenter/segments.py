"""The segments of one stream, whatever finds their boundaries: numbers, labels, and what is decided of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps, record
from kineseg_core.segmenter.decisions import (
    Decision,
    LabelsMerged,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_core.segmenter.labels import Labeller, SegmentPoint, make_labeller, segment_point
from kineseg_core.segmenter.settings import SegmenterSettings

Array = NDArray[np.float64]
F32 = NDArray[np.float32]


CORRELATED_S = 1.5
"""How far apart blocks of a segment still are correlated."""


@record
@dataclass(slots=True)
class ProvisionalSegment:
    """A segment that has been emitted and is neither confirmed nor retracted yet.

    Attributes:
        boundary: Block at which it begins.
        before: Block at which the segment before it began, when it was emitted.
        segment_id, label: Of it.
        confidence: Probability that it will be confirmed.
        new_label: The label minted for it, if it was like nothing known.
        candidate_label: Another label, that it looked like at its last review.
    """

    boundary: int
    before: int
    segment_id: int
    label: int
    confidence: float
    new_label: int | None = None
    candidate_label: int | None = None


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment that goes on.

    Attributes:
        segment_id: Of it.
        start: The first frame.
        end: The frame after the last that is surely of it.
        point: The mean of its blocks so far, (dim,), less the transitions at its ends.
    """

    segment_id: int
    start: int
    end: int
    point: Array


@within("-1 <= _segment_id < _next_id", "-1 <= _label")
@keeps("provisional _labeller _has_open_segment _start_block _segment_id _next_id _label", fixed="_trim _reach")
class Segments(ABC):
    """What a segmenter does once it knows where a segment begins, provisionally or for good. Picklable.

    Subclasses find the boundaries; they say which blocks there are and at which frames these begin.

    Args:
        settings: Numbers of the labels.
        dim: Dimensions of the blocks that labels compare.
        block_s: Length of a block, seconds.
        labeller: What gives labels, in place of the one that the settings name.

    Attributes:
        provisional: Segments neither confirmed nor retracted, oldest first; always the same list.
    """

    provisional: list[ProvisionalSegment]

    def __init__(self, settings: SegmenterSettings, dim: int, block_s: float, labeller: Labeller | None = None) -> None:
        self.provisional = []
        self._labeller = labeller or make_labeller(
            settings.clusterer, same_action=settings.same_action, max_labels=settings.max_labels, dim=dim
        )
        self._trim = round(settings.trim_s / block_s)
        self._reach = round(CORRELATED_S / block_s)
        self._has_open_segment = False
        self._start_block = 0  # of the open segment
        self._segment_id = -1  # of it
        self._next_id = 0
        self._label = -1  # of it

    @property
    def label(self) -> int:
        """Label of the latest segment as far as it is known now; -1 before the first frame."""
        return self.provisional[-1].label if self.provisional else self._label

    @property
    def going_on(self) -> tuple[list[int], list[int]]:
        """Numbers of the segment that has certainly begun and not ended, if there is one, and of provisional ones."""
        return [self._segment_id] * self._has_open_segment, [one.segment_id for one in self.provisional]

    def open_segment(self) -> OpenSegment | None:
        """The segment whose start is certain and whose end is not, as far as it has come."""
        if not self._has_open_segment:
            return None
        end = min((one.boundary for one in self.provisional), default=self._count)
        if end <= self._start_block:
            return None
        point = self._point(self._start_block, end).mean
        return OpenSegment(self._segment_id, self._frame(self._start_block), self._frame(end), point)

    @property
    @abstractmethod
    def _count(self) -> int:
        """Blocks that have come."""

    @property
    @abstractmethod
    def _variance(self) -> float:
        """Of the blocks of this stream, the unit of distances between segments; above 0."""

    @abstractmethod
    def _blocks_of(self, start: int, end: int) -> F32:
        """Blocks [start, end), shape (n, dim), as far as they are kept."""

    @abstractmethod
    def _frame(self, block: int) -> int:
        """The first frame of a block."""

    def _begin(self, index: int, decisions: list[Decision]) -> None:
        """The first segment, or the first after an interruption, begins with frame `index` and block 0."""
        self._has_open_segment = True
        self._start_block = 0
        self._segment_id, self._next_id = self._next_id, self._next_id + 1
        self._label = self._labeller.mint()
        decisions.append(SegmentStart(index, self._segment_id, self._label))

    def _confirm(self, boundary: int, confirmed: ProvisionalSegment | None, decisions: list[Decision]) -> None:
        """A segment certainly begins at a block: the provisional one that this confirms, or one not emitted before."""
        index = self._frame(boundary)
        self._close(boundary, index, decisions)
        self._start_block = boundary
        point = self._point(boundary, self._count)
        known, probability = self._labeller.nearest(point)
        if confirmed is not None:
            self.provisional.remove(confirmed)
            self._segment_id = confirmed.segment_id
            self._label = self._new_label(confirmed) if known is None else known
            decisions.append(SegmentUpdate(index, self._segment_id, self._label, 1.0, True, point.mean, probability))
            return
        self._segment_id, self._next_id = self._next_id, self._next_id + 1
        self._label = self._labeller.mint() if known is None else known
        decisions.append(SegmentStart(index, self._segment_id, self._label, 1.0, True, point.mean, probability))

    def _close(self, end_block: int, end: int, decisions: list[Decision]) -> None:
        """The open segment ends before a block and a frame."""
        start = self._frame(self._start_block)
        if self._start_block == end_block:  # less than a block: there is nothing to learn from it
            decisions.append(SegmentEnd(self._segment_id, self._label, start, end))
            return
        point = self._point(self._start_block, end_block)
        label, probability = self._labeller.learn(point, new_label=self._label)
        decisions.append(SegmentEnd(self._segment_id, label, start, end, point.mean, probability))
        for gone, into in self._labeller.merged:
            decisions.append(LabelsMerged(end - 1, gone, into))
            for one in self.provisional:
                one.label = into if one.label == gone else one.label

    def _emit_provisional(self, boundary: int, confidence: float, decisions: list[Decision]) -> None:
        before = self.provisional[-1].boundary if self.provisional else self._start_block
        one = ProvisionalSegment(boundary, before, self._next_id, -1, confidence)
        self._next_id += 1
        one.label, point, probability = self._provisional_label(one)
        self.provisional.append(one)
        index = self._frame(boundary)
        decisions.append(SegmentStart(index, one.segment_id, one.label, confidence, False, point, probability))

    def _review_label(self, one: ProvisionalSegment, decisions: list[Decision]) -> None:
        label, point, probability = self._provisional_label(one)
        # One review may err; two that agree count.
        if label != one.label and label == one.candidate_label:
            one.label = label
            index = self._frame(one.boundary)
            decisions.append(SegmentUpdate(index, one.segment_id, label, one.confidence, False, point, probability))
        one.candidate_label = label

    def _retract(self, retracted: list[ProvisionalSegment], decisions: list[Decision]) -> None:
        for one in retracted:
            self.provisional.remove(one)
            decisions.append(SegmentRetract(self._frame(one.boundary), one.segment_id))

    def _provisional_label(self, one: ProvisionalSegment) -> tuple[int, Array, float]:
        """Label of a provisional segment so far, other than that of the one before it, its mean, its probability."""
        following = [other.boundary for other in self.provisional if other.boundary > one.boundary]
        point = self._point(one.boundary, min(following, default=self._count))
        earlier = [other.label for other in self.provisional if other.boundary < one.boundary]
        known, probability = self._labeller.nearest(point, but_not=earlier[-1] if earlier else self._label)
        return (self._new_label(one) if known is None else known), point.mean, probability

    def _new_label(self, one: ProvisionalSegment) -> int:
        if one.new_label is None:
            one.new_label = self._labeller.mint()
        return one.new_label

    def _point(self, start: int, end: int) -> SegmentPoint:
        """What is known of blocks [start, end) without the transitions at both ends."""
        self._labeller.length_scale = math.sqrt(self._variance)
        return segment_point(self._blocks_of(start, end).astype(np.float64), self._trim, self._reach, end - start)
