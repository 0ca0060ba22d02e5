"""From the library of actions to the file of the network: one is fitted to the truth, and a smaller one to that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kineseg_training.default.boundary_network import recipe
from kineseg_training.default.boundary_network.calibration import Calibration
from kineseg_training.default.boundary_network.examples import make_examples
from kineseg_training.default.boundary_network.export import to_bytes
from kineseg_training.default.boundary_network.fit import FitSettings, fit
from kineseg_training.default.boundary_network.streams.library import load_library
from kineseg_training.default.boundary_network.teacher import probabilities
from kineseg_training.errors import SettingsError


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        content: Of its file.
        examples: How many it was trained on.
        loss: With the truth, mean over the last steps.
    """

    content: bytes
    examples: int
    loss: float


def train(
    clips: Path | None, leave_out: frozenset[str], *, streams: int, steps: int, seed: int, progress: bool = False
) -> Trained:
    """Make the streams, take the examples, fit, export.

    Args:
        clips: Folder of the CMU clips; None only where they are left out.
        leave_out: Sources of actions to leave out.
        streams: How many training streams.
        steps: How many batches.
        seed: Of everything random.
        progress: Show bars.

    Raises:
        DataError: There are no clips in the folder.
        SettingsError: A setting that makes no sense.
    """
    if streams < 1:
        raise SettingsError(f"streams must be at least 1, got {streams}")
    teaching, learning = (FitSettings(size, steps, seed=seed) for size in (recipe.TEACHER, recipe.SIZE))
    library = load_library(clips, leave_out)
    examples = make_examples(library, streams, seed, progress=progress)
    teacher = fit(examples, teaching, progress=progress).network
    fitted = fit(examples, learning, probabilities(teacher, examples), progress=progress)
    return Trained(
        to_bytes(fitted.network, Calibration(recipe.DISCREPANCY_WEIGHT, recipe.OPERATING_POINT)),
        len(examples),
        fitted.loss[-1],
    )
