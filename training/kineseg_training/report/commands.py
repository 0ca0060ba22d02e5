"""`kineseg-train report`: run the experiments and write the page."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Annotated

import typer

from kineseg_training.files import write_atomically
from kineseg_training.options import BvhFolder, CmuFolder, Device, PresetOption, Quiet, Seed, reporting
from kineseg_training.report.contents import ENTRIES, FAMILIES, chosen
from kineseg_training.report.page import page
from kineseg_training.report.run import run_all
from kineseg_training.studies.experiment import place

PAGE = "report.html"

_CORES = os.cpu_count() or 1

_KEYS = ", ".join(entry.key for entry in ENTRIES)


def report(
    out: Annotated[Path, typer.Argument(help="Folder for page, pictures and models; what is finished there is used.")],
    preset: PresetOption = "small",
    only: Annotated[list[str] | None, typer.Option(help=f"Just these experiments; repeat. There are {_KEYS}.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Leave out these experiments; repeat.")] = None,
    family: Annotated[
        list[str] | None, typer.Option(help=f"Just what these models suffice for ({', '.join(FAMILIES)}); repeat.")
    ] = None,
    cmu: CmuFolder = None,
    bvh: BvhFolder = None,
    jobs: Annotated[int, typer.Option(min=1, help="Experiments at a time, each with one thread.")] = _CORES,
    device: Device = "cpu",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Train and compare the models of all three papers, and write one self-contained HTML page about it."""
    with reporting():
        entries = chosen(only or (), without or (), family or ())
        where = place(out, preset, cmu, bvh, device, quiet=quiet, seed=seed)
        outcomes = run_all(entries, where, jobs)
        write_atomically(out / PAGE, page(outcomes, where, _machine(device, jobs)).encode())
        for outcome in outcomes:
            said = f"{outcome.exhibit.agreement}. {outcome.exhibit.verdict}" if outcome.exhibit else outcome.problem
            typer.echo(f"{outcome.entry.key} ({outcome.seconds:.0f} s): {said}")
        typer.echo(f"\nwrote {out / PAGE}")
        if any(outcome.exhibit is None for outcome in outcomes):
            raise typer.Exit(1)


def _machine(device: str, jobs: int) -> str:
    where = f"{os.cpu_count()} CPU cores" + ("" if device == "cpu" else f" and {device}")
    return f"{where}, {jobs} experiment{'s' if jobs > 1 else ''} at a time, Python {platform.python_version()}"
