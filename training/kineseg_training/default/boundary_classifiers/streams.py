"""Streams to train on, as blocks of the embedding: generated and assembled from clips, at many tempos.

None of them is in a set that quality is measured on: their seeds are others. The annotated takes serve for provisional
boundaries only, whose outcomes are the segmenter's own decisions and not the truth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from kineseg.motion import Recording, canonical_pose, generate
from kineseg_core.inference.bundle import Bundle
from kineseg_core.segmenter import SegmenterSettings
from numpy.typing import NDArray

from kineseg_training.data.assemble import assemble
from kineseg_training.data.resample import resample

Array = NDArray[np.float64]

_FIRST_SEED = 5000
_TEMPOS = (0.55, 1.8)
_RATE = 60.0
_SECONDS = 70.0


@dataclass(frozen=True, eq=False)
class TrainingStream:
    """A stream to train on.

    Attributes:
        kind: ``generated``, ``assembled`` or ``takes``.
        name: Which.
        blocks: (n, E) means of the embedding over `SegmenterSettings.block_s`.
        surprise: (n,) the same of surprise.
        truth: (K,) blocks at which true boundaries lie.
    """

    kind: str
    name: str
    blocks: Array
    surprise: Array
    truth: Array


def made_streams(
    bundle: Bundle, clips: Mapping[str, Sequence[Recording]], generated: int, assembled: int
) -> Iterator[TrainingStream]:
    """Streams that know their boundaries, each at a tempo of its own.

    Args:
        bundle: Whose embedding they get.
        clips: Recordings by action, to assemble from.
        generated, assembled: How many.
    """
    rng = np.random.default_rng(7)
    for seed in range(_FIRST_SEED, _FIRST_SEED + generated):
        yield training_stream(bundle, "generated", generate(seed, rate=_RATE, duration_s=_SECONDS), _tempo(rng))
    for seed in range(_FIRST_SEED, _FIRST_SEED + assembled):
        recording = assemble(clips, seed, name=str(seed)).recording
        yield training_stream(bundle, "assembled", recording, _tempo(rng))


def take_streams(bundle: Bundle, takes: Sequence[Recording], tempos: Sequence[float]) -> Iterator[TrainingStream]:
    """The takes at each of these tempos."""
    for tempo in tempos:
        for take in takes:
            yield training_stream(bundle, "takes", take, tempo)


def _tempo(rng: np.random.Generator) -> float:
    """Drawn so that half as fast is as likely as twice as fast."""
    low, high = np.log(_TEMPOS)
    return float(np.exp(rng.uniform(low, high)))


def training_stream(bundle: Bundle, kind: str, recording: Recording, tempo: float) -> TrainingStream:
    """A recording played `tempo` times as fast, and the boundaries of its truth if it has one."""
    embedding, surprise = embed(bundle, _played(recording, tempo))
    size = round(SegmenterSettings().block_s * bundle.frame_rate_hz)
    n = len(embedding) // size
    blocks = embedding[: n * size].reshape(n, size, -1).mean(axis=1)
    boundaries = np.array(recording.truth.boundaries[1:] if recording.truth else (), dtype=np.float64)
    truth = boundaries / tempo / recording.rate * bundle.frame_rate_hz / size
    return TrainingStream(kind, recording.name, blocks, surprise[: n * size].reshape(n, size).mean(axis=1), truth)


def _played(recording: Recording, tempo: float) -> Recording:
    positions = np.asarray(recording.positions)
    at = np.arange(int((len(positions) - 1) / tempo) + 1) * tempo
    below = np.minimum(at.astype(np.int64), len(positions) - 2)
    share = (at - below)[:, None, None]
    positions = positions[below] * (1.0 - share) + positions[below + 1] * share
    channels = tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz")
    return dataclasses.replace(
        recording, frames=positions.reshape(len(positions), -1), channels=channels, positions=positions, truth=None
    )


def embed(bundle: Bundle, recording: Recording) -> tuple[Array, Array]:
    """Embedding (T, E) and surprise (T,) of a recording, at the bundle's rate."""
    pose = canonical_pose(recording)
    frames = resample(np.asarray(pose.frames, dtype=np.float64), pose.rate, bundle.frame_rate_hz).astype(np.float32)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(bundle.graph, options, providers=["CPUExecutionProvider"])
    state = np.zeros((1, bundle.state_size), np.float32)
    embedding, surprise = [], []
    for frame in frames:
        e, s, state = session.run(["embedding", "surprise", "next_state"], {"frame": frame[None], "state": state})
        embedding.append(e[0])
        surprise.append(float(s[0]))
    return np.array(embedding, dtype=np.float64), np.array(surprise)
