"""One stream of few channels: embeddings and surprise go in frame by frame, decisions come out.

The same interface as `Segmenter`, for which an action is a few seconds of similar motion; here a segment is a pattern
that repeats for long, and its phases differ as much as actions do in motion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import Look
from kineseg_core.generic.pattern_boundaries import PatternBoundaries, PatternSettings
from kineseg_core.generic.rests import RestDetector
from kineseg_core.generic.signature import Signature
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter import Decision, SegmentEnd, SegmenterSettings, SegmentStart
from kineseg_core.segmenter.decisions import LabelsMerged
from kineseg_core.segmenter.labels import Labeller, SegmentPoint, make_labeller, segment_point
from kineseg_core.segmenter.surprise import SurpriseScore

F32 = NDArray[np.float32]

_SAME_PATTERN, _UNIT = 0.1, 0.2  # squared distance of signatures in units, and these; 2 is the largest there is


@within("0 <= _in_block < _block_frames", "0 <= _first_frame <= _n_frames")
@keeps(
    "_boundaries _rests _surprise _labeller _sum _n_frames _first_frame _in_block _has_open_segment _segment_id _label",
    fixed="_block_frames shortest_latency_s _signature _trim",
    passing="_decisions",
)
class PatternSegmenter:
    """Boundaries and labels of one stream whose segments are repeating patterns.

    Where the signal stands still, that is a segment too. Nothing is provisional: boundaries are final when emitted.
    Picklable. Frames are counted from 0 at the model's rate, also after a `restart`, and decisions depend on nothing
    but the frames.

    Args:
        settings: Numbers of the blocks, the labels and the surprise.
        dim: E, dimensions of the embedding.
        rate_hz: Frames a second.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most until a frame has come and by placing a boundary.
        patterns: Numbers of the scan.
        labeller: What gives labels, in place of the one that the settings name.

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
        patterns: PatternSettings | None = None,
        labeller: Labeller | None = None,
    ) -> None:
        self._block_frames = max(1, round(BLOCK_S * rate_hz))
        block_s = self._block_frames / rate_hz
        budget = int((latency_s - max(0.0, delay_s - block_s)) / block_s + 1e-9) - 1
        self.shortest_latency_s = block_s + delay_s
        self._boundaries = PatternBoundaries(patterns or PatternSettings(), dim, budget)
        self._rests = RestDetector(dim, budget)
        self._surprise = SurpriseScore(settings, rate_hz)
        self._signature = Signature(dim)
        self._labeller = labeller or make_labeller(
            settings.clusterer, same_action=_SAME_PATTERN, max_labels=settings.max_labels, dim=self._signature.dims,
            kind="patterns",
        )  # fmt: skip
        self._labeller.length_scale = _UNIT
        self._trim = (patterns or PatternSettings()).apart
        self._sum = np.zeros(dim)
        self._decisions: list[Decision] = []  # made while observing
        self._n_frames = 0
        self._first_frame = 0  # of block 0
        self._in_block = 0  # frames of the block that is not full yet
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
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._surprise.value

    def observe(self, frame: F32, embedding: F32, surprise: float) -> list[Look]:
        """Takes the next frame (C,), its embedding (E,) and its surprise; there is nothing to look at."""
        decisions = self._decisions
        if not self._has_open_segment:
            self._has_open_segment = True
            self._segment_id += 1
            self._label = self._labeller.mint()
            decisions.append(SegmentStart(self._n_frames, self._segment_id, self._label))
        self._surprise.update(surprise, still=self._rests.still)
        self._n_frames += 1
        self._in_block += 1
        self._sum += embedding
        if self._in_block == self._block_frames:
            block = self._sum / self._block_frames
            boundary = self._rests.update(block, self._boundaries.count + 1, self._boundaries.start)
            if boundary is not None or self._rests.resting:
                self._boundaries.append(block)
            else:
                boundary = self._boundaries.update(block)
            self._sum[:] = 0.0
            self._in_block = 0
            if boundary is not None:
                self._begin(boundary, decisions)
        return []

    def decide(self, probabilities: F32) -> list[Decision]:
        """What is decided with the frame of the last `observe`, often nothing; there are no probabilities."""
        decisions, self._decisions = self._decisions, []
        return decisions

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
        self._boundaries.restart()
        self._rests.restart()
        self._surprise.restart()
        self._first_frame, self._in_block = self._n_frames, 0
        self._sum[:] = 0.0
        return decisions

    def _begin(self, boundary: int, decisions: list[Decision]) -> None:
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
