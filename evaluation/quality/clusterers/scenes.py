"""Streams as the clusterers see them: blocks of the embedding, the scale so far, and where the segments are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from kineseg_core.blocks import BLOCK_S
from kineseg_core.inference.bundle import Bundle
from kineseg_core.segmenter import SegmentEnd, SegmenterSettings
from numpy.typing import NDArray

from evaluation.quality.segmented import Embedded, decisions
from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

_PAIRS = 2000  # of blocks, for the median squared distance


@dataclass(frozen=True, eq=False)
class ClusteringStream:
    """One stream.

    Attributes:
        set_name, name: Of the stream.
        blocks: ``(N, E)`` mean embedding over blocks of `block_frames`.
        block_frames: Frames of the model's rate in a block.
        labels: ``(T,)`` true action of every frame.
        true: Segments as they are, (start, end) in frames.
        found: Segments as the service finds them.
    """

    set_name: str
    name: str
    blocks: Array
    block_frames: int
    labels: NDArray[np.int64]
    true: tuple[tuple[int, int], ...]
    found: tuple[tuple[int, int], ...]

    def within(self, start: int, end: int) -> slice:
        """Blocks of a segment."""
        return slice(start // self.block_frames, max(start // self.block_frames + 1, end // self.block_frames))

    def scale(self, end: int, horizon: int) -> float:
        """Half the median squared distance between the last `horizon` blocks before frame `end`."""
        stop = max(2, end // self.block_frames)
        past = self.blocks[max(0, stop - horizon) : stop]
        one, other = np.random.default_rng(0).integers(len(past), size=(2, _PAIRS))
        apart = one != other
        return float(np.median(np.square(past[one[apart]] - past[other[apart]]).sum(axis=1))) / 2.0


def scenes(streams: Sequence[AnnotatedStream], bundle: Bundle, settings: SegmenterSettings) -> list[ClusteringStream]:
    """The scenes of streams of motion whose actions are known."""
    return [_scene(stream, Embedded.of(bundle, stream.recording), settings) for stream in streams]


def _scene(stream: AnnotatedStream, embedded: Embedded, settings: SegmenterSettings) -> ClusteringStream:
    assert stream.labels is not None  # of sets of motion
    embedding, rate = embedded.embedding, embedded.rate
    n = len(embedding)
    size = max(1, round(BLOCK_S * rate))
    blocks = embedding[: n // size * size].reshape(n // size, size, -1).mean(axis=1, dtype=np.float64)
    at = np.minimum(np.round(np.arange(n) * stream.rate / rate), stream.n_frames - 1).astype(np.int64)
    cuts = [0, *np.round(stream.truth[:, 1] * rate / stream.rate).astype(int).tolist(), n]
    return ClusteringStream(
        set_name=stream.set_name,
        name=stream.name,
        blocks=blocks,
        block_frames=size,
        labels=stream.labels[at],
        true=tuple(pairwise(cuts)),
        found=tuple(_found(embedded, settings)),
    )


def _found(embedded: Embedded, settings: SegmenterSettings) -> list[tuple[int, int]]:
    decided = (decision for _, decision in decisions(embedded, settings))
    return [(each.start, each.end) for each in decided if isinstance(each, SegmentEnd)]
