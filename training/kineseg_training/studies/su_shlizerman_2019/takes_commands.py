"""`kineseg-train baseline take` and `kineseg-train baseline takes`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import Annotated

import torch
import typer

from kineseg_training.loop import LoopSettings
from kineseg_training.options import CmuFolder, Device, Out, PresetOption, Quiet, Seed, Threads, place, reporting, show
from kineseg_training.studies.su_shlizerman_2019.takes.data import load_take
from kineseg_training.studies.su_shlizerman_2019.takes.run import takes
from kineseg_training.studies.su_shlizerman_2019.takes.segment import (
    EVERY,
    SETTINGS,
    save_take,
    segment_take,
    variants_of,
)

Every = Annotated[int | None, typer.Option(help="Keep every so many-th frame of 120 a second; none: the preset's.")]
Number = Annotated[int | None, typer.Option(min=1, help="Instead of the preset's.")]


def take_command(
    take: Annotated[str, typer.Argument(help="Number of the take: 01, 03 ...")],
    out: Out,
    oracle_split: Annotated[
        bool | None,
        typer.Option(
            "--oracle-split/--no-oracle-split",
            help="Use the true boundaries, as the published script does (an ORACLE), or do not; default: both.",
        ),
    ] = None,
    mixed: Annotated[bool, typer.Option(help="With both: also what lies between them.")] = False,
    preset: PresetOption = "small",
    cmu: CmuFolder = None,
    every: Every = None,
    source: Number = None,
    target: Number = None,
    hidden: Number = None,
    iterations: Number = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Segment one annotated take of subject 86 with a predictor trained on it; an interrupted run is gone on with.

    Offline: it trains on what it segments and is told the number of classes. With the oracle split it is told the true
    boundaries too, so that figure says nothing about a take without annotation.
    """
    with reporting():
        torch.set_num_threads(threads)
        where = place(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        settings = SETTINGS[where.preset]
        settings = replace(
            settings,
            source=source or settings.source,
            target=target or settings.target,
            hidden=hidden or settings.hidden,
            iterations=iterations or settings.iterations,
        )
        settings = replace(settings, validate_every=min(settings.validate_every, settings.iterations))
        loaded = load_take(where.needs_cmu(), take, every=EVERY[where.preset] if every is None else every)
        variants = variants_of(oracle_split is not False, oracle_split is not True, mixed=mixed)
        loop = LoopSettings(settings.iterations, settings.validate_every, device=device, seed=seed)
        found = segment_take(loaded, settings, out, variants, loop=loop, progress=not quiet)
        save_take(loaded, found, out)
        typer.echo(f"take {loaded.name}: {loaded.classes} classes (told), {len(loaded.frames)} frames")
        for one in found:
            s = one.scores
            typer.echo(
                f"{one.variant.name:<58} {one.linkage:<8} MoF {s.mof:6.1%}  ARI {s.ari:5.2f}  AMI {s.ami:5.2f}  "
                f"V-measure = NMI {s.v_measure:5.2f}"
            )
        typer.echo(f"wrote {out}")


def takes_command(
    out: Out,
    preset: PresetOption = "small",
    take: Annotated[list[str] | None, typer.Option(help="Number of a take, instead of the preset's; repeat.")] = None,
    cmu: CmuFolder = None,
    device: Device = "cpu",
    seed: Seed = 0,
    threads: Threads = 1,
    quiet: Quiet = False,
) -> None:
    """Several takes with the oracle split, without it and in between, and the service beside them."""
    with reporting():
        where = place(out, preset, cmu, None, device, quiet=quiet, seed=seed)
        command = shlex.join(["kineseg-train", *sys.argv[1:]])
        show(lambda at: takes(at, take or (), command=command), where, threads)
