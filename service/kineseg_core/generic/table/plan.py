"""What the streams of a table have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.segmenter import SegmenterSettings
from kineseg_core.segmenter.surprise import SurpriseScale


@dataclass(frozen=True, slots=True)
class PatternTablePlan:
    """Of streams of as many channels at the same rate.

    Attributes:
        settings: Numbers of labels and surprise.
        dim: E, dimensions of the embedding.
        rate_hz: Frames a second.
        block_frames: Frames in a block.
    """

    settings: SegmenterSettings
    dim: int
    rate_hz: float
    block_frames: int

    @classmethod
    def of(cls, plan: PatternPlan) -> PatternTablePlan:
        """Of streams like one."""
        return cls(plan.settings, plan.dim, plan.rate_hz, plan.block_frames)

    @property
    def surprise(self) -> SurpriseScale:
        """Numbers of the score of surprise."""
        return SurpriseScale.of(self.settings, self.rate_hz)

    @property
    def numbers(self) -> PatternNumbers:
        """The same for kernels."""
        surprise = self.surprise
        return PatternNumbers(
            block_frames=self.block_frames,
            surprise_kept=surprise.kept,
            surprise_prior=surprise.prior,
            surprise_refresh=surprise.refresh,
            surprise_warm_up=surprise.warm_up,
            least_surprise_deviation=surprise.least,
        )


class PatternNumbers(NamedTuple):
    """See `PatternTablePlan` and `SurpriseScale`."""

    block_frames: int
    surprise_kept: int
    surprise_prior: int
    surprise_refresh: int
    surprise_warm_up: int
    least_surprise_deviation: float
