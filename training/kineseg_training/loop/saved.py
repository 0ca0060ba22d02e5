"""A run as it is saved: all that it takes to go on as if it had not been interrupted."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from kineseg_training.errors import CheckpointError
from kineseg_training.files import write_atomically
from kineseg_training.loop.course import Course, CourseRow, best_row

LAST = "last.pt"
FORMAT = 2


@dataclass(frozen=True)
class Saved:
    """A run as it was saved.

    Attributes:
        recipe: What the run is made of.
        iteration: Steps done.
        network: Parameters and buffers after the last of them.
        best: The same after the best validation; after the last step where no figure is monitored.
        optimisers: State of each.
        course: One row a validation.
        monitor: The figure that the best validation is the best by, if any.
        notes: What else the task had to say about itself.
    """

    recipe: Mapping[str, object]
    iteration: int
    network: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    optimisers: Mapping[str, Mapping[str, object]]
    course: Course
    monitor: str | None = "validation_loss"
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def best_row(self) -> CourseRow:
        """The figures that belong to `best`."""
        return self.course[-1] if self.monitor is None else best_row(self.course, self.monitor)

    def write(self, path: Path) -> None:
        """Save it, whole or not at all."""
        content = io.BytesIO()
        torch.save(
            {
                "format": FORMAT,
                "recipe": dict(self.recipe),
                "iteration": self.iteration,
                "network": dict(self.network),
                "best": dict(self.best),
                "optimisers": dict(self.optimisers),
                "course": [{"iteration": row.iteration, "figures": dict(row.figures)} for row in self.course],
                "monitor": self.monitor,
                "notes": dict(self.notes),
            },
            content,
        )
        write_atomically(path, content.getvalue())


def load_saved(path: Path) -> Saved:
    """Read a checkpoint of `train`; tensors come to the CPU.

    Raises:
        CheckpointError: There is none, or it is not one of ours.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; train first")
    try:
        # Plain values and tensors only, so that a checkpoint from elsewhere cannot run code.
        raw = torch.load(path, map_location="cpu", weights_only=True)
        if raw["format"] != FORMAT:
            raise CheckpointError(f"{path}: checkpoint format {raw['format']}, expected {FORMAT}; train again")
        return Saved(
            raw["recipe"],
            raw["iteration"],
            raw["network"],
            raw["best"],
            raw["optimisers"],
            tuple(CourseRow(row["iteration"], row["figures"]) for row in raw["course"]),
            raw["monitor"],
            raw["notes"],
        )
    except CheckpointError:
        raise
    except Exception as error:  # torch.load raises whatever unpickling raises
        raise CheckpointError(f"{path}: not a checkpoint of kineseg-train ({error})") from error
