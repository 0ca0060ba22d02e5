"""The commands of `kineseg-train composite` that are about few labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from kineseg_training.options import (
    BvhFolder,
    CmuFolder,
    Device,
    Out,
    PresetOption,
    Quiet,
    Seed,
    Threads,
    add_experiment,
    place,
    reporting,
    show,
)

app = typer.Typer(no_args_is_help=True)


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
    from kineseg_training.studies.srivastava_2015.few_labels.settings import PRESETS

    with reporting():
        where = place(out, preset, cmu, bvh, device, quiet=quiet, seed=seed)
        settings = PRESETS[where.preset]
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
        show(lambda there: experiment(there, settings), where, threads)


add_experiment(
    app,
    "few-labels-optimiser",
    "studies.srivastava_2015.few_labels.optimiser:few_labels_optimiser",
    "Which learning rate and how many steps suit the classifier that starts at random, on held-out training takes.",
)
