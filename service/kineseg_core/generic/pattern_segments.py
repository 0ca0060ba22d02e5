"""Segments that are repeating patterns, wherever the numbers of the stream are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_settings import PatternSettings
from kineseg_core.generic.signature import Signature
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter import Decision, SegmentEnd, SegmentStart
from kineseg_core.segmenter.decisions import LabelsMerged
from kineseg_core.segmenter.labels import Labeller, SegmentPoint, make_labeller, segment_point

_SAME_PATTERN, _UNIT = 0.1, 0.2  # squared distance of signatures in units, and these; 2 is the largest there is


class Blocks(Protocol):
    """Blocks of a stream, and the open segment among them; see `PatternBoundaries`."""

    @property
    def count(self) -> int:
        """How many have come since the last interruption."""

    @property
    def start(self) -> int:
        """The first of the open segment."""

    def recent(self, start: int, end: int) -> NDArray[np.float32]:
        """Blocks [start, end), shape (n, dim), as far as they are remembered."""

    def accept(self, boundary: int) -> None:
        """The open segment ends before `boundary`, and another begins there."""


@within("0 <= _first_frame")
@keeps(
    "_labeller _first_frame _has_open_segment _segment_id _label",
    fixed="_block_frames _signature _trim",
)
class PatternSegments(ABC):
    """What is done with the boundaries of a stream; subclasses find them.

    Where the signal stands still, that is a segment too. Nothing is provisional: boundaries are final when emitted.
    Frames are counted from 0 at the model's rate, also after a `restart`, and decisions depend on nothing but the
    frames.

    Args:
        plan: How the stream is segmented.
        labeller: What gives labels, in place of the one that the plan names.
    """

    def __init__(self, plan: PatternPlan, labeller: Labeller | None = None) -> None:
        settings = plan.settings
        self._block_frames = plan.block_frames
        self._signature = Signature(plan.dim)
        self._labeller = labeller or make_labeller(
            settings.clusterer, same_action=_SAME_PATTERN, max_labels=settings.max_labels, dim=self._signature.dims,
            kind="patterns",
        )  # fmt: skip
        self._labeller.length_scale = _UNIT
        self._trim = PatternSettings().apart
        self._first_frame = 0  # of block 0
        self._has_open_segment = False
        self._segment_id = -1
        self._label = -1

    @property
    def label(self) -> int:
        """Label of the open segment as far as it is known now; -1 before the first frame."""
        return self._label

    @property
    def going_on(self) -> tuple[list[int], list[int]]:
        """See `Segments`; none is provisional."""
        return [self._segment_id] * self._has_open_segment, []

    @property
    def frames(self) -> int:
        """How many have come."""
        return self._n_frames

    @property
    @abstractmethod
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""

    @property
    @abstractmethod
    def _n_frames(self) -> int:
        """Frames that have come."""

    @property
    @abstractmethod
    def _in_block(self) -> int:
        """How many of them are of the block that is not full yet."""

    @property
    @abstractmethod
    def _boundaries(self) -> Blocks:
        """The blocks that have come."""

    @abstractmethod
    def _restart(self) -> None:
        """Frames and blocks begin anew, but for what has been learned of the stream."""

    def check_kept(self) -> None:
        """Raises `ValueError` unless so many frames give so many blocks."""
        if self._first_frame + self._boundaries.count * self._block_frames + self._in_block != self._n_frames:
            raise ValueError("so many frames do not give so many blocks")

    def finish(self) -> list[Decision]:
        """The stream has ended: the last segment is closed."""
        decisions: list[Decision] = []
        if self._has_open_segment:
            self._close(self._boundaries.count, self._n_frames, decisions)
            self._has_open_segment = False
        return decisions

    def restart(self) -> list[Decision]:
        """The stream was interrupted here: the open segment is closed, and the next frame begins another.

        Labels, numbering, and what has been learned of the stream go on.
        """
        decisions = self.finish()
        self._restart()
        self._first_frame = self._n_frames
        return decisions

    def _begin(self, frame: int, decisions: list[Decision]) -> None:
        """The first segment of the stream, or after an interruption."""
        self._has_open_segment = True
        self._segment_id += 1
        self._label = self._labeller.mint()
        decisions.append(SegmentStart(frame, self._segment_id, self._label))

    def _cut(self, boundary: int, decisions: list[Decision]) -> None:
        """The open segment ends before a block."""
        index = self._first_frame + boundary * self._block_frames
        self._close(boundary, index, decisions)
        self._boundaries.accept(boundary)
        self._segment_id += 1
        known, probability = self._labeller.nearest(self._point(boundary, self._boundaries.count))
        self._label = self._labeller.mint() if known is None else known
        decisions.append(SegmentStart(index, self._segment_id, self._label, repeat_probability=probability))

    def _close(self, end_block: int, end: int, decisions: list[Decision]) -> None:
        start_block = self._boundaries.start
        start = self._first_frame + start_block * self._block_frames
        if start_block == end_block:  # less than a block: there is nothing to learn from it
            decisions.append(SegmentEnd(self._segment_id, self._label, start, end))
            return
        label, probability = self._labeller.learn(self._point(start_block, end_block), new_label=self._label)
        decisions.append(SegmentEnd(self._segment_id, label, start, end, repeat_probability=probability))
        decisions += [LabelsMerged(end - 1, gone, into) for gone, into in self._labeller.merged]

    def _point(self, start: int, end: int) -> SegmentPoint:
        """What is known of the signatures of blocks [start, end)."""
        blocks = self._signature(self._boundaries.recent(start, end))
        return segment_point(blocks, self._trim, self._trim, end - start)
