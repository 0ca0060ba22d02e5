"""What the streams of a table have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.views import ViewPlan
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.settings import SegmenterSettings
from kineseg_core.segmenter.surprise import SurpriseScale
from kineseg_core.segmenter.typical_distance import prior_distances


@dataclass(frozen=True, slots=True)
class TablePlan:
    """Of streams of one model.

    Attributes:
        views: What of them is compared.
        settings: Numbers of labels, scales and surprise.
    """

    views: ViewPlan
    settings: SegmenterSettings

    @classmethod
    def of(cls, plan: SegmenterPlan) -> TablePlan:
        """Of streams like one."""
        return cls(plan.views, plan.settings)

    @property
    def far(self) -> int:
        """F, how many numbers of a block are compared with the farther past, the first ones."""
        return int(self.views.ends[self.views.views[0, 1] - 1])

    @property
    def slow(self) -> bool:
        """Several blocks come with a frame."""
        return BLOCK_S * self.views.rate_hz < 1.0

    @property
    def surprise(self) -> SurpriseScale:
        """Numbers of the score of surprise."""
        return SurpriseScale.of(self.settings, self.views.rate_hz)

    @property
    def numbers(self) -> PlanNumbers:
        """The same for kernels."""
        views = self.views
        return PlanNumbers(
            rate_hz=float(views.rate_hz),
            frames_per_block=BLOCK_S * views.rate_hz,
            embedding=views.embedding,
            least_deviation=views.least_deviation,
            compared=views.compared,
            prior_distances=prior_distances(self.settings.prior_s),
            surprise=self.surprise,
        )


class PlanNumbers(NamedTuple):
    """See `TablePlan`."""

    rate_hz: float
    frames_per_block: float
    embedding: int
    least_deviation: float
    compared: int
    prior_distances: int
    surprise: SurpriseScale
