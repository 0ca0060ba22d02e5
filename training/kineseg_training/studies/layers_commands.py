"""`kineseg-train interpret layers` and `gradcam`: what each layer sees alike, and which joints speak for an action."""

from __future__ import annotations

from typing import Annotated

import typer

from kineseg_training import options

app = typer.Typer(no_args_is_help=True)

options.add_experiment(
    app,
    "layers",
    "studies.das_2023.layers.run:layers",
    "Smoothness of the actions on the dataset graph of every layer of every family.",
)


@app.command("gradcam")
def gradcam_command(
    out: options.Out,
    gif: Annotated[bool, typer.Option(help="Also animate the moving body.")] = True,
    preset: options.PresetOption = "small",
    cmu: options.CmuFolder = None,
    bvh: options.BvhFolder = None,
    device: options.Device = "cpu",
    seed: options.Seed = 0,
    threads: options.Threads = 1,
    quiet: options.Quiet = False,
) -> None:
    """Joints and moments that speak for an action, at an early, a middle and a late layer of the ST-GCN."""
    from kineseg_training.studies.das_2023.gradcam.run import gradcam

    with options.reporting():
        options.show(
            lambda place: gradcam(place, animate=gif),
            options.place(out, preset, cmu, bvh, device, quiet=quiet, seed=seed),
            threads,
        )
