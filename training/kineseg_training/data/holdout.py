"""Part of the training clips, held out to stop and to calibrate by."""

from __future__ import annotations

from dataclasses import replace

from kineseg_training.data.labelled import LabelledClip, LabelledClips

# Of the longest clip of an action with few: this share at its end, at least a window.
_LAST_PART = 0.25
_MANY_TAKES = 3


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
