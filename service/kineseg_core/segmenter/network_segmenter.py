"""Segmentation by the boundary network: frames and their embeddings go in one by one, decisions come out.

The same interface as `Segmenter`, whose classifiers were trained on motion. This is for any signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.block_ring import BlockRing, Look
from kineseg_core.boundary_network.decider import BoundaryDecider, Decided, Due, Provisional
from kineseg_core.boundary_network.layout import BLOCK_S
from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.boundary_network.views import StreamViews, ViewPlan
from kineseg_core.segmenter.anomaly_tracker import AnomalyTracker
from kineseg_core.segmenter.decisions import (
    Decision,
    LabelsMerged,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_core.segmenter.labels import make_labeller, segment_point
from kineseg_core.segmenter.settings import SegmenterSettings
from kineseg_core.segmenter.stillness import StillnessDetector
from kineseg_core.segmenter.typical_distance import TypicalDistance

Array = NDArray[np.float64]
F32 = NDArray[np.float32]

_STILL_GROUP, _STILL_GROUPS = 5, 12  # blocks in a group, and groups that must stand still
CORRELATED = 15
"""Blocks within which a segment's moments are taken to be correlated."""
_DELAYED = 1  # blocks: one is known only when its last frame is


@dataclass(slots=True)
class _ProvisionalSegment:
    """A segment that has been emitted and is neither confirmed nor retracted.

    Attributes:
        boundary: Where it begins, as the decider knows it.
        new_label: Minted for it, if it has needed one.
        candidate_label: What its last review would label it.
    """

    boundary: Provisional
    segment_id: int
    label: int = -1
    new_label: int | None = None
    candidate_label: int | None = None


class NetworkSegmenter:
    """Boundaries, labels and anomalies of one stream.

    Each frame goes in by `observe`, which returns looks at candidate boundaries; what the boundary network says of them
    goes in by `decide`, which returns what is decided. So one run of the network serves many streams.

    Picklable. Frames are counted from 0 at the model's rate, also after a `restart`, and decisions depend on nothing
    but the frames.

    Args:
        settings: Numbers of labels and anomalies.
        views: What of the stream is compared.
        point: How likely a boundary must be.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most, whatever is decided, until a frame has come and by placing a boundary
            at a frame of its source.

    Attributes:
        shortest_latency_s: No boundary can be sure to be decided sooner than this after its frame.
    """

    def __init__(
        self,
        settings: SegmenterSettings,
        views: ViewPlan,
        point: OperatingPoint,
        latency_s: float = 4.0,
        delay_s: float = 0.0,
    ) -> None:
        delay_s += max(0.0, 1.0 / views.rate_hz - BLOCK_S)  # several blocks come at once with a frame
        # One block of the budget covers a usual delay; only a longer one has to come off.
        budget = int((latency_s - max(0.0, delay_s - BLOCK_S)) / BLOCK_S + 1e-9) - _DELAYED
        self._views = StreamViews(views)
        self._blocks = BlockRing(views.ends, views.views)
        self._decider = BoundaryDecider(point, budget)
        self.shortest_latency_s = self._decider.shortest_latency * BLOCK_S + delay_s
        self._compared = slice(0, views.embedding) if views.embedding else slice(0, views.dims)
        dim = views.embedding or views.dims
        self._stillness = StillnessDetector(dim, _STILL_GROUP, _STILL_GROUPS)
        self._distance = TypicalDistance(dim, settings.median_squared_distance, settings.prior_s)
        self._anomalies = AnomalyTracker(settings, views.rate_hz)
        self._labeller = make_labeller(
            settings.clusterer, same_action=settings.same_action, max_labels=settings.max_labels, dim=dim
        )
        self._trim = round(settings.trim_s / BLOCK_S)
        self._provisional: list[_ProvisionalSegment] = []
        self._waiting: list[tuple[int, Due]] = []  # blocks that have come, and what was looked at with each
        self._decisions: list[Decision] = []  # made while observing
        self._n_frames = 0
        self._first_frame = 0  # of block 0
        self._start_block = 0  # of the open segment
        self._has_open_segment = False
        self._segment_id = -1  # of the open segment
        self._next_id = 0
        self._label = -1  # of it

    @property
    def label(self) -> int:
        """Label of the latest segment as far as it is known now; -1 before the first frame."""
        return self._provisional[-1].label if self._provisional else self._label

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._anomalies.score

    def observe(self, frame: F32, embedding: F32, surprise: float) -> list[Look]:
        """Takes the next frame (C,), its embedding (E,) and its surprise.

        Returns:
            Looks at candidate boundaries, usually none; `decide` must be called before the next frame.
        """
        if not self._has_open_segment:
            self._begin()
        self._anomalies.update(self._n_frames, surprise, self._decisions, still=self._stillness.still)
        self._n_frames += 1
        looks: list[Look] = []
        for block in self._views.update(frame, embedding, still=self._stillness.still):
            compared = block[self._compared]
            still = self._stillness.update(compared, self._distance.variance)
            self._blocks.append(block, still=still)
            if not still:
                self._distance.update(compared)
            # What stands still begins no segment, whatever its noise.
            due = [] if still else self._decider.due(self._blocks.count)
            looks += self._blocks.look(due)
            self._waiting.append((self._blocks.count, due))
        return looks

    def decide(self, probabilities: F32) -> list[Decision]:
        """Takes how likely a segment begins at each candidate of the last `observe`, and returns what is decided."""
        decisions, self._decisions = self._decisions, []
        first = 0
        for count, due in self._waiting:
            seen = probabilities[first : first + len(due)]
            self._apply(self._decider.update(count, due, seen), decisions)
            first += len(due)
        self._waiting.clear()
        return decisions

    def restart(self) -> list[Decision]:
        """The stream was interrupted here: what is pending is decided, and the next frame begins a segment.

        Labels, numbering, and what has been learned of the stream's scales go on.
        """
        decisions = self.finish()
        self._views.restart()
        self._blocks.restart()
        self._decider.restart()
        self._stillness.restart()
        self._anomalies.restart()
        self._first_frame, self._start_block = self._n_frames, 0
        return decisions

    def finish(self) -> list[Decision]:
        """The stream has ended: what is pending is decided and the last segment closed."""
        decisions: list[Decision] = []
        self._anomalies.finish(self._n_frames, decisions)
        if not self._has_open_segment:
            return decisions
        for decided in self._decider.finish():
            self._apply(decided, decisions)
        self._retract(list(self._provisional), decisions)
        self._close(self._blocks.count, self._n_frames, decisions)
        self._has_open_segment = False
        return decisions

    def _begin(self) -> None:
        self._has_open_segment = True
        self._segment_id, self._next_id = self._next_id, self._next_id + 1
        self._label = self._labeller.mint()
        self._decisions.append(SegmentStart(self._n_frames, self._segment_id, self._label))

    def _frame(self, block: int) -> int:
        """The first frame of a block."""
        return self._first_frame + self._views.first_frame(block)

    def _apply(self, decided: Decided, decisions: list[Decision]) -> None:
        self._retract([one for one in self._provisional if one.boundary in decided.retracted], decisions)
        if decided.final is not None:
            confirmed = next((one for one in self._provisional if one.boundary is decided.confirmed), None)
            self._confirm(decided.final, confirmed, decisions)
        for one in self._provisional:
            if one.boundary in decided.changed:
                self._review(one, decisions)
        if decided.provisional is not None:
            self._emit_provisional(decided.provisional, decisions)

    # Final decisions.

    def _confirm(self, boundary: int, confirmed: _ProvisionalSegment | None, decisions: list[Decision]) -> None:
        index = self._frame(boundary)
        self._close(boundary, index, decisions)
        self._start_block = boundary
        point, error = self._point(boundary, self._blocks.count)
        known = self._labeller.nearest(point, error)
        if confirmed is not None:
            self._provisional.remove(confirmed)
            self._segment_id = confirmed.segment_id
            self._label = self._new_label(confirmed) if known is None else known
            decisions.append(SegmentUpdate(index, self._segment_id, self._label, 1.0, True, point))
            return
        self._segment_id, self._next_id = self._next_id, self._next_id + 1
        self._label = self._labeller.mint() if known is None else known
        decisions.append(SegmentStart(index, self._segment_id, self._label, point=point))

    def _close(self, end_block: int, end: int, decisions: list[Decision]) -> None:
        start = self._frame(self._start_block)
        if self._start_block == end_block:  # less than a block: there is nothing to learn from it
            decisions.append(SegmentEnd(self._segment_id, self._label, start, end))
            return
        point, error = self._point(self._start_block, end_block)
        weight = end_block - self._start_block
        label = self._labeller.learn(point, weight, new_label=self._label, error=error)
        decisions.append(SegmentEnd(self._segment_id, label, start, end, point))
        for gone, into in self._labeller.merged:
            decisions.append(LabelsMerged(end - 1, gone, into))
            for one in self._provisional:
                one.label = into if one.label == gone else one.label

    # Provisional decisions.

    def _emit_provisional(self, boundary: Provisional, decisions: list[Decision]) -> None:
        one = _ProvisionalSegment(boundary, self._next_id)
        self._next_id += 1
        one.label, point = self._provisional_label(one)
        self._provisional.append(one)
        index = self._frame(boundary.block)
        decisions.append(SegmentStart(index, one.segment_id, one.label, boundary.probability, False, point))

    def _review(self, one: _ProvisionalSegment, decisions: list[Decision]) -> None:
        label, point = self._provisional_label(one)
        # One review may err; two that agree count.
        if label != one.label and label == one.candidate_label:
            one.label = label
            index = self._frame(one.boundary.block)
            decisions.append(SegmentUpdate(index, one.segment_id, label, one.boundary.probability, False, point))
        one.candidate_label = label

    def _retract(self, provisional: list[_ProvisionalSegment], decisions: list[Decision]) -> None:
        for one in provisional:
            self._provisional.remove(one)
            decisions.append(SegmentRetract(self._frame(one.boundary.block), one.segment_id))

    # Labels.

    def _provisional_label(self, one: _ProvisionalSegment) -> tuple[int, Array]:
        """Label of a provisional segment so far, other than that of the one before it, and its point."""
        block = one.boundary.block
        following = [other.boundary.block for other in self._provisional if other.boundary.block > block]
        point, error = self._point(block, min(following, default=self._blocks.count))
        known = self._labeller.nearest(point, error)
        earlier = [other.label for other in self._provisional if other.boundary.block < block]
        if known is not None and known != (earlier[-1] if earlier else self._label):
            return known, point
        return self._new_label(one), point

    def _new_label(self, one: _ProvisionalSegment) -> int:
        if one.new_label is None:
            one.new_label = self._labeller.mint()
        return one.new_label

    def _point(self, start: int, end: int) -> tuple[Array, float]:
        """Mean of blocks [start, end) without the transitions at both ends, and its squared standard error."""
        self._labeller.length_scale = math.sqrt(self._distance.variance)
        blocks = self._blocks.recent(start, end)[:, self._compared]
        return segment_point(blocks.astype(np.float64), self._trim, CORRELATED)
