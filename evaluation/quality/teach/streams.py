"""Motion to learn from, as blocks of the embedding: generated and put together from clips, at many tempos.

None of it is in a set that quality is judged by: the seeds are others, and so are the takes but for the announcements,
whose answers are the segmenter's own decisions and not the truth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from kineseg.motion import Recording, canonical_pose, generate
from kineseg_core.inference.bundle import Bundle
from kineseg_core.segmenter import SegmenterSettings
from kineseg_training.data.resample import resample
from numpy.typing import NDArray

from evaluation.quality.assemble import assemble
from evaluation.quality.sets import takes
from evaluation.quality.sets.cmu_clips import clips
from evaluation.quality.stream import Stream, from_truth

Array = NDArray[np.float64]

GENERATED, ASSEMBLED = range(5000, 5090), range(5000, 5060)
TEMPOS = (0.55, 1.8)
TAKE_TEMPOS = (0.7, 1.0, 1.4)
_RATE = 60.0
_SECONDS = 70.0


@dataclass(frozen=True, eq=False)
class Lesson:
    """A stream to learn from.

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


def made(bundle: Bundle) -> Iterator[Lesson]:
    """Generated and assembled streams, each at a tempo of its own."""
    rng = np.random.default_rng(7)
    for seed in GENERATED:
        recording = generate(seed, rate=_RATE, duration_s=_SECONDS)
        yield lesson(bundle, "generated", from_truth("", recording), tempo(rng))
    for seed in ASSEMBLED:
        stream = from_truth("", assemble(clips(), seed, name=str(seed)).recording)
        yield lesson(bundle, "assembled", stream, tempo(rng))


def real(bundle: Bundle) -> Iterator[Lesson]:
    """The development takes at some tempos, for announcements only."""
    for at in TAKE_TEMPOS:
        for stream in takes.load(at):
            yield lesson(bundle, "takes", stream, 1.0)


def tempo(rng: np.random.Generator) -> float:
    """Drawn so that half as fast is as likely as twice as fast."""
    low, high = np.log(TEMPOS)
    return float(np.exp(rng.uniform(low, high)))


def lesson(bundle: Bundle, kind: str, stream: Stream, speed: float) -> Lesson:
    """A stream played `speed` times as fast."""
    embedding, surprise = embed(bundle, _played(stream.recording, speed))
    size = round(SegmenterSettings().block_s * bundle.frame_rate_hz)
    n = len(embedding) // size
    blocks = embedding[: n * size].reshape(n, size, -1).mean(axis=1)
    truth = stream.truth[:, 1] / speed / stream.rate * bundle.frame_rate_hz / size
    return Lesson(kind, stream.name, blocks, surprise[: n * size].reshape(n, size).mean(axis=1), truth)


def _played(recording: Recording, speed: float) -> Recording:
    positions = np.asarray(recording.positions)
    at = np.arange(int((len(positions) - 1) / speed) + 1) * speed
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
