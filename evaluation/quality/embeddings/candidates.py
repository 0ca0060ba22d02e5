"""The embeddings that are compared: each a linear map of pose, speed and one cell's state, so a step costs the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from kineseg_training.default.recipe import EXPORT
from kineseg_training.export.features import POSE_LIMIT
from kineseg_training.export.metric import learn_metric
from kineseg_training.studies.contrastive import Encoder, Pool, TrainingSettings, train_encoder
from numpy.typing import NDArray

from evaluation.quality.embeddings.corpus import Material
from evaluation.quality.stream import MODEL_RATE

Array = NDArray[np.float64]
Embed = Callable[[Array], Array]

AHEAD = 15  # frames: half a second, of the decoder's predictions the one that is made an input
METRIC = EXPORT.metric

PREDICTIVE = TrainingSettings()
CONTRASTIVE = replace(PREDICTIVE, prediction=0.3, contrast=1.0)
EVEN = replace(CONTRASTIVE, even_scatter=0.1)


@dataclass(frozen=True)
class Candidate:
    """An embedding to be learned.

    Attributes:
        name: For the table.
        blocks: What the metric is learned on: ``pose``, ``speed`` and parts of `Encoder.trace`.
        encoder: How the encoder is trained; None if it is not used.
        generated: Learn from generated motion too, not from the CMU clips alone.
    """

    name: str
    blocks: tuple[str, ...]
    encoder: TrainingSettings | None = None
    generated: bool = True


_UNTRAINED = replace(PREDICTIVE, steps=0)

CANDIDATES = (
    Candidate("pose + speed, CMU clips alone", ("pose", "speed"), generated=False),
    Candidate("pose + speed", ("pose", "speed")),
    Candidate("untrained state", ("state",), _UNTRAINED),
    Candidate("predictive state", ("state",), PREDICTIVE),
    Candidate("contrastive projection, CMU clips alone", ("projection",), CONTRASTIVE, generated=False),
    Candidate("contrastive projection", ("projection",), CONTRASTIVE),
    Candidate("pose + speed + untrained state", ("pose", "speed", "state"), _UNTRAINED),
    Candidate("pose + speed + predictive state", ("pose", "speed", "state"), PREDICTIVE),
    Candidate("pose + speed + prediction 0.5 s ahead", ("pose", "speed", "ahead"), PREDICTIVE),
    Candidate("pose + speed + contrastive projection", ("pose", "speed", "projection"), CONTRASTIVE),
    Candidate("pose + speed + contrastive, even scatter", ("pose", "speed", "projection"), EVEN),
)


def learn(candidate: Candidate, material: Material, seed: int, steps: int, trained: dict[object, Encoder]) -> Embed:
    """Learn a candidate's embedding from `material`.

    Args:
        candidate: What.
        material: From what.
        seed: Of the encoder.
        steps: Most batches for training an encoder.
        trained: Encoders trained before from the same material, by their settings; added to.
    """
    pool = material.pool()
    encoder: Encoder | None = None
    if candidate.encoder is not None:
        settings = replace(candidate.encoder, seed=seed, steps=min(steps, candidate.encoder.steps))
        if settings not in trained:
            trained[settings] = train_encoder(pool, settings)
        encoder = trained[settings]

    def blocks(frames: Array) -> list[Array]:
        return _blocks(candidate.blocks, pool, encoder, frames)

    metric = learn_metric([blocks(each) for each in material.frames()], MODEL_RATE, METRIC)
    return lambda frames: metric.embed(blocks(frames))


def learn_on(takes: Sequence[Array], material: Material) -> Embed:
    """Pose + speed in a metric learned on `takes` themselves: the best that a linear map of them can do there."""
    pool = material.pool()
    metric = learn_metric([_blocks(("pose", "speed"), pool, None, take) for take in takes], MODEL_RATE, METRIC)
    return lambda frames: metric.embed(_blocks(("pose", "speed"), pool, None, frames))


def _blocks(names: Sequence[str], pool: Pool, encoder: Encoder | None, frames: Array) -> list[Array]:
    normalised = (frames - pool.mean) / pool.scale
    made: Mapping[str, Array] = encoder.trace(frames, (AHEAD,)) if encoder is not None else {}
    known: dict[str, Array] = {
        "pose": POSE_LIMIT * np.tanh(normalised / POSE_LIMIT),
        "speed": np.sqrt(np.abs(np.diff(normalised, axis=0, prepend=normalised[:1]))),
        **made,
    }
    return [known[name] for name in names]
