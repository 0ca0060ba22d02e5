"""What the streams of a table have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_settings import PatternSettings
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
    def boundaries(self) -> PatternSettings:
        """Numbers of the scan."""
        return PatternSettings()

    @property
    def numbers(self) -> PatternNumbers:
        """The same for kernels."""
        return PatternNumbers(self.block_frames, self.surprise, self.boundaries)


class PatternNumbers(NamedTuple):
    """See `PatternTablePlan`."""

    block_frames: int
    surprise: SurpriseScale
    boundaries: PatternSettings
