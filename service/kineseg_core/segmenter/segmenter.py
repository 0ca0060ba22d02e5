"""One stream's online segmentation: frames and their embeddings go in one by one, decisions come out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.block_ring import BlockRing
from kineseg_core.boundary_network.coarse import CoarseRings
from kineseg_core.boundary_network.network import Ask
from kineseg_core.boundary_network.views import StreamViews
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.labels import Labeller
from kineseg_core.segmenter.network_segments import NetworkSegments
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.still_groups import STILL_GROUP, STILL_GROUPS
from kineseg_core.segmenter.stillness import StillnessDetector
from kineseg_core.segmenter.surprise import SurpriseScore
from kineseg_core.segmenter.typical_distance import TypicalDistance

F32 = NDArray[np.float32]


@within(
    "0 <= _seen", "0 <= _views._seen", "0 <= _views._frames", "0 <= _views._blocks", "0 <= _views._in_block",
    "0 <= _blocks._scaled", "0 <= _blocks._far._kept", "0 <= _distance._count", "0 <= _surprise._count",
    "0 <= _stillness._groups", "0 <= _stillness._in_group < _stillness._size",
)  # fmt: skip
@keeps("_views _blocks _coarse _stillness _distance _surprise _seen")
class Segmenter(NetworkSegments):
    """Boundaries and labels of one stream, which keeps its numbers itself.

    A server's streams keep their numbers in a table, which gives the same to the last bit, see `table`; this says how,
    one thing after the other.

    Picklable. Frames are counted from 0 at the model's rate, also after a `restart`, and decisions depend on nothing
    but the frames. Arguments are those of `NetworkSegments`.
    """

    def __init__(self, plan: SegmenterPlan, labeller: Labeller | None = None) -> None:
        super().__init__(plan, labeller)
        settings, views = plan.settings, plan.views
        self._views = StreamViews(views)
        self._blocks = BlockRing(views.ends, views.views)
        self._coarse = CoarseRings(views.ends, views.views)
        self._stillness = StillnessDetector(plan.views.compared, STILL_GROUP, STILL_GROUPS)
        self._distance = TypicalDistance(plan.views.compared, settings.median_squared_distance, settings.prior_s)
        self._surprise = SurpriseScore(settings, views.rate_hz)
        self._seen = 0

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._surprise.value

    def check_kept(self) -> None:
        """See `NetworkSegments`."""
        super().check_kept()
        views = self._views
        self._check_blocks(views._frames, views._blocks, views._frames_per_block)

    def step(self, frame: F32, embedding: F32, surprise: float, ask: Ask) -> list[Decision]:
        """Takes the next frame (C,), its embedding (E,) and its surprise, and returns what is decided.

        Args:
            ask: Says how likely a segment begins at each candidate that is looked at: a `BoundaryNetwork`.
        """
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(self._n_frames, decisions)
        self._surprise.update(surprise, still=self._stillness.still)
        self._seen += 1
        counts = []
        # Of a slow source several come at once; at which candidates to look depends on what the one before said.
        for block in self._views.update(frame, embedding, still=self._stillness.still):
            still = self._stillness.update(block[self._compared], self._distance.variance)
            self._blocks.append(block, still=still)
            self._coarse.append(self._blocks)
            if not still:
                self._distance.update(self._blocks.newest[self._compared])
            # What stands still begins no segment, whatever its noise.
            due = [] if still else self._decider.due(self._count)
            looks = self._coarse.beside(self._blocks.look(due), self._blocks)
            self._decider.note(self._count, due, ask(looks))
            self._coarse.note(looks)
            counts.append(self._count)
        for count in counts:
            self._apply(self._decider.decide(count), decisions)
        return decisions

    @property
    def _n_frames(self) -> int:
        return self._seen

    @property
    def _count(self) -> int:
        return self._blocks.count

    @property
    def _variance(self) -> float:
        return self._distance.variance

    def _restart(self) -> None:
        self._views.restart()
        self._blocks.restart()
        self._coarse.restart()
        self._stillness.restart()
        self._surprise.restart()

    def _blocks_of(self, start: int, end: int) -> F32:
        return self._blocks.recent(start, end)[:, self._compared]

    def _frame(self, block: int) -> int:
        return self._first_frame + self._views.first_frame(block)
