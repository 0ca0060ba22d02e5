"""What the network is shown of a training stream: by the very code that the service runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import onnxruntime as ort
from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network import layout
from kineseg_core.boundary_network.block_ring import BlockRing, Look
from kineseg_core.boundary_network.views import StreamViews, ViewPlan
from kineseg_core.generic.model import scratch_bundle
from kineseg_core.generic.plan import ScratchPlan
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.inference.providers import open_cpu
from numpy.typing import NDArray

from kineseg_training.data.resample import resample
from kineseg_training.default.boundary_network.streams.stream import TrainingStream
from kineseg_training.errors import DataError

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Looks:
    """Looks at candidates of one stream.

    Attributes:
        patches: ``(N, 2 V, PIECES, PIECES)`` see `kineseg_core.boundary_network.patch.patch`.
        units: ``(N, V)`` local unit over the stream's scale, log.
        known: ``(N, 2)`` the first piece that is known and the end of the last one.
        discrepancies: ``(N, COMPARED)`` see `kineseg_core.boundary_network.block_ring.Look`.
        far: ``(N, 2, PIECES, STRETCHES)`` see `kineseg_core.boundary_network.far_past.FarPast.look`.
    """

    patches: Floats
    units: Floats
    known: Integers
    discrepancies: Floats
    far: Floats


@dataclass(frozen=True, eq=False)
class Stepped:
    """A stream after the steps of its model.

    Attributes:
        plan: What of it is looked at.
        frames: ``(T, C)`` at the model's rate.
        embeddings: ``(T, E)``; E is 0 where posture stands for it.
    """

    plan: ViewPlan
    frames: Floats
    embeddings: Floats


def step(streams: Sequence[TrainingStream]) -> list[Stepped]:
    """Each stream after its model's steps; bodies are stepped together, which is several times as fast."""
    stepped: list[Stepped | None] = [None] * len(streams)
    bodies = [at for at, stream in enumerate(streams) if stream.canonical]
    bundle = _packaged()
    rate = bundle.frame_rate_hz
    poses = [resample(streams[at].frames, streams[at].rate, rate).astype(np.float32) for at in bodies]
    for at, pose, embeddings in zip(bodies, poses, _embeddings(bundle, poses), strict=True):
        stepped[at] = Stepped(ViewPlan.of_model(pose.shape[1], bundle.embedding_dim, rate), pose, embeddings)
    for at, stream in enumerate(streams):
        if not stream.canonical:
            stepped[at] = _scratch(stream)
    return [each for each in stepped if each is not None]


def look(stepped: Stepped, candidates: Integers, lags: Integers) -> Looks:
    """Each candidate as many blocks after it as its lag says.

    Args:
        stepped: Where.
        candidates: ``(N,)`` blocks that may begin a segment.
        lags: ``(N,)`` of `LAGS`; candidate and lag together must not decrease from row to row, nor exceed the stream.
    """
    plan, views = stepped.plan, StreamViews(stepped.plan)
    ring = BlockRing(plan.ends, plan.views)
    looks: list[Look] = []
    blocks = (
        block
        for frame, embedding in zip(stepped.frames, stepped.embeddings, strict=True)
        for block in views.update(frame, embedding)
    )
    for block in blocks:
        ring.append(block)
        end = int(np.searchsorted(candidates + lags, ring.count, side="right"))
        looks += ring.look([(int(candidates[at]), int(lags[at])) for at in range(len(looks), end)])
    sides = 2 * layout.VIEWS, layout.PIECES, layout.PIECES
    return Looks(
        np.array([each.maps[:-1] for each in looks], np.float32).reshape(-1, *sides),
        np.array([each.units for each in looks], np.float32).reshape(-1, layout.VIEWS),
        np.array([(each.first_piece, layout.pieces_known(each.lag)) for each in looks], np.int64).reshape(-1, 2),
        np.array([each.discrepancies for each in looks], np.float32).reshape(-1, layout.COMPARED),
        np.array([each.far for each in looks], np.float32).reshape(-1, 2, layout.PIECES, layout.STRETCHES),
    )


def block_count(stream: TrainingStream) -> int:
    """How many blocks a stream has."""
    return int(stream.seconds / BLOCK_S + 1e-9)


def _scratch(stream: TrainingStream) -> Stepped:
    channels = stream.frames.shape[1]
    scratch = ScratchPlan.of(channels, stream.rate)
    frames = resample(stream.frames, stream.rate, scratch.rate_hz).astype(np.float32)
    plan = ViewPlan.of_signal(channels, scratch.dims if scratch.few else 0, scratch.rate_hz)
    if not scratch.few:
        return Stepped(plan, frames, np.zeros((len(frames), 0), np.float32))
    return Stepped(plan, frames, _embeddings(scratch_bundle(scratch), [frames])[0])


def _embeddings(bundle: Bundle, streams: Sequence[Floats]) -> list[Floats]:
    """``(T, E)`` of each stream of ``(T, C)`` frames."""
    session = _session(bundle.graph)
    state = np.zeros((len(streams), bundle.state_size), np.float32)
    embeddings = [np.empty((len(frames), bundle.embedding_dim), np.float32) for frames in streams]
    for at in range(max(map(len, streams), default=0)):
        going = [i for i, frames in enumerate(streams) if at < len(frames)]
        given = np.stack([streams[i][at] for i in going])
        rows, state[going] = session.run(["embedding", "next_state"], {"frame": given, "state": state[going]})
        for i, row in zip(going, rows, strict=True):
            embeddings[i][at] = row
    return embeddings


@cache
def _packaged() -> Bundle:
    path = packaged_bundle()
    if path is None:
        raise DataError("there is no packaged bundle for the network to be fitted to: kineseg-train default makes one")
    return load_bundle(path, boundary_network=False)


@cache
def _session(graph: bytes) -> ort.InferenceSession:
    return open_cpu(graph, threads=1)
