"""The commands of `kineseg-train recognition`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import torch
import typer

from kineseg_training import options
from kineseg_training.data.labelled import bvh_contents, cmu_actions, long_enough
from kineseg_training.errors import SettingsError
from kineseg_training.loop import LoopSettings, Precision
from kineseg_training.studies import experiment
from kineseg_training.studies.das_2023.scores import evaluate
from kineseg_training.studies.das_2023.trained import PRESETS, train_stgcn

app = typer.Typer(help="An ST-GCN that recognises actions: train, evaluate, transfer.", no_args_is_help=True)

_WINDOW = PRESETS["small"].model(("a", "b")).window


@app.command("train")
def train_command(
    out: Annotated[Path, typer.Argument(help="Run folder.")],
    preset: options.PresetOption = "small",
    data: Annotated[str, typer.Option(help="cmu or bvh.")] = "cmu",
    actions: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="Steps; default: of the preset.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of a block's features left out.")] = None,
    temporal_kernel: Annotated[int | None, typer.Option(help="Frames that a temporal convolution sees, odd.")] = None,
    cmu: options.CmuFolder = None,
    bvh: options.BvhFolder = None,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
    precision: options.PrecisionOption = "float32",
    threads: options.Threads = 1,
    resume: options.Resume = False,
    tensorboard: options.TensorBoard = False,
    quiet: options.Quiet = False,
) -> None:
    """Train on one data set; print how well test clips of other takes are named."""
    with options.reporting():
        torch.set_num_threads(threads)
        context = experiment.run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed)
        if data == "cmu":
            train, test = cmu_actions(context.needs_cmu())
        elif data == "bvh":
            train, test = bvh_contents(context.needs_bvh())
            chosen = long_enough(train, test, _WINDOW)
            train, test = train.only(chosen), test.only(chosen)
        else:
            raise SettingsError(f"data: expected cmu or bvh, got {data!r}")
        if actions:
            wanted = [action.strip() for action in actions.split(",")]
            train, test = train.only(wanted), test.only(wanted)
        size = PRESETS[context.preset]
        if dropout is not None:
            size = replace(size, dropout=dropout)
        if temporal_kernel is not None:
            size = replace(size, temporal_kernel=temporal_kernel)
        settings = LoopSettings(
            iterations or size.training.iterations,
            size.validate_every,
            precision=cast(Precision, precision),  # checked by the settings
            device=device,
            seed=seed,
            tensorboard=tensorboard,
        )
        network = train_stgcn(train, size, out, settings, resume=resume, progress=not quiet)
        result = evaluate(network, test, size.every)
        typer.echo(
            f"{out}: {100 * result.balanced():.0f}% of test windows (actions alike) and "
            f"{100 * result.clip_accuracy():.0f}% of test clips named rightly"
        )


experiment.add_experiment(
    app,
    "recognise",
    "studies.das_2023.recognise.run:recognise",
    "How well the CMU actions are recognised, how sure it is, and what it makes of unknown ones.",
)
experiment.add_experiment(
    app,
    "transfer",
    "studies.das_2023.transfer.report:transfer",
    "Fine-tune the last layers to the contents of the BVH set: accuracy and smoothness against their number.",
)
