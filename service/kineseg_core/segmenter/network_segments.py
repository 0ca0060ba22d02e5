"""Segments whose boundaries the boundary network finds, wherever the numbers of the stream are kept."""

from __future__ import annotations

from abc import abstractmethod

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.decider import BoundaryDecider, Decided
from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.boundary_network.views import ViewPlan
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.labels import Labeller
from kineseg_core.segmenter.segments import Segments
from kineseg_core.segmenter.settings import SegmenterSettings

_DELAYED = 1  # blocks: one is known only when its last frame is


class NetworkSegments(Segments):
    """What is done with what a `BoundaryDecider` decides.

    Args:
        settings: Numbers of labels and surprise.
        views: What of the stream is compared.
        point: How likely a boundary must be.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most, whatever is decided, until a frame has come and by placing a boundary
            at a frame of its source.
        labeller: What gives labels, in place of the one that the settings name.

    Attributes:
        settings, views, point, latency_s, delay_s: As given.
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
        self.settings, self.views, self.point = settings, views, point
        self.latency_s, self.delay_s = latency_s, delay_s
        delay_s += max(0.0, 1.0 / views.rate_hz - BLOCK_S)  # several blocks come at once with a frame
        # One block of the budget covers a usual delay; only a longer one has to come off.
        budget = int((latency_s - max(0.0, delay_s - BLOCK_S)) / BLOCK_S + 1e-9) - _DELAYED
        self._decider = BoundaryDecider(point, budget)
        self.shortest_latency_s = self._decider.shortest_latency * BLOCK_S + delay_s
        self._compared = slice(0, dim)
        self._first_frame = 0  # of block 0

    @property
    @abstractmethod
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""

    @property
    @abstractmethod
    def _n_frames(self) -> int:
        """Frames that have come."""

    @abstractmethod
    def _restart(self) -> None:
        """The numbers of the stream begin anew, but for what has been learned of its scales."""

    def restart(self) -> list[Decision]:
        """The stream was interrupted here: what is pending is decided, and the next frame begins a segment.

        Labels, numbering, and what has been learned of the stream's scales go on.
        """
        decisions = self.finish()
        self._restart()
        self._decider.restart()
        self._first_frame = self._n_frames
        return decisions

    def finish(self) -> list[Decision]:
        """The stream has ended: what is pending is decided and the last segment closed."""
        decisions: list[Decision] = []
        if not self._has_open_segment:
            return decisions
        for decided in self._decider.finish(self._count):
            self._apply(decided, decisions)
        self._retract(self.provisional[:], decisions)
        self._close(self._count, self._n_frames, decisions)
        self._has_open_segment = False
        return decisions

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
