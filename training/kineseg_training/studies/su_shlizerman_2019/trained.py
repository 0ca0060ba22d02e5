"""The tied predictor trained on the canonical pose of the CMU actions: what the service, and the other rooms, use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from kineseg_training.data import LabelledClip, LabelledClips, cmu_actions
from kineseg_training.errors import CheckpointError
from kineseg_training.loop import LAST, LoopSettings, Saved, load_saved, train
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.early_stop import WATCHED, spread_windows, stopped_by
from kineseg_training.studies.exhibit import Preset, RunContext
from kineseg_training.studies.su_shlizerman_2019.task import PREDICTOR, PRESETS, BaselineSettings, TiedTask

FAMILY = "su_shlizerman"

# About half a second read and half a second predicted, in every preset: the shortest clips of an action have 37 frames
# at 30 a second. (The paper's windows last 0.2 s at 120 frames a second to 2 s at 25.)
_READ = _PREDICTED = 16

CANONICAL_PRESETS: Mapping[Preset, BaselineSettings] = {
    "full": replace(PRESETS["full"], source=_READ, target=_PREDICTED),
    "small": replace(PRESETS["small"], source=_READ, target=_PREDICTED, iterations=1500, batch=32),
    "tiny": replace(PRESETS["tiny"], source=_READ, target=_PREDICTED),
}


def trained_su(context: RunContext) -> TiedSeq2Seq:
    """The predictor of the place's preset in eval mode: trained now, or what was trained there before.

    Raises:
        DataError: The CMU clips are not there.
        CheckpointError: There is a run of another preset or other data.
    """
    settings = CANONICAL_PRESETS[context.preset]
    loop = LoopSettings(settings.iterations, settings.validate_every, device=context.device, seed=context.seed)
    model, _ = train_su(
        context.needs_cmu(), context.models / FAMILY, settings, loop, resume=True, progress=context.progress
    )
    return model


def train_su(
    cmu: Path,
    out: Path,
    settings: BaselineSettings,
    loop: LoopSettings,
    *,
    resume: bool,
    progress: bool,
    stop_by: str = "loss",
) -> tuple[TiedSeq2Seq, Saved]:
    """Train on the training clips of the CMU actions, validated on the last take of each action that has three.

    The parameters kept, and with patience the end, are by the validation loss or by the ``embedding`` of the
    validation clips (`studies.early_stop`).

    Returns:
        The model with its best parameters, in eval mode, on the CPU; and the run.
    """
    training, _ = cmu_actions(cmu)
    kept, held_out = _held_out(training)
    task = TiedTask(
        [clip.frames for clip in kept],
        settings,
        validation=[clip.frames for clip in held_out],
        seed=loop.seed,
        about={"frame_rate": training.rate},
    )
    windows = spread_windows([clip.frames for clip in held_out or kept], settings.source, WATCHED)
    watched, loop = stopped_by(stop_by, task, loop, task.predictor, windows, settings.target)
    saved = train(watched, loop, out, resume=resume, progress=progress)
    return task.predictor.cpu().eval(), saved


def load_su(folder: Path) -> TiedSeq2Seq:
    """The predictor of a run folder, with its best parameters, in eval mode, on the CPU.

    Raises:
        CheckpointError: There is none, or it is of another family.
    """
    saved = load_saved(folder / LAST)
    prefix = f"{PREDICTOR}."
    try:
        model = TiedSeq2Seq(TiedSettings(**cast(Mapping[str, Any], saved.recipe["model"])))
        model.load_state_dict(
            {name.removeprefix(prefix): value for name, value in saved.best.items() if name.startswith(prefix)}
        )
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{folder}: not a run of the tied predictor ({error})") from error
    return model.eval()


def _held_out(clips: LabelledClips) -> tuple[list[LabelledClip], list[LabelledClip]]:
    """(kept, held out)."""
    takes = Counter(clip.action for clip in clips.clips)
    last = {clip.action: clip.name for clip in clips.clips if takes[clip.action] >= 3}
    held_out = [clip for clip in clips.clips if last.get(clip.action) == clip.name]
    return [clip for clip in clips.clips if clip not in held_out], held_out
