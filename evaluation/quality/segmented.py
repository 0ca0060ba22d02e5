"""The segmenter run in this process, without a server: to change a part of the method, or what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from kineseg.motion import Recording, canonical_pose
from kineseg_core.boundary_network import BoundaryNetwork, NetworkFile, OperatingPoint, ViewPlan, packaged_network
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.providers import open_cpu
from kineseg_core.segmenter import Decision, Segmenter, SegmenterPlan, SegmenterSettings
from kineseg_training.data.resample import resample
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_CALM = 1.0  # a surprise that never is an anomaly


@dataclass(frozen=True, eq=False)
class Embedded:
    """A stream as the segmenter sees it.

    Attributes:
        frames: ``(T, C)`` canonical.
        embedding: ``(T, E)``.
        rate: Frames per second.
    """

    frames: F32
    embedding: F32
    rate: float

    @classmethod
    def of(cls, bundle: Bundle, recording: Recording) -> Embedded:
        """A recording after the model's steps."""
        pose = canonical_pose(recording)
        frames = resample(np.asarray(pose.frames, np.float64), pose.rate, bundle.frame_rate_hz).astype(np.float32)
        session = open_cpu(bundle.graph, threads=1)
        state = np.zeros((1, bundle.state_size), np.float32)
        embedding = np.empty((len(frames), bundle.embedding_dim), np.float32)
        for at, frame in enumerate(frames):
            rows, state = session.run(["embedding", "next_state"], {"frame": frame[None], "state": state})
            embedding[at] = rows[0]
        return cls(frames, embedding, bundle.frame_rate_hz)


def decisions(
    stream: Embedded,
    settings: SegmenterSettings,
    *,
    point: OperatingPoint | None = None,
    latency_s: float = 4.0,
    network: NetworkFile | None = None,
) -> Iterator[tuple[int, Decision]]:
    """All that is decided, each with the frame that it was decided at; at the end, with the last one.

    Args:
        stream: What goes in.
        settings: Of labels.
        point: The operating point; the network's own unless given.
        latency_s: Budget of final decisions.
        network: What finds the boundaries; the packaged one unless given.
    """
    file = network or packaged_network()
    views = ViewPlan.of_model(stream.frames.shape[1], stream.embedding.shape[1], stream.rate)
    plan = SegmenterPlan(settings, views, point or file.operating_point, latency_s)
    segmenter, ask = Segmenter(plan), _opened(file)
    for at, (frame, embedding) in enumerate(zip(stream.frames, stream.embedding, strict=True)):
        for decision in segmenter.step(frame, embedding, _CALM, ask):
            yield at, decision
    for decision in segmenter.finish():
        yield len(stream.frames) - 1, decision


@cache
def _opened(file: NetworkFile) -> BoundaryNetwork:
    return BoundaryNetwork(file)
