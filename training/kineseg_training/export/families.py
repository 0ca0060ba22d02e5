"""Write the bundle of a model of any family: learn its embedding and surprise, make the graph, describe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from kineseg_training.data import LabelledClips, cut_labelled
from kineseg_training.errors import DataError
from kineseg_training.export.features import Block, View, check_blocks
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
from kineseg_training.export.recogniser import RecogniserStep, learn_familiar
from kineseg_training.export.recurrent import Cell, CompositeCell, RecurrentStep, TiedCell
from kineseg_training.export.step import Step, StepOutputs, prediction_error
from kineseg_training.export.step_graph import StepModule, graph_of
from kineseg_training.export.surprise import WARM_UP, calibration, learn_surprise
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.models.stgcn import STGCN
from kineseg_training.models.su_shlizerman import TiedSeq2Seq

Family = TiedSeq2Seq | CompositeLSTM | STGCN

_GOLDEN_STEPS = 64
_JUDGED_SOURCE, _JUDGED_TARGET = 25, 10  # frames heard and predicted where prediction is measured
_PAPERS = {
    "seq2seq-tied-gru": (
        "A tied GRU that reads motion and goes on with it by itself, after Su & Shlizerman (arXiv 1905.12176). Per "
        "frame it gives a prediction of the next, how surprising this one was, and an embedding of its decoder's state."
    ),
    "composite-lstm": (
        "An LSTM encoder trained with a decoder for the past and one for the future, after Srivastava, Mansimov & "
        "Salakhutdinov (arXiv 1502.04681). Per frame it gives the future decoder's first frame, how surprising this "
        "one was, and an embedding of the encoder's state."
    ),
    "stgcn": (
        "A spatio-temporal graph convolutional network that recognises actions from a window of frames, after Yan, "
        "Xiong & Lin (arXiv 1801.07455) as analysed by Das, Shekkizhar & Ortega (arXiv 2312.07777). Per frame it gives "
        "the probability of each action given the window that ends there, an embedding of what the network has made of "
        "it, and how far that is from every action it knows. It does not predict: its prediction is the frame again."
    ),
}


@dataclass(frozen=True)
class FamilySettings:
    """What to put into the bundle.

    Attributes:
        name: Of the model: lower-case letters, digits and ``-``.
        version: Of the model.
        blocks: What the embedding of a recurrent model is made of; its state alone is the idea of the papers.
        metric: How the embedding is learned; a recogniser's from its pooled features.
        description: Of the training data, in words, with source and licence.
        licence: Of the bundle, with the credit that the data asks for.
        segmenter: Settings of the service's segmenter to be used with this embedding.
    """

    name: str
    version: str = "1.0.0"
    blocks: tuple[Block, ...] = ("state",)
    metric: MetricSettings = field(default_factory=MetricSettings)
    description: str = ""
    licence: str = ""
    segmenter: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, self.version)
        object.__setattr__(self, "blocks", check_blocks(self.blocks))


def export_family(
    model: Family, train: LabelledClips, held_out: LabelledClips, out: Path, settings: FamilySettings
) -> Path:
    """Write the bundle of `model`; equal input gives equal bytes.

    Args:
        model: Trained.
        train: Clips that embedding and surprise are learned from, at the model's rate; a recogniser's must be of its
            classes. The recurrent models do not look at the labels.
        held_out: Clips for the calibration of surprise and for the metrics.
        out: A folder, or a file ending in ``.zip``; an earlier bundle there is replaced.
        settings: What to put in.

    Returns:
        `out`.

    Raises:
        DataError: Clips that do not fit the model, or too little of them.
        BundleError: `out` is there and is no bundle.
    """
    if train.channels != held_out.channels or len(train.channels) != len(model.mean):
        raise DataError(f"the clips have {len(train.channels)} channels, the model {len(model.mean)}")
    model = model.cpu().eval()
    # Sums over many threads are added in another order than over one.
    with threadpool_limits(1, user_api="blas"):
        step = (
            _recogniser(model, train, settings.metric)
            if isinstance(model, STGCN)
            else _recurrent(_cell(model), train, settings)
        )
        write_bundle(_files(step, model, train, held_out, settings), out)
    return out


def _cell(model: TiedSeq2Seq | CompositeLSTM) -> Cell:
    return TiedCell(model) if isinstance(model, TiedSeq2Seq) else CompositeCell(model)


def _recurrent(cell: Cell, train: LabelledClips, settings: FamilySettings) -> RecurrentStep:
    streams = [cell.through(clip.frames) for clip in train.clips]
    view = View.of(np.concatenate([stream.frames for stream in streams]))
    metric = _metric([stream.features(settings.blocks, view) for stream in streams], train.rate, settings.metric)
    surprise = learn_surprise([stream.squared_error()[WARM_UP:] for stream in streams], train.channels)
    return RecurrentStep(cell, metric, settings.blocks, view, surprise)


@torch.no_grad()
def _recogniser(model: STGCN, train: LabelledClips, metric: MetricSettings) -> RecogniserStep:
    if train.actions != model.settings.classes:
        raise DataError(
            f"the model knows {', '.join(model.settings.classes)}, the clips are of {', '.join(train.actions)}"
        )
    window = model.settings.window
    windows = cut_labelled(train, window, every=max(1, window // 3))
    pooled = torch.cat([model.pooled(part) for part in torch.split(torch.from_numpy(windows.frames), 256)])
    familiar = learn_familiar(pooled.numpy().astype(np.float64), windows.labels, len(train.actions))
    takes = [[_slid(model, clip.frames)] for clip in train.clips if len(clip.frames) >= window]
    return RecogniserStep(model, _metric(takes, train.rate, metric), familiar)


def _slid(model: STGCN, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pooled features ``(T - W + 1, F)`` of every window of a clip."""
    slid = torch.from_numpy(frames.astype(np.float32)).unfold(0, model.settings.window, 1).transpose(1, 2)
    return torch.cat([model.pooled(part) for part in torch.split(slid, 256)]).numpy().astype(np.float64)


def _metric(takes: Sequence[Sequence[NDArray[np.float64]]], rate: float, settings: MetricSettings) -> Metric:
    """At most as many dimensions as there are features."""
    features = sum(block.shape[1] for block in takes[0]) if takes else settings.dimensions
    return learn_metric(takes, rate, replace(settings, dimensions=min(settings.dimensions, features)))


def _files(
    step: StepModule, model: Family, train: LabelledClips, held_out: LabelledClips, settings: FamilySettings
) -> dict[str, bytes]:
    graph = graph_of(step)
    evaluated = [Step(graph).run(clip.frames) for clip in held_out.clips]
    manifest = bundle_pb2.BundleManifest(
        schema_version=SCHEMA_VERSION,
        name=settings.name,
        version=settings.version,
        family=family_name(model),
        channels=[bundle_pb2.Channel(name=name, unit=channel_unit(name)) for name in train.channels],
        frame_rate_hz=train.rate,
        normalization=bundle_pb2.Normalization(mean=short(model.mean.numpy()), scale=short(model.scale.numpy())),
        state=[bundle_pb2.StatePart(name=name, size=size) for name, size in step.parts],
        embedding_dim=step.embedding_dim,
        calibration=calibration([outputs.surprise for outputs in evaluated], settings.segmenter, _naming(model)),
        training_data=bundle_pb2.TrainingData(
            description=settings.description,
            fingerprint=train.fingerprint,
            recordings=len(train.clips),
            duration_s=round(sum(len(clip.frames) for clip in train.clips) / train.rate, 3),
        ),
        metrics=_metrics(model, graph, held_out, evaluated),
        licence=settings.licence,
        golden_tolerance=GOLDEN_TOLERANCE,
        classes=step.classes,
    )
    return packed(manifest, graph, _golden(step, model), family_card(manifest))


def _naming(model: Family) -> dict[str, float]:
    """When the service is to believe a recogniser: above the probability that was found to separate what it knows.

    A while after an action has begun, most of the window still shows the one before.
    """
    if not isinstance(model, STGCN):
        return {}
    lag = {"lag_s": model.settings.window / model.settings.rate / 2.0}
    least = float(model.unknown_below)
    return lag | ({"least_probability": round(least, 6)} if least > 0.0 else {})


def family_name(model: Family) -> str:
    """Family of the model, as manifests have it."""
    if isinstance(model, TiedSeq2Seq):
        return "seq2seq-tied-gru"
    return "composite-lstm" if isinstance(model, CompositeLSTM) else "stgcn"


def _metrics(
    model: Family, graph: bytes, held_out: LabelledClips, evaluated: Sequence[StepOutputs]
) -> dict[str, float]:
    if isinstance(model, STGCN):
        right: list[bool] = []
        for clip, outputs in zip(held_out.clips, evaluated, strict=True):
            assert outputs.scores is not None  # it is a recogniser
            right += [model.settings.classes[at] == clip.action for at in outputs.scores.argmax(axis=1)]
        return {"held_out_frames": len(right), "held_out_frame_accuracy": round(sum(right) / max(len(right), 1), 6)}
    frames = [clip.frames for clip in held_out.clips]
    error = prediction_error(Step(graph), model.scale.numpy(), frames, _JUDGED_SOURCE, _JUDGED_TARGET)
    return {f"held_out_{name}": round(float(value), 6) for name, value in asdict(error).items()}


def _golden(step: StepModule, model: Family) -> dict[str, NDArray[np.float32]]:
    """Made-up frames and what PyTorch makes of them, so that loading checks the graph against the model itself."""
    rng = np.random.default_rng(0)
    wander = np.cumsum(rng.standard_normal((_GOLDEN_STEPS, step.channels)), axis=0) / 4.0
    frames = (model.mean.numpy() + model.scale.numpy() * wander).astype(np.float32)
    return {"frames": frames, **step.run(frames)}


def family_card(manifest: bundle_pb2.BundleManifest) -> str:
    """Markdown: what the model is, what it learned from, and its figures."""
    figures = "\n".join(f"- {name.replace('_', ' ')}: {value:g}" for name, value in sorted(manifest.metrics.items()))
    data = manifest.training_data
    sections = [
        f"# {manifest.name} {manifest.version}",
        _PAPERS[manifest.family],
        f"{len(manifest.channels)} channels at {manifest.frame_rate_hz:g} frames a second; an embedding of "
        f"{manifest.embedding_dim} dimensions; {sum(part.size for part in manifest.state)} numbers of state a stream.",
    ]
    if manifest.classes:
        sections.append("Actions that it knows: " + ", ".join(manifest.classes) + ".")
    sections += [
        "## Data",
        data.description or "Not described.",
        f"{data.recordings} clips, {data.duration_s:.0f} s; fingerprint `{data.fingerprint}`.",
        "## Licence and credit",
        manifest.licence or "Not stated.",
        "## Figures on held-out clips",
        figures,
    ]
    return "\n\n".join(sections) + "\n"
