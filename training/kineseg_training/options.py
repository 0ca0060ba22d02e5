"""What all commands share: common options, where the recordings lie, and the way to report errors."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kineseg_training.errors import DataError, EvaluationError, TrainingError
from kineseg_training.files import DATA_VARIABLE, find_beside

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


def cmu_folder(named: Path | None, option: str = "--cmu") -> Path:
    """The folder of the CMU clips: as named by the option, or beside the checkout.

    Raises:
        DataError: It is neither named nor there.
    """
    found = named or beside("cmu_mocap")
    if found is None:
        raise DataError(f"there are no CMU clips beside the checkout; name their folder with {option}")
    return found


@contextmanager
def reporting() -> Iterator[None]:
    """Log to standard error, and end with the message alone where we know what is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        yield
    except TrainingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def beside(folder: str) -> Path | None:
    """A folder of recordings beside the checkout, if it is there."""
    try:
        found = find_beside(Path(__file__), "data", DATA_VARIABLE) / folder
    except EvaluationError:
        return None
    return found if found.is_dir() else None
