"""Composite models as the experiments use them: trained once in a folder, then read from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kineseg_training.errors import CheckpointError
from kineseg_training.loop import LAST, LoopSettings, load_saved, train
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.srivastava_2015.sequences import Sequences, ShapeSequences, cmu_poses
from kineseg_training.studies.srivastava_2015.task import SIZES, CompositeTask, CompositeTraining


@dataclass(frozen=True)
class Variant:
    """Which decoders there are, and whether they are given their own output.

    Attributes:
        reconstruct: Whether one gives the input back.
        predict: Whether one goes on with it.
        conditional: See `CompositeSettings`.
    """

    reconstruct: bool
    predict: bool
    conditional: bool


# The six of the paper.
VARIANTS: dict[str, Variant] = {
    "reconstruct": Variant(True, False, False),
    "reconstruct, conditional": Variant(True, False, True),
    "predict": Variant(False, True, False),
    "predict, conditional": Variant(False, True, True),
    "composite": Variant(True, True, False),
    "composite, conditional": Variant(True, True, True),
}
# That of the paper's which predicted best.
BEST = VARIANTS["composite, conditional"]


def trained_composite(context: RunContext, sequences: Sequences | None = None) -> CompositeLSTM:
    """The conditional composite model of canonical pose, trained on the CMU training clips.

    What is finished in ``place.models / "composite"`` is read, what is not is gone on with.

    Args:
        context: Preset, folders, device and seed.
        sequences: The training clips, as `cmu_poses` gives them, if they are read already.

    Returns:
        The model, in eval mode, on the CPU.

    Raises:
        DataError: There are no CMU clips.
        CheckpointError: The folder holds another run.
    """
    sequences = sequences or cmu_poses(context.needs_cmu())[0]
    return trained_variant(context, sequences, BEST, context.models / "composite")


def trained_shapes(context: RunContext) -> CompositeLSTM:
    """The unconditioned composite model of moving shapes, in ``place.models / "composite_shapes"``; else as above."""
    size = SIZES[context.preset]
    sequences = shape_sequences(context)
    settings = CompositeSettings(
        sequences.inputs, size.shapes_hidden, output=sequences.output, window=size.shapes_training.source
    )
    folder = context.models / "composite_shapes"
    return run(context, settings, sequences, size.shapes_training, folder, context.seed)


def shape_sequences(context: RunContext) -> ShapeSequences:
    """The films that models of this size learn from."""
    return ShapeSequences(patch=SIZES[context.preset].patch)


def trained_variant(
    context: RunContext,
    sequences: Sequences,
    variant: Variant,
    folder: Path,
    *,
    layers: int = 1,
    seed: int | None = None,
    training: CompositeTraining | None = None,
    frozen: CompositeLSTM | None = None,
) -> CompositeLSTM:
    """A model of the size of the preset, trained in `folder` or read from there; eval mode, on the CPU.

    Args:
        context: Preset, device, and the seed if none is given.
        sequences: What it learns from.
        variant: Its decoders.
        folder: Of this run alone.
        layers: Of the encoder and each decoder.
        seed: Of everything random in the run.
        training: If other than that of the preset.
        frozen: See `CompositeTask`.
    """
    size = SIZES[context.preset]
    training = training or size.training
    settings = CompositeSettings(
        sequences.inputs,
        size.hidden,
        layers,
        variant.reconstruct,
        variant.predict,
        variant.conditional,
        sequences.output,
        training.source,
    )
    return run(context, settings, sequences, training, folder, context.seed if seed is None else seed, frozen)


def run(
    context: RunContext,
    settings: CompositeSettings,
    sequences: Sequences,
    training: CompositeTraining,
    folder: Path,
    seed: int,
    frozen: CompositeLSTM | None = None,
) -> CompositeLSTM:
    """Train in `folder`, or go on with what is there, or read it if it is finished; eval mode, on the CPU."""
    task = CompositeTask(settings, sequences, training, seed, frozen)
    loop = LoopSettings(training.iterations, SIZES[context.preset].validate_every, device=context.device, seed=seed)
    train(task, loop, folder, resume=True, progress=context.progress)
    return task.network.cpu()


def load_composite(folder: Path) -> CompositeLSTM:
    """The model of a run folder with the best parameters of the run; eval mode, on the CPU.

    Raises:
        CheckpointError: There is no run, or one of another family.
    """
    saved = load_saved(folder / LAST)
    try:
        settings = CompositeSettings(**cast(Mapping[str, Any], saved.recipe["model"]))
        model = CompositeLSTM(settings)
        model.load_state_dict(dict(saved.best))
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{folder}: not a run of a composite LSTM ({error})") from error
    return model.eval()
