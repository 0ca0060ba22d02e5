"""One stream's online segmentation: embeddings and surprise go in frame by frame, decisions come out."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from kineseg_service.segmenter.anomaly import SurpriseMonitor
from kineseg_service.segmenter.boundaries import KernelBoundaries
from kineseg_service.segmenter.clusterer import PrototypeClusterer
from kineseg_service.segmenter.decisions import AnomalyStart, Decision, SegmentEnd, SegmentStart
from kineseg_service.segmenter.separation import separation, squared_error_of_mean
from kineseg_service.segmenter.settings import SegmenterSettings

Array = NDArray[np.float64]


class Segmenter:
    """Boundaries, labels and anomalies of one stream.

    Picklable. Frames are counted from 0 at the model's rate, and decisions depend on nothing but the frames.

    Args:
        settings: Numbers of the method.
        dim: E, dimensions of the embedding.
        rate_hz: Frames a second.
        latency_s: No boundary is decided later than this after its frame, if `shortest_latency_s` allows it.
        delay_s: How much of that passes at most, whatever is decided, until a frame has come and by placing a boundary
            at a frame of its source.

    Attributes:
        shortest_latency_s: No boundary can be sure to be decided sooner than this after its frame.
    """

    def __init__(
        self, settings: SegmenterSettings, dim: int, rate_hz: float, latency_s: float = 4.0, delay_s: float = 0.0
    ) -> None:
        self._block_frames = max(1, round(settings.block_s * rate_hz))
        settings = dataclasses.replace(settings, block_s=self._block_frames / rate_hz)
        self._trim = round(settings.trim_s / settings.block_s)
        self._shortest = max(1, round(settings.min_segment_s / settings.block_s))
        # The boundaries' own budget leaves one block unused; only a longer delay has to come off.
        self._boundaries = KernelBoundaries(settings, dim, latency_s - max(0.0, delay_s - settings.block_s))
        self.shortest_latency_s = settings.block_s + delay_s
        self._surprise = SurpriseMonitor(settings, rate_hz)
        self._clusterer = PrototypeClusterer(math.sqrt(settings.same_action), settings.max_labels)
        self._separation, self._neighbours = settings.separation, settings.neighbours
        self._apart, self._context = (
            max(1, round(s / settings.block_s)) for s in (settings.apart_s, settings.context_s)
        )
        self._reach = max(1, round(settings.window_s / settings.block_s))  # of correlation within a segment
        self._sum = np.zeros(dim)
        self._n_frames = 0
        self._segment_id = 0
        self._label = -1

    @property
    def label(self) -> int:
        """Label of the open segment as far as it can be told now; -1 before the first frame."""
        return self._label

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return self._surprise.score

    def update(self, embedding: NDArray[np.float32], surprise: float) -> list[Decision]:
        """Takes the next frame's embedding (E,) and surprise, and returns what is decided with it, often nothing."""
        decisions: list[Decision] = []
        if self._n_frames == 0:
            self._label = self._clusterer.mint()
            decisions.append(SegmentStart(0, self._segment_id, self._label))
        if self._surprise.update(surprise):
            decisions.append(AnomalyStart(self._n_frames, self._surprise.score, self._surprise.threshold))
        self._n_frames += 1
        self._sum += embedding
        if self._n_frames % self._block_frames == 0:
            self._end_block(decisions)
        return decisions

    def finish(self) -> list[Decision]:
        """The stream has ended: what is pending is decided and the last segment closed."""
        decisions: list[Decision] = []
        while (boundary := self._boundaries.pending()) is not None:
            if self._boundaries.count - boundary < self._shortest:
                break
            self._decide(boundary, decisions)
        if self._n_frames:
            self._close(self._boundaries.count, self._n_frames, decisions)
        return decisions

    def _end_block(self, decisions: list[Decision]) -> None:
        boundary = self._boundaries.update(self._sum / self._block_frames)
        self._sum[:] = 0.0
        if boundary is not None:
            self._decide(boundary, decisions)

    def _decide(self, boundary: int, decisions: list[Decision]) -> None:
        """Makes `boundary` final, unless its two sides cannot be told apart."""
        if not self._tells_apart(boundary):
            self._boundaries.reject(boundary)
            return
        self._close(boundary, boundary * self._block_frames, decisions)
        self._boundaries.accept(boundary)
        self._segment_id += 1
        self._clusterer.unit = math.sqrt(self._unit)
        known = self._clusterer.nearest(*self._mean(boundary, self._boundaries.count))
        self._label = self._clusterer.mint() if known is None else known
        decisions.append(SegmentStart(boundary * self._block_frames, self._segment_id, self._label))

    def _tells_apart(self, boundary: int) -> bool:
        """Whether the segment before `boundary` can be told from what follows, and from the next segment alone.

        The mean of both is judged: all that is known averages over the phases of a slow movement, but may hold a
        return to the action before.
        """
        kernel = self._boundaries
        start = max(kernel.start, boundary - self._context)
        blocks = kernel.recent(start, kernel.count).astype(np.float64)
        start = kernel.count - len(blocks)
        values = []
        for end in {kernel.count, kernel.next_end}:
            apart = max(1, min(self._apart, (end - boundary) // 2))  # early on little is known of what follows
            values.append(separation(blocks[: end - start], boundary - start, apart, self._neighbours))
        return sum(values) / len(values) >= self._separation

    def _close(self, end_block: int, end: int, decisions: list[Decision]) -> None:
        start_block = self._boundaries.start
        mean, error = self._mean(start_block, end_block)
        self._clusterer.unit = math.sqrt(self._unit)
        announced = None if self._label in self._clusterer.labels else self._label
        label = self._clusterer.learn(mean, end_block - start_block, fresh_label=announced, error=error)
        decisions.append(SegmentEnd(self._segment_id, label, start_block * self._block_frames, end))

    @property
    def _unit(self) -> float:
        """Half the stream's median squared distance between blocks: the unit of squared distances."""
        return self._boundaries.scale.value / 2.0

    def _mean(self, start: int, end: int) -> tuple[Array, float]:
        """Mean of blocks [start, end) without the transitions at both ends, and its squared standard error."""
        blocks = self._boundaries.recent(start, end).astype(np.float64)
        if len(blocks) > 2 * self._trim + 2:
            blocks = blocks[self._trim : len(blocks) - self._trim]
        if not len(blocks):
            return np.zeros_like(self._sum), 0.0
        return blocks.mean(axis=0), squared_error_of_mean(blocks, self._reach)
