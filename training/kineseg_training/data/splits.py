"""Hold out whole takes, so that no window of a held-out take was ever trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kineseg_training.data.corpus import Clip
from kineseg_training.errors import DataError, SettingsError


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
