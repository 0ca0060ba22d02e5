"""`kineseg-train report`: run the experiments, and write the page: one HTML file that fetches nothing from anywhere."""

from __future__ import annotations

import base64
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from jinja2 import Environment

from kineseg_training.errors import SettingsError
from kineseg_training.files import write_atomically
from kineseg_training.options import BvhFolder, CmuFolder, Device, PresetOption, Quiet, Seed, reporting
from kineseg_training.report.contents import ENTRIES, FAMILIES, PARTS, Part, chosen
from kineseg_training.report.run import Outcome, pictures_of, run_all
from kineseg_training.studies.exhibit import RunContext, shown
from kineseg_training.studies.experiment import run_context

_TYPES = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4"}
_PRESETS = {
    "tiny": "tiny, which only shows that everything runs: its numbers mean nothing",
    "small": "small, made for two CPU cores",
    "full": "full, with the papers' sizes",
}
PAGE = "report.html"
_CORES = os.cpu_count() or 1
_KEYS = ", ".join(entry.key for entry in ENTRIES)


def page(outcomes: Sequence[Outcome], context: RunContext, machine: str) -> str:
    """HTML of a report.

    Args:
        outcomes: Of the experiments, in order.
        context: Where they were made.
        machine: On what, in words.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = shown
    template = environment.from_string(files("kineseg_training.report").joinpath("page.html.j2").read_text())
    parts: list[tuple[Part, list[Outcome]]] = [
        (part, [outcome for outcome in outcomes if outcome.entry.part == part.letter]) for part in PARTS
    ]
    return template.render(
        parts=[(part, members) for part, members in parts if members],
        verdicts=[outcome for outcome in outcomes if outcome.exhibit and outcome.exhibit.agreement != "not compared"],
        pictures={outcome.entry.key: _inlined(pictures_of(outcome, context)) for outcome in outcomes},
        preset=_PRESETS[context.preset],
        seed=context.seed,
        machine=machine,
        minutes=sum(outcome.seconds for outcome in outcomes) / 60.0,
        failed=[outcome for outcome in outcomes if outcome.exhibit is None],
    )


def _inlined(pictures: Mapping[str, Path]) -> dict[str, str]:
    """Data addresses."""
    found = {}
    for name, file in pictures.items():
        kind = _TYPES.get(file.suffix)
        if kind is None:
            raise SettingsError(f"pictures: {name} is neither of {', '.join(_TYPES)}")
        found[name] = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
    return found


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
        context = run_context(out, preset, cmu, bvh, device, quiet=quiet, seed=seed)
        outcomes = run_all(entries, context, jobs)
        write_atomically(out / PAGE, page(outcomes, context, _machine(device, jobs)).encode())
        for outcome in outcomes:
            said = f"{outcome.exhibit.agreement}. {outcome.exhibit.verdict}" if outcome.exhibit else outcome.problem
            typer.echo(f"{outcome.entry.key} ({outcome.seconds:.0f} s): {said}")
        typer.echo(f"\nwrote {out / PAGE}")
        if any(outcome.exhibit is None for outcome in outcomes):
            raise typer.Exit(1)


def _machine(device: str, jobs: int) -> str:
    where = f"{os.cpu_count()} CPU cores" + ("" if device == "cpu" else f" and {device}")
    return f"{where}, {jobs} experiment{'s' if jobs > 1 else ''} at a time, Python {platform.python_version()}"
