"""What is agreed about how a stream is segmented, before any of it has come."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.decider import BoundaryDecider
from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.boundary_network.views import ViewPlan
from kineseg_core.segmenter.settings import SegmenterSettings

_DELAYED = 1  # blocks: one is known only when its last frame is


@dataclass(frozen=True, slots=True)
class SegmenterPlan:
    """Of one stream, whoever keeps its numbers.

    Attributes:
        settings: Numbers of labels and surprise.
        views: What of the stream is compared.
        point: How likely a boundary must be.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most, whatever is decided, until a frame has come and by placing a boundary
            at a frame of its source.
    """

    settings: SegmenterSettings
    views: ViewPlan
    point: OperatingPoint
    latency_s: float = 4.0
    delay_s: float = 0.0

    @property
    def shortest_latency_s(self) -> float:
        """No boundary can be sure to be decided sooner than this after its frame."""
        return self.decider().shortest_latency * BLOCK_S + self._passes_s

    def decider(self) -> BoundaryDecider:
        """What decides, about a new stream."""
        # One block of the budget covers a usual delay; only a longer one has to come off.
        budget = int((self.latency_s - max(0.0, self._passes_s - BLOCK_S)) / BLOCK_S + 1e-9) - _DELAYED
        return BoundaryDecider(self.point, budget)

    @property
    def _passes_s(self) -> float:
        return self.delay_s + max(0.0, 1.0 / self.views.rate_hz - BLOCK_S)  # several blocks come at once with a frame
