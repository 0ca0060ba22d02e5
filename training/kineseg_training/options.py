"""What the commands of all rooms share: common options, the way to report errors, and running one experiment."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer

from kineseg_training.errors import DataError, EvaluationError, TrainingError
from kineseg_training.files import DATA_VARIABLE, find_beside
from kineseg_training.studies.exhibit import Exhibit, Place, Preset, experiment

Threads = Annotated[int, typer.Option(min=1, help="CPU threads; equal bytes need equal numbers of threads.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
Out = Annotated[Path, typer.Argument(help="Folder for the results; what an interrupted run left there is used.")]
RunFolder = Annotated[Path, typer.Argument(help="Run folder: checkpoint, course.csv, course.png.")]
PresetOption = Annotated[str, typer.Option(help="tiny (seconds), small (for two cores) or full (as in the paper).")]
CmuFolder = Annotated[Path | None, typer.Option(help="Folder of the CMU clips.")]
BvhFolder = Annotated[Path | None, typer.Option(help="Folder of the BVH recordings.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")]
PrecisionOption = Annotated[str, typer.Option(help="float32, bfloat16 or float16 (mixed precision).")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")]
TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard events.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]

_PRESETS: dict[str, Preset] = {"tiny": "tiny", "small": "small", "full": "full"}


def place(
    out: Path,
    preset: str,
    cmu: Path | None,
    bvh: Path | None,
    device: str = "cpu",
    *,
    quiet: bool = False,
    seed: int = 0,
) -> Place:
    """Where an experiment works; data folders that are not named are looked for beside the checkout."""
    if preset not in _PRESETS:
        raise typer.BadParameter(f"{preset!r}: expected one of {', '.join(_PRESETS)}", param_hint="--preset")
    out.mkdir(parents=True, exist_ok=True)
    return Place(
        out,
        _PRESETS[preset],
        cmu or _beside("cmu_mocap"),
        bvh or _beside("bvh/bandai_namco_1"),
        device,
        progress=not quiet,
        seed=seed,
    )


def cmu_folder(named: Path | None, option: str = "--cmu") -> Path:
    """The folder of the CMU clips: as named by the option, or beside the checkout.

    Raises:
        DataError: It is neither named nor there.
    """
    found = named or _beside("cmu_mocap")
    if found is None:
        raise DataError(f"there are no CMU clips beside the checkout; name their folder with {option}")
    return found


def show(run: Callable[[Place], Exhibit], where: Place, threads: int) -> None:
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
            show(experiment(function), place(out, preset, cmu, bvh, device, quiet=quiet, seed=seed), threads)

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


@contextmanager
def reporting() -> Iterator[None]:
    """Log to standard error, and end with the message alone where we know what is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        yield
    except TrainingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _beside(folder: str) -> Path | None:
    try:
        found = find_beside(Path(__file__), "data", DATA_VARIABLE) / folder
    except EvaluationError:
        return None
    return found if found.is_dir() else None
