"""The course of a run: one row a validation, as CSV, as a plot, and as TensorBoard events by option."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kineseg_training.errors import SettingsError
from kineseg_training.files import write_atomically

if TYPE_CHECKING:  # an optional package
    from torch.utils.tensorboard import SummaryWriter


@dataclass(frozen=True)
class CourseRow:
    """What was found after an iteration.

    Attributes:
        iteration: Steps done.
        figures: By name: ``validation_loss`` and whatever else the task reports; means of the training losses since the
            row before (none in the first row, which is before any training).
    """

    iteration: int
    figures: Mapping[str, float]


Course = tuple[CourseRow, ...]
_DRAWN_EVERY_S = 10.0


def best_row(course: Course, monitor: str = "validation_loss") -> CourseRow:
    """The row of the smallest figure `monitor`; the first of equals."""
    return min(course, key=lambda row: row.figures[monitor])


class CourseFiles:
    """Keeps ``course.csv`` of all rows in a folder, and ``course.png``, which is drawn now and then, and on leaving:
    small models take many steps in the time of a drawing.

    Args:
        folder: Where; none: nothing is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._course: Course = ()
        self._drawn: Course = ()
        self._drawn_s = time.monotonic()

    def __enter__(self) -> CourseFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._course != self._drawn:
            self._draw()

    def write(self, course: Course) -> None:
        """The course as far as it is known."""
        if self._folder is None:
            return
        self._course = course
        write_atomically(self._folder / "course.csv", _table(course, _names(course)))
        if time.monotonic() - self._drawn_s > _DRAWN_EVERY_S:
            self._draw()

    def _draw(self) -> None:
        assert self._folder is not None
        losses = [name for name in _names(self._course) if "loss" in name]
        write_atomically(self._folder / "course.png", _picture(self._course, losses))
        self._drawn, self._drawn_s = self._course, time.monotonic()


def _names(course: Course) -> list[str]:
    return list(dict.fromkeys(name for row in course for name in row.figures))


def _table(course: Course, names: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["iteration", *names])
    writer.writerows([row.iteration, *(row.figures.get(name, "") for name in names)] for row in course)
    return text.getvalue().encode()


def _picture(course: Course, names: Sequence[str]) -> bytes:
    from matplotlib.figure import Figure  # a second to import

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name in names:
        points = [(row.iteration, row.figures[name]) for row in course if name in row.figures]
        axes.plot(*zip(*points, strict=True), marker=".", label=name.replace("_", " "))
    if all(row.figures[name] > 0 for row in course for name in names if name in row.figures):
        axes.set_yscale("log")
    axes.set(xlabel="iteration", ylabel="loss")
    axes.grid(alpha=0.3)
    if names:
        axes.legend(fontsize="small")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    return picture.getvalue()


class Board:
    """Writes rows as TensorBoard events, if wanted."""

    def __init__(self, folder: Path | None, *, wanted: bool) -> None:
        self._writer = _writer(folder) if wanted and folder else None

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, row: CourseRow) -> None:
        """Write a row."""
        if self._writer is not None:
            for name, value in row.figures.items():
                self._writer.add_scalar(name, value, row.iteration)


def _writer(folder: Path) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise SettingsError(
            "tensorboard: TensorBoard is not installed; pip install 'kineseg[explore]', or train without it"
        ) from error
    return SummaryWriter(str(folder / "tensorboard"))
