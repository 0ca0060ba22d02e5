"""Write a bundle: the graph of one step, its manifest with all hashes, golden steps, and a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from kineseg_training.data import Corpus, mirrored, resample
from kineseg_training.default.graph import state_layout, step_graph
from kineseg_training.default.trained import Trained
from kineseg_training.errors import CheckpointError, DataError
from kineseg_training.export.features import Block, PredictorTrace, View, check_blocks
from kineseg_training.export.metric import Metric, MetricSettings, learn_metric
from kineseg_training.export.pack import (
    GOLDEN_TOLERANCE,
    SCHEMA_VERSION,
    channel_unit,
    check_name,
    packed,
    short,
    write_bundle,
)
from kineseg_training.export.step import Step, prediction_error
from kineseg_training.export.surprise import WARM_UP, Surprise, calibration, learn_surprise
from kineseg_training.models import Seq2Seq

GOLDEN_STEPS = 64
_BLOCKS: dict[Block, str] = {
    "pose": "the posture",
    "speed": "the root of each channel's speed",
    "state": "the hidden state of the recurrent cell",
}


@dataclass(frozen=True)
class ExportSettings:
    """What to put into the bundle.

    Attributes:
        name: Of the model: lower-case letters, digits and ``-``.
        version: Of the model.
        blocks: What the embedding is made of.
        metric: How its metric is learned.
        mirror: Learn the metric from mirrored takes too.
        description: Of the training data, in words, with source and licence.
        licence: Of the bundle, with the credit that the data asks for.
        limits: Paragraphs for the card about what the model is not good for.
        segmenter: Settings of the service's segmenter to be used with this embedding.
    """

    name: str = "motion"
    version: str = "1.0.0"
    blocks: tuple[Block, ...] = ("pose", "speed")
    metric: MetricSettings = field(default_factory=MetricSettings)
    mirror: bool = True
    description: str = ""
    licence: str = ""
    limits: tuple[str, ...] = ()
    segmenter: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, self.version)
        object.__setattr__(self, "blocks", check_blocks(self.blocks))


def export(
    trained: Trained,
    corpus: Corpus,
    out: Path,
    settings: ExportSettings,
    *,
    held_out: Corpus | None = None,
    more: Corpus | None = None,
) -> Path:
    """Learn the metric of the embedding and write the bundle; equal input gives equal bytes.

    Args:
        trained: Its model is exported.
        corpus: The data that it was trained on.
        out: A folder, or a file ending in ``.zip``; an earlier bundle there is replaced.
        settings: What to put in.
        held_out: Takes for calibration and metrics; the ones that were validated on unless given.
        more: Takes that the metric is learned from too; the predictor was not trained on them.

    Returns:
        `out`.

    Raises:
        CheckpointError: The corpus is not the one that it was trained on.
        DataError: Too little data for the metric or the calibration.
        BundleError: `out` is there and is no bundle.
    """
    if corpus.fingerprint != trained.fingerprint or corpus.channels != trained.channels:
        raise CheckpointError("the data is not what the model was trained on; name the same folders and options")
    for takes, what in ((held_out, "held-out takes"), (more, "further takes for the metric")):
        if takes is not None and takes.channels != corpus.channels:
            raise DataError(f"the {what} have other channels than the training takes")
    # Sums over many threads are added in another order than over one.
    with threadpool_limits(1, user_api="blas"):
        files = bundle_files(trained, corpus, settings, held_out, more)
    write_bundle(files, out)
    return out


def bundle_files(
    trained: Trained, corpus: Corpus, settings: ExportSettings, held_out: Corpus | None, more: Corpus | None
) -> dict[str, bytes]:
    """Name and content of every file of the bundle."""
    model = trained.model
    streams = _streams(trained, corpus, settings)
    learned_from = [*streams, *_streams(trained, more, settings)] if more else streams
    view = View.of(np.concatenate([each.frames for each in learned_from]))
    features = [each.features(settings.blocks, view) for each in learned_from]
    metric = learn_metric(features, trained.settings.rate, settings.metric)
    surprise = learn_surprise([each.squared_error()[WARM_UP:] for each in streams], corpus.channels)
    evaluated = _evaluation_takes(trained, corpus, held_out)
    graph = step_graph(model, metric, settings.blocks, view, surprise).SerializeToString(deterministic=True)

    manifest = bundle_pb2.BundleManifest(
        schema_version=SCHEMA_VERSION,
        name=settings.name,
        version=settings.version,
        family=f"seq2seq-{model.settings.cell}",
        channels=[bundle_pb2.Channel(name=name, unit=channel_unit(name)) for name in corpus.channels],
        frame_rate_hz=trained.settings.rate,
        normalization=bundle_pb2.Normalization(mean=short(model.mean.numpy()), scale=short(model.scale.numpy())),
        state=[bundle_pb2.StatePart(name=name, size=size) for name, size in state_layout(model).parts],
        embedding_dim=settings.metric.dimensions,
        calibration=calibration(
            [PredictorTrace.through(model, take).surprise(surprise) for take in evaluated], settings.segmenter
        ),
        training_data=bundle_pb2.TrainingData(
            description=settings.description,
            fingerprint=corpus.fingerprint,
            recordings=len(corpus.clips),
            duration_s=round(corpus.duration_s, 3),
        ),
        metrics=_metrics(Step(graph), trained, evaluated),
        licence=settings.licence,
        golden_tolerance=GOLDEN_TOLERANCE,
    )
    golden = _golden(model, metric, settings.blocks, view, surprise)
    return packed(manifest, graph, golden, model_card(manifest, trained, settings.blocks, settings.limits))


def _streams(trained: Trained, corpus: Corpus, settings: ExportSettings) -> list[PredictorTrace]:
    takes = [resample(clip.frames, clip.rate, trained.settings.rate) for clip in corpus.clips]
    if settings.mirror:
        takes += [mirrored(take, corpus.channels) for take in takes]
    return [PredictorTrace.through(trained.model, take) for take in takes]


def _evaluation_takes(trained: Trained, corpus: Corpus, held_out: Corpus | None) -> list[NDArray[np.float64]]:
    clips = held_out.clips if held_out else [clip for clip in corpus.clips if clip.name in trained.held_out]
    return [resample(clip.frames, clip.rate, trained.settings.rate) for clip in clips]


def _metrics(step: Step, trained: Trained, takes: Sequence[NDArray[np.float64]]) -> dict[str, float]:
    settings = trained.settings
    error = prediction_error(step, trained.model.scale.numpy(), takes, settings.source, settings.target)
    return {f"held_out_{name}": round(float(value), 6) for name, value in asdict(error).items()}


def _golden(
    model: Seq2Seq, metric: Metric, blocks: tuple[Block, ...], view: View, measure: Surprise
) -> dict[str, NDArray[np.float32]]:
    """Made-up frames and what PyTorch makes of them, so that loading checks the graph against the model itself."""
    rng = np.random.default_rng(0)
    channels = model.settings.channels
    wander = np.cumsum(rng.standard_normal((GOLDEN_STEPS, channels)), axis=0) / 4.0
    mean, scale = model.mean.numpy(), model.scale.numpy()
    frames = (mean + scale * wander).astype(np.float32)
    stream = PredictorTrace.through(model, frames)
    return {
        "frames": frames,
        "prediction": (mean + scale * stream.prediction).astype(np.float32),
        "surprise": stream.surprise(measure).astype(np.float32),
        "embedding": metric.embed(stream.features(blocks, view)).astype(np.float32),
    }


def model_card(
    manifest: bundle_pb2.BundleManifest, trained: Trained, blocks: Sequence[Block], limits: Sequence[str]
) -> str:
    """Markdown: what the model is, what it learned from, how well it does, where it ends."""
    metrics = manifest.metrics
    hidden = trained.settings.hidden
    rows = [
        ("one frame ahead", metrics["held_out_one_step"], metrics["held_out_zero_velocity_one_step"]),
        (
            f"{trained.settings.target} frames ahead, own predictions fed back",
            metrics["held_out_rollout"],
            metrics["held_out_zero_velocity_rollout"],
        ),
    ]
    table = "\n".join(f"| {name} | {ours:.4f} | {still:.4f} |" for name, ours, still in rows)
    sections = [
        f"# {manifest.name} {manifest.version}",
        f"A recurrent predictor of motion ({manifest.family}, {hidden} units, encoder and decoder tied, residual "
        f"output) over {len(manifest.channels)} channels at {manifest.frame_rate_hz:g} frames a second, as one "
        "streaming step. Per frame it gives a prediction of the next frame, how surprising this one was, and an "
        f"embedding of {manifest.embedding_dim} dimensions for telling actions apart.",
        "The embedding is a linear map of " + ", ".join(_BLOCKS[block] for block in blocks) + ", in a temporal metric "
        "learned without labels: down with what varies within a second or two, up with what varies over the corpus.",
        "Surprise is the worst joint's squared prediction error relative to what is typical of that joint, over the "
        "middle joint's to the power of 3/4: one joint that does what the others do not is what it is about.",
        "## Data",
        manifest.training_data.description or "Not described.",
        f"{manifest.training_data.recordings} recordings, {manifest.training_data.duration_s:.0f} s; fingerprint "
        f"`{manifest.training_data.fingerprint}`.",
        "## Licence and credit",
        manifest.licence or "Not stated.",
        "## Figures",
        f"Best of {trained.epochs} epochs: number {trained.best_epoch}. Mean squared error on held-out takes "
        f"({metrics['held_out_windows']:.0f} windows), in channels normalised to the training data, next to a "
        "baseline that repeats the last frame:",
        f"| | model | nothing moves |\n|---|---|---|\n{table}",
    ]
    if limits:
        sections += ["## Limits", *limits]
    return "\n\n".join(sections) + "\n"
