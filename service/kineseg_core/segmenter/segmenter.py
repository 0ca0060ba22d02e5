"""One stream's online segmentation: frames and their embeddings go in one by one, decisions come out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.block_ring import BlockRing, Look
from kineseg_core.boundary_network.decider import BoundaryDecider, Decided, Due
from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.boundary_network.views import StreamViews, ViewPlan
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.labels import Labeller
from kineseg_core.segmenter.segments import Segments
from kineseg_core.segmenter.settings import SegmenterSettings
from kineseg_core.segmenter.stillness import StillnessDetector
from kineseg_core.segmenter.surprise import SurpriseScore
from kineseg_core.segmenter.typical_distance import TypicalDistance

F32 = NDArray[np.float32]

_STILL_GROUP, _STILL_GROUPS = 5, 12  # blocks in a group, and groups that must stand still
_DELAYED = 1  # blocks: one is known only when its last frame is


class Segmenter(Segments):
    """Boundaries and labels of one stream.

    Each frame goes in by `observe`, which returns looks at candidate boundaries; what the boundary network says of them
    goes in by `decide`, which returns what is decided. So one run of the network serves many streams.

    Picklable. Frames are counted from 0 at the model's rate, also after a `restart`, and decisions depend on nothing
    but the frames.

    Args:
        settings: Numbers of labels and surprise.
        views: What of the stream is compared.
        point: How likely a boundary must be.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most, whatever is decided, until a frame has come and by placing a boundary
            at a frame of its source.
        labeller: What gives labels, in place of the one that the settings name.

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
        labeller: Labeller | None = None,
    ) -> None:
        dim = views.embedding or views.dims
        super().__init__(settings, dim, BLOCK_S, labeller)
        delay_s += max(0.0, 1.0 / views.rate_hz - BLOCK_S)  # several blocks come at once with a frame
        # One block of the budget covers a usual delay; only a longer one has to come off.
        budget = int((latency_s - max(0.0, delay_s - BLOCK_S)) / BLOCK_S + 1e-9) - _DELAYED
        self._views = StreamViews(views)
        self._blocks = BlockRing(views.ends, views.views)
        self._decider = BoundaryDecider(point, budget)
        self.shortest_latency_s = self._decider.shortest_latency * BLOCK_S + delay_s
        self._compared = slice(0, views.embedding) if views.embedding else slice(0, views.dims)
        self._stillness = StillnessDetector(dim, _STILL_GROUP, _STILL_GROUPS)
        self._distance = TypicalDistance(dim, settings.median_squared_distance, settings.prior_s)
        self._surprise = SurpriseScore(settings, views.rate_hz)
        self._waiting: list[tuple[int, Due]] = []  # blocks that have come, and what was looked at with each
        self._decisions: list[Decision] = []  # made while observing
        self._n_frames = 0
        self._first_frame = 0  # of block 0

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._surprise.value

    def observe(self, frame: F32, embedding: F32, surprise: float) -> list[Look]:
        """Takes the next frame (C,), its embedding (E,) and its surprise.

        Returns:
            Looks at candidate boundaries, usually none; `decide` must be called before the next frame.
        """
        if not self._has_open_segment:
            self._begin(self._n_frames, self._decisions)
        self._surprise.update(surprise, still=self._stillness.still)
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
        self._surprise.restart()
        self._first_frame = self._n_frames
        return decisions

    def finish(self) -> list[Decision]:
        """The stream has ended: what is pending is decided and the last segment closed."""
        decisions: list[Decision] = []
        if not self._has_open_segment:
            return decisions
        for decided in self._decider.finish():
            self._apply(decided, decisions)
        self._retract(self.provisional[:], decisions)
        self._close(self._blocks.count, self._n_frames, decisions)
        self._has_open_segment = False
        return decisions

    @property
    def _count(self) -> int:
        return self._blocks.count

    @property
    def _variance(self) -> float:
        return self._distance.variance

    def _blocks_of(self, start: int, end: int) -> F32:
        return self._blocks.recent(start, end)[:, self._compared]

    def _frame(self, block: int) -> int:
        return self._first_frame + self._views.first_frame(block)

    def _apply(self, decided: Decided, decisions: list[Decision]) -> None:
        emitted = {one.boundary: one for one in self.provisional}
        self._retract([emitted[each.block] for each in decided.retracted], decisions)
        if decided.final is not None:
            confirmed = None if decided.confirmed is None else emitted[decided.confirmed.block]
            self._confirm(decided.final, confirmed, decisions)
        for each in decided.changed:
            emitted[each.block].confidence = each.probability
            self._review_label(emitted[each.block], decisions)
        if decided.provisional is not None:
            self._emit_provisional(decided.provisional.block, decided.provisional.probability, decisions)
