"""Runs the method over one stream and keeps what it went by: distances, looks, probabilities and decisions.

The segmenter is the service's. Frames are brought to its rate as for training: a thirtieth of a second off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import BlockRing, BoundaryNetwork, Look, NetworkFile, StreamViews, ViewPlan
from kineseg_core.boundary_network.layout import FUTURE
from kineseg_core.inference.bundle import Bundle
from kineseg_core.segmenter import (
    Decision,
    Segmenter,
    SegmenterPlan,
    SegmenterSettings,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from numpy.typing import NDArray

from evaluation.quality.segmented import Embedded
from evaluation.quality.stream import AnnotatedStream

F32 = NDArray[np.float32]
_LATENCY_S = 4.0
_CALM = 1.0  # a surprise that never is an anomaly
_NEIGHBOURS = np.array([0.25, 0.5, 0.25])  # a probability is averaged with its neighbours', as the decider does


@dataclass(frozen=True)
class Emitted:
    """A boundary that was emitted.

    Attributes:
        time_s: Where it lies.
        emitted_s: When it was.
        confidence: With which it was; 1 for a final one.
        retracted_s: When it was retracted; None: it was not.
    """

    time_s: float
    emitted_s: float
    confidence: float = 1.0
    retracted_s: float | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """What the method went by on one stream. Blocks are of 0.1 s.

    Attributes:
        stream: With its truth.
        plan: Which views there are.
        blocks: ``(N, D)``.
        looks: What the network was given, by candidate block and by how many blocks later it was.
        probabilities: What it said of each of them.
        boundaries: True ones, as they look when all has come that a look sees; the service may not look then.
        provisional: All that were emitted.
        final: All that were.
    """

    stream: AnnotatedStream
    plan: ViewPlan
    blocks: F32
    looks: Mapping[tuple[int, int], Look]
    probabilities: Mapping[tuple[int, int], float]
    boundaries: Mapping[int, Look]
    provisional: tuple[Emitted, ...]
    final: tuple[Emitted, ...]

    @property
    def lags(self) -> tuple[int, ...]:
        """After how many blocks candidates were looked at, ascending."""
        return tuple(sorted({lag for _, lag in self.looks}))

    @property
    def truth_s(self) -> tuple[float, ...]:
        """True boundaries, seconds."""
        return _truth_s(self.stream)

    def log_distances(self, view: int, first: int, last: int) -> NDArray[np.float64]:
        """``(n, n)`` logarithm of how far apart blocks [first, last) lie in one view; -inf of each to itself."""
        ends = [0, *self.plan.ends.tolist()]
        begin, end = self.plan.views[view]
        some = self.blocks[first:last, ends[begin] : ends[end]].astype(np.float64)
        squares = np.square(some).sum(axis=1)
        squared = np.maximum(squares[:, None] + squares[None, :] - 2.0 * some @ some.T, 0.0)
        np.fill_diagonal(squared, 0.0)
        with np.errstate(divide="ignore"):
            logs: NDArray[np.float64] = 0.5 * np.log(squared)
        return logs

    def curve(self, lag: int) -> NDArray[np.float64]:
        """``(N,)`` how likely a segment begins at each block, `lag` blocks later; 0 where it was not looked at."""
        raw = np.array([self.probabilities.get((block, lag), 0.0) for block in range(len(self.blocks))])
        return np.convolve(raw, _NEIGHBOURS, mode="same")


def record(stream: AnnotatedStream, bundle: Bundle, file: NetworkFile) -> Record:
    """Segments a body's stream with `bundle` and the boundary network in `file`, at its own operating point."""
    seen = Embedded.of(bundle, stream.recording)
    plan = ViewPlan.of_model(seen.frames.shape[1], seen.embedding.shape[1], seen.rate)
    segmenter = Segmenter(SegmenterPlan(SegmenterSettings(), plan, file.operating_point, _LATENCY_S))
    network, views = BoundaryNetwork(file), StreamViews(plan)
    ring, true = BlockRing(plan.ends, plan.views), set(map(block_at, _truth_s(stream)))
    blocks: list[F32] = []
    boundaries: dict[int, Look] = {}
    looks: dict[tuple[int, int], Look] = {}
    probabilities: dict[tuple[int, int], float] = {}
    emitted = _Boundaries(seen.rate)

    def ask(some: Sequence[Look]) -> F32:
        said = network(some)
        for look, probability in zip(some, said, strict=True):
            looks[look.candidate, look.lag] = look
            probabilities[look.candidate, look.lag] = float(probability)
        return said

    for at, (frame, embedding) in enumerate(zip(seen.frames, seen.embedding, strict=True)):
        for block in views.update(frame, embedding):
            blocks.append(block)
            ring.append(block)
            if (now_seen := ring.count - FUTURE) in true:
                (boundaries[now_seen],) = ring.look([(now_seen, FUTURE)])
        for decision in segmenter.step(frame, embedding, _CALM, ask):
            emitted.take(decision, at)
    return Record(
        stream, plan, np.stack(blocks), looks, probabilities, boundaries, tuple(emitted.provisional.values()),
        tuple(emitted.final),
    )  # fmt: skip


def _truth_s(stream: AnnotatedStream) -> tuple[float, ...]:
    return tuple((stream.truth[:, 1] / stream.rate).tolist())


class _Boundaries:
    """Boundaries out of what is decided, the stream's first frame left out."""

    def __init__(self, rate_hz: float) -> None:
        self._rate = rate_hz
        self.provisional: dict[int, Emitted] = {}
        self.final: list[Emitted] = []

    def take(self, decision: Decision, at: int) -> None:
        """Takes a decision that was made with frame `at`."""
        now = (at + 1) / self._rate
        match decision:
            case SegmentStart(index, segment_id, confidence=confidence, confirmed=False):
                self.provisional[segment_id] = Emitted(index / self._rate, now, confidence)
            case SegmentStart(index, confirmed=True) | SegmentUpdate(index, confirmed=True) if index:
                self.final.append(Emitted(index / self._rate, now))
            case SegmentRetract(_, segment_id):
                self.provisional[segment_id] = replace(self.provisional[segment_id], retracted_s=now)


def block_at(time_s: float) -> int:
    """The block that begins nearest to a time."""
    return round(time_s / BLOCK_S)
