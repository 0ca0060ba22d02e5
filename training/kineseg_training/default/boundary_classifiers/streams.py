"""Motion to learn from, as blocks of the embedding: generated and put together from clips, at many tempos.

None of it is in a set that quality is judged by: the seeds are others, and so are the takes but for the announcements,
whose answers are the segmenter's own decisions and not the truth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from kineseg.motion import Recording, canonical_pose, generate, read
from kineseg_core.inference.bundle import Bundle
from kineseg_core.segmenter import SegmenterSettings
from numpy.typing import NDArray

from kineseg_training.data.action_clips import action_clips
from kineseg_training.data.assemble import assemble
from kineseg_training.data.resample import resample

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


def made(bundle: Bundle, cmu: Path) -> Iterator[Lesson]:
    """Generated streams, and streams assembled from the clips in `cmu`, each at a tempo of its own."""
    rng = np.random.default_rng(7)
    for seed in GENERATED:
        recording = generate(seed, rate=_RATE, duration_s=_SECONDS)
        yield lesson(bundle, "generated", recording, tempo(rng))
    clips = action_clips(cmu)
    for seed in ASSEMBLED:
        yield lesson(bundle, "assembled", assemble(clips, seed, name=str(seed)).recording, tempo(rng))


def real(bundle: Bundle, cmu: Path) -> Iterator[Lesson]:
    """The takes of subject 86 in `cmu`, at some tempos, for announcements only."""
    for at in TAKE_TEMPOS:
        for path in sorted((cmu / "subject_86").glob("*.mat")):
            yield lesson(bundle, "takes", read(path), at)


def tempo(rng: np.random.Generator) -> float:
    """Drawn so that half as fast is as likely as twice as fast."""
    low, high = np.log(TEMPOS)
    return float(np.exp(rng.uniform(low, high)))


def lesson(bundle: Bundle, kind: str, recording: Recording, speed: float) -> Lesson:
    """A recording that knows its segments, played `speed` times as fast."""
    embedding, surprise = embed(bundle, _played(recording, speed))
    size = round(SegmenterSettings().block_s * bundle.frame_rate_hz)
    n = len(embedding) // size
    blocks = embedding[: n * size].reshape(n, size, -1).mean(axis=1)
    boundaries = np.array(recording.truth.boundaries[1:] if recording.truth else (), dtype=np.float64)
    truth = boundaries / speed / recording.rate * bundle.frame_rate_hz / size
    return Lesson(kind, recording.name, blocks, surprise[: n * size].reshape(n, size).mean(axis=1), truth)


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
