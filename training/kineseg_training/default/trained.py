"""The trained predictor: trained by the loop in a run folder, and read from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kineseg_training.data import Corpus, Source
from kineseg_training.default.task import FAMILY, FitSettings, PredictorTask
from kineseg_training.errors import CheckpointError
from kineseg_training.loop import LAST, Course, CourseRow, LoopSettings, Saved, load_saved, train
from kineseg_training.loop.course import best_row
from kineseg_training.models import Seq2Seq, Seq2SeqSettings


@dataclass(frozen=True, eq=False)
class Trained:
    """A predictor, and what it was trained on and how.

    Attributes:
        model: With the parameters of its best epoch, in eval mode, on the CPU.
        settings: How it was trained.
        channels: Names of the channels.
        fingerprint: Of the training data.
        source: Where the training data lay.
        held_out: Names of the takes that were validated on.
        course: Figures before training and after every epoch.
    """

    model: Seq2Seq
    settings: FitSettings
    channels: tuple[str, ...]
    fingerprint: str
    source: Source
    held_out: tuple[str, ...]
    course: Course

    @property
    def best(self) -> CourseRow:
        """The figures of the best epoch."""
        return best_row(self.course)

    @property
    def best_epoch(self) -> int:
        """Its number, from 1; 0: training made it no better."""
        return self.best.iteration // self.settings.steps

    @property
    def epochs(self) -> int:
        """How many epochs there were."""
        return self.course[-1].iteration // self.settings.steps


def fit(
    corpus: Corpus,
    settings: FitSettings,
    out: Path,
    *,
    device: str = "cpu",
    resume: bool = False,
    progress: bool = True,
    on_validation: Callable[[CourseRow], None] | None = None,
) -> Trained:
    """Train on `corpus`, validate after each epoch, and leave the run in `out` as `loop.train` does.

    Args:
        corpus: What to learn from.
        settings: How.
        out: Run folder, made if need be.
        device: As torch names it: ``cpu``, ``cuda`` ...
        resume: Go on from the checkpoint in `out` if there is one.
        progress: Show a bar.
        on_validation: Called before training and after each epoch.

    Raises:
        DataError: Too few or too short takes.
        SettingsError: Settings that do not fit the data, or a device that is not there.
        CheckpointError: `out` holds a run and `resume` is off; or it had other settings, channels or data.
        TrainingError: Interrupted, or the loss is not a number any more.
    """
    loop = LoopSettings(
        settings.epochs * settings.steps, settings.steps, settings.patience, device=device, seed=settings.seed
    )
    task = PredictorTask(corpus, settings)
    return _trained(train(task, loop, out, resume=resume, progress=progress, on_validation=on_validation))


def load_trained(folder: Path) -> Trained:
    """What `fit` left in the folder.

    Raises:
        CheckpointError: There is no run, or one of another family.
    """
    saved = load_saved(folder / LAST)
    if saved.recipe.get("family") != FAMILY:
        raise CheckpointError(f"{folder}: not a run of the predictor; name a run folder of `kineseg-train fit`")
    return _trained(saved)


def _trained(saved: Saved) -> Trained:
    recipe, notes = cast(Mapping[str, Any], saved.recipe), cast(Mapping[str, Any], saved.notes)
    settings = FitSettings.from_recipe(recipe)
    model = Seq2Seq(Seq2SeqSettings(len(recipe["channels"]), settings.hidden, settings.cell))
    model.load_state_dict(dict(saved.best))
    return Trained(
        model.eval(),
        settings,
        tuple(recipe["channels"]),
        recipe["data"],
        Source.from_plain(notes["source"]),
        tuple(notes["held_out"]),
        saved.course,
    )
