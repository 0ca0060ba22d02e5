"""What is agreed about how a stream of few channels is segmented, before any of it has come."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.blocks import BLOCK_S
from kineseg_core.segmenter import SegmenterSettings

_DELAYED = 1  # blocks: one is known only when its last frame is


@dataclass(frozen=True, slots=True)
class PatternPlan:
    """Of one stream, whoever keeps its numbers.

    Attributes:
        settings: Numbers of the labels and the surprise.
        dim: E, dimensions of the embedding.
        rate_hz: Frames a second.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most until a frame has come and by placing a boundary.
    """

    settings: SegmenterSettings
    dim: int
    rate_hz: float
    latency_s: float = 4.0
    delay_s: float = 0.0

    @property
    def block_frames(self) -> int:
        """Frames in a block."""
        return max(1, round(BLOCK_S * self.rate_hz))

    @property
    def shortest_latency_s(self) -> float:
        """No boundary can be sure to be decided sooner than this after its frame."""
        return self._block_s + self.delay_s

    @property
    def budget(self) -> int:
        """Blocks within which a boundary must be decided."""
        return int((self.latency_s - max(0.0, self.delay_s - self._block_s)) / self._block_s + 1e-9) - _DELAYED

    @property
    def _block_s(self) -> float:
        return self.block_frames / self.rate_hz
