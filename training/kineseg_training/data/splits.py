"""Hold out whole takes, or the ends of clips, so that no frame that a model is evaluated on was ever trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kineseg_training.data.corpus import Clip
from kineseg_training.data.labelled import LabelledClip, LabelledClips
from kineseg_training.errors import DataError, SettingsError

# Of the longest clip of an action with few: this share at its end, at least a window.
_LAST_PART = 0.25
_MANY_TAKES = 3


def split_by_take(clips: Sequence[Clip], share: float, seed: int) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Split into (training, validation) with about `share` of the clips, at least one, in the second.

    Each folder of clips gives its share, so that a small kind of motion is in both where it has two clips or more.

    Raises:
        DataError: Fewer than two clips.
        SettingsError: `share` is not between 0 and 1.
    """
    if not 0.0 < share < 1.0:
        raise SettingsError(f"validation_share must lie between 0 and 1, got {share}")
    if len(clips) < 2:
        raise DataError(f"{len(clips)} clip(s): at least two are needed, one of them to validate on")
    rng = np.random.default_rng((seed, len(clips)))
    order = [clips[i] for i in rng.permutation(len(clips))]
    folders = sorted({_folder(clip) for clip in order})
    held: list[Clip] = []
    owed = 0.0
    for folder in folders:
        members = [clip for clip in order if _folder(clip) == folder]
        owed += share * len(members)
        count = min(round(owed), len(members) - 1)
        owed -= count
        held += members[:count]
    if not held:
        held = order[:1]
    names = {clip.name for clip in held}
    return (
        tuple(clip for clip in clips if clip.name not in names),
        tuple(clip for clip in clips if clip.name in names),
    )


def _folder(clip: Clip) -> str:
    return clip.name.rpartition("/")[0]


def hold_out(clips: LabelledClips, length: int) -> tuple[LabelledClips, LabelledClips]:
    """(fit, validation) parts of training clips, no frame in both.

    Of an action with three takes or more that are as long as a window, the last take is held out; of one with fewer,
    the last quarter of the longest clip; nothing where that would leave less than a window to train on, so that
    validation may lack an action. Both keep the actions, and so the labels, of the whole.

    Args:
        clips: To part.
        length: Frames of a window.
    """
    fit: list[LabelledClip] = []
    validation: list[LabelledClip] = []
    for action in clips.actions:
        takes = [clip for clip in clips.clips if clip.action == action]
        long = [clip for clip in takes if len(clip.frames) >= length]
        if len(long) >= _MANY_TAKES:
            validation.append(long[-1])
            fit += [clip for clip in takes if clip is not long[-1]]
            continue
        longest = max(takes, key=lambda clip: len(clip.frames))
        cut = len(longest.frames) - max(length, round(_LAST_PART * len(longest.frames)))
        fit += [clip for clip in takes if clip is not longest]
        if cut < length:
            fit.append(longest)
            continue
        fit.append(replace(longest, name=f"{longest.name}#fit", frames=longest.frames[:cut]))
        validation.append(replace(longest, name=f"{longest.name}#validation", frames=longest.frames[cut:]))
    return (
        replace(clips, clips=tuple(sorted(fit, key=lambda clip: clip.name))),
        replace(clips, clips=tuple(sorted(validation, key=lambda clip: clip.name))),
    )
