"""The commands of `kineseg-train composite`: train a model, and the experiments of the paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, cast

import torch
import typer

from kineseg_training.errors import SettingsError
from kineseg_training.loop import LoopSettings
from kineseg_training.loop import train as run_loop
from kineseg_training.loop.settings import Precision
from kineseg_training.models.composite import CompositeSettings
from kineseg_training.options import (
    BvhFolder,
    CmuFolder,
    Device,
    Out,
    PrecisionOption,
    PresetOption,
    Quiet,
    Resume,
    RunFolder,
    Seed,
    TensorBoard,
    Threads,
    reporting,
)
from kineseg_training.studies.early_stop import WATCHED, stopped_by
from kineseg_training.studies.experiment import add_experiment, run_context, show
from kineseg_training.studies.srivastava_2015.sequences import Sequences, ShapeSequences, cmu_poses
from kineseg_training.studies.srivastava_2015.task import SIZES, CompositeTask, CompositeTraining
from kineseg_training.studies.srivastava_2015.trained import VARIANTS

app = typer.Typer(
    help="The composite LSTM of Srivastava, Mansimov & Salakhutdinov (2015).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


_POSES, _SHAPES = "poses", "shapes"


@app.command()
def train(
    out: RunFolder,
    variant: Annotated[str, typer.Option(help="reconstruct, predict or composite (both decoders).")] = "composite",
    conditional: Annotated[
        bool, typer.Option(help="Give the decoder its own previous frame (in a composite model: that of the future).")
    ] = True,
    data: Annotated[str, typer.Option(help="poses (canonical pose of the CMU clips) or shapes (films).")] = _POSES,
    cmu: CmuFolder = None,
    layers: Annotated[int, typer.Option(help="Of the encoder and of each decoder.")] = 1,
    hidden: Annotated[int | None, typer.Option(help="Units of a layer; else those of the preset.")] = None,
    source: Annotated[int | None, typer.Option(help="Frames read and given back.")] = None,
    target: Annotated[int | None, typer.Option(help="Frames predicted.")] = None,
    patch: Annotated[
        int | None, typer.Option(help="Side of the patches whose means a film is seen by; 1: pixels.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Sequences in a step.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Steps.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam, at the beginning.")] = None,
    vary: Annotated[bool, typer.Option(help="Show motion in other postures, stronger and weaker, too.")] = True,
    forced: Annotated[bool, typer.Option("--forced", help="Train conditional decoders on true frames.")] = False,
    validate_every: Annotated[int | None, typer.Option(help="Steps between validations and checkpoints.")] = None,
    patience: Annotated[int, typer.Option(help="Stop after so many validations without a better one; 0: never.")] = 0,
    stop_by: Annotated[
        str, typer.Option(help="What makes one better: loss, or embedding (of held-out sequences, without labels).")
    ] = "loss",
    preset: PresetOption = "small",
    device: Device = "cpu",
    precision: PrecisionOption = "float32",
    resume: Resume = False,
    tensorboard: TensorBoard = False,
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Train one model; `torchrun -m kineseg_training composite train ...` does so with several processes."""
    with reporting():
        torch.set_num_threads(threads)
        context = run_context(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        size = SIZES[context.preset]
        if data not in (_POSES, _SHAPES):
            raise SettingsError(f"data must be {_POSES} or {_SHAPES}, got {data!r}")
        if variant not in ("reconstruct", "predict", "composite"):
            raise SettingsError(f"variant must be reconstruct, predict or composite, got {variant!r}")
        sequences: Sequences
        if data == _POSES:
            sequences, _ = cmu_poses(context.needs_cmu(), vary=vary)
            usual, width = size.training, size.hidden
        else:
            sequences = ShapeSequences(patch=patch or size.patch)
            usual, width = size.shapes_training, size.shapes_hidden
        training = CompositeTraining(
            source or usual.source,
            target or usual.target,
            iterations or usual.iterations,
            batch or usual.batch,
            learning_rate or usual.learning_rate,
            forced=forced,
        )
        settings = CompositeSettings(
            sequences.inputs,
            hidden or width,
            layers,
            VARIANTS[variant].reconstruct,
            VARIANTS[variant].predict,
            conditional,
            sequences.output,
            training.source,
        )
        loop = LoopSettings(
            training.iterations,
            validate_every or size.validate_every,
            patience,
            cast(Precision, precision),  # checked by the settings
            device,
            seed,
            tensorboard,
        )
        task = CompositeTask(settings, sequences, training, seed)
        windows = sequences.held_out(WATCHED, training.source)
        watched, loop = stopped_by(stop_by, task, loop, task.network, windows, training.target)
        saved = run_loop(watched, loop, out, resume=resume, progress=not quiet)
        best = saved.best_row
        found = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in best.figures.items())
        typer.echo(f"{out}: best after {best.iteration} iterations: {found}")


add_experiment(
    app,
    "variants",
    "studies.srivastava_2015.variants.run:variants",
    "Which of the six variants predicts motion best.",
    bvh=False,
)
add_experiment(
    app,
    "extrapolation",
    "studies.srivastava_2015.extrapolation.run:extrapolation",
    "Let the decoders run further back and on than they were trained to.",
    bvh=False,
)


@app.command("few-labels")
def few_labels(
    out: Out,
    preset: PresetOption = "small",
    cmu: CmuFolder = None,
    bvh: BvhFolder = None,
    labels: Annotated[
        list[int] | None, typer.Option("--labels", help="Labelled windows of a class, 0 for all; repeat.")
    ] = None,
    window: Annotated[int | None, typer.Option(min=2, help="Frames of a window, at 30 a second.")] = None,
    seeds: Annotated[int | None, typer.Option(help="How often each classifier is trained.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the classifiers (not of a readout alone).")] = None,
    iterations: Annotated[int | None, typer.Option(help="Steps of the classifiers (not of a readout alone).")] = None,
    device: Device = "cpu",
    threads: Threads = 1,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Does unsupervised pretraining help to recognise actions when few windows are labelled?"""
    # torch takes seconds to import, which the help of other commands should not wait for.
    from kineseg_training.studies.srivastava_2015.few_labels.run import few_labels as experiment
    from kineseg_training.studies.srivastava_2015.few_labels.task import PRESETS

    with reporting():
        context = run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed)
        settings = PRESETS[context.preset]
        if labels:
            settings = replace(settings, labels=tuple(labels))
        if seeds is not None:
            settings = replace(settings, seeds=seeds)
        if window is not None:
            settings = replace(settings, window=window, pretraining=replace(settings.pretraining, source=window))
        training = settings.training
        if learning_rate is not None:
            training = replace(training, learning_rate=learning_rate)
        if iterations is not None:
            training = replace(training, iterations=iterations)
        settings = replace(settings, training=training)
        show(lambda there: experiment(there, settings), context, threads)


add_experiment(
    app,
    "few-labels-optimiser",
    "studies.srivastava_2015.few_labels.optimiser:few_labels_optimiser",
    "Which learning rate and how many steps suit the classifier that starts at random, on held-out training takes.",
)
