"""Running one experiment from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
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
    beside,
    reporting,
)
from kineseg_training.studies.exhibit import Exhibit, Preset, RunContext, experiment

_PRESETS: dict[str, Preset] = {"tiny": "tiny", "small": "small", "full": "full"}


def run_context(
    out: Path,
    preset: str,
    cmu: Path | None,
    bvh: Path | None,
    device: str = "cpu",
    *,
    quiet: bool = False,
    seed: int = 0,
) -> RunContext:
    """Where an experiment works; data folders that are not named are looked for beside the checkout."""
    if preset not in _PRESETS:
        raise typer.BadParameter(f"{preset!r}: expected one of {', '.join(_PRESETS)}", param_hint="--preset")
    out.mkdir(parents=True, exist_ok=True)
    return RunContext(
        out,
        _PRESETS[preset],
        cmu or beside("cmu_mocap"),
        bvh or beside("bvh/bandai_namco_1"),
        device,
        progress=not quiet,
        seed=seed,
    )


def show(run: Callable[[RunContext], Exhibit], where: RunContext, threads: int) -> None:
    """Run one experiment, save and print what it found."""
    torch.set_num_threads(threads)
    exhibit = run(where)
    exhibit.save(where.out)
    typer.echo(exhibit.text())
    typer.echo(f"\nwrote {where.out}")


def add_experiment(app: typer.Typer, name: str, function: str, about: str, *, bvh: bool = True) -> None:
    """Add the command of an experiment that has no options of its own.

    Args:
        app: What the command is added to.
        name: Of the command.
        function: Module and name in this package, ``module:name``; imported when the command runs.
        about: The help of the command.
        bvh: Whether it is about the BVH recordings too, and takes their folder.
    """

    def with_bvh(
        out: Out,
        preset: PresetOption = "small",
        cmu: CmuFolder = None,
        bvh: BvhFolder = None,
        device: Device = "cpu",
        threads: Threads = 1,
        quiet: Quiet = False,
        seed: Seed = 0,
    ) -> None:
        with reporting():
            show(experiment(function), run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed), threads)

    def without_bvh(
        out: Out,
        preset: PresetOption = "small",
        cmu: CmuFolder = None,
        device: Device = "cpu",
        threads: Threads = 1,
        quiet: Quiet = False,
        seed: Seed = 0,
    ) -> None:
        with_bvh(out, preset, cmu, None, device, threads, quiet, seed)

    app.command(name, help=about)(with_bvh if bvh else without_bvh)
