"""Draw batches of windows to train a recogniser on: as many of each action, mirrored, faster or slower, with noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data.augment import Augmentation, mirrored
from kineseg_training.data.labelled import LabelledClips
from kineseg_training.errors import DataError

_SIDES = (("left", "right"), ("right", "left"))


class Draw:
    """Windows of clips, an action as often as any other however many clips there are of it.

    Args:
        clips: Canonical poses.
        length: Frames of a window.
        how: What may be done to them; `phase` means nothing here, since any frame may be the first.

    Raises:
        DataError: An action of which every clip is shorter than a window.
    """

    def __init__(self, clips: LabelledClips, length: int, how: Augmentation) -> None:
        self._clips, self._length, self._how = clips, length, how
        self._mirror_label = mirrored_labels(clips.actions)
        self._speeds = np.array([channel.startswith("root.") for channel in clips.channels])
        labels = clips.labels()
        self._members: list[NDArray[np.int64]] = []
        self._shares: list[NDArray[np.float64]] = []
        for label, action in enumerate(clips.actions):
            members = np.flatnonzero(labels == label)
            starts = np.array([max(0, len(clips.clips[i].frames) - length + 1) for i in members], dtype=np.float64)
            if not starts.sum():
                longest = max((len(clips.clips[i].frames) for i in members), default=0)
                raise DataError(
                    f"{action}: every clip is shorter than a window of {length} frames (the longest has {longest}); "
                    "use shorter windows or leave the action out"
                )
            self._members.append(members)
            self._shares.append(starts / starts.sum())

    def __call__(self, rng: np.random.Generator, batch: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """``(batch, L, C)`` windows and their labels ``(batch,)``; counts of the actions differ by one at most."""
        first = int(rng.integers(len(self._members)))
        wanted = (first + np.arange(batch)) % len(self._members)
        rows = [self._one(int(label), rng) for label in wanted]
        return np.stack([frames for frames, _ in rows]).astype(np.float32), np.array([label for _, label in rows])

    def _one(self, label: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], int]:
        clip = self._clips.clips[int(rng.choice(self._members[label], p=self._shares[label]))]
        span = self._length - 1
        # Uniform in the logarithm, but never so fast that the clip is shorter than the window.
        slowest, fastest = self._how.tempo
        fastest = min(fastest, (len(clip.frames) - 1) / span)
        tempo = float(np.exp(rng.uniform(np.log(min(slowest, fastest)), np.log(fastest))))
        start = rng.uniform(0.0, len(clip.frames) - 1 - span * tempo)
        frames = self._between(clip.frames, start + tempo * np.arange(self._length, dtype=np.float64), tempo)
        turned = int(self._mirror_label[label])
        if rng.random() < 0.5 and self._how.mirror and turned >= 0:
            frames, label = mirrored(frames, self._clips.channels), turned
        return frames, label

    def _between(self, frames: NDArray[np.float64], at: NDArray[np.float64], tempo: float) -> NDArray[np.float64]:
        """Frames at fractions of frame periods; speeds grow with the tempo."""
        below = np.clip(np.floor(at).astype(np.int64), 0, len(frames) - 1)
        above = np.minimum(below + 1, len(frames) - 1)
        part = (at - below)[:, None]
        return (frames[below] * (1.0 - part) + frames[above] * part) * np.where(self._speeds, tempo, 1.0)


def mirrored_labels(actions: Sequence[str]) -> NDArray[np.int64]:
    """Label of each action seen in a mirror.

    Most look the same; "walk-left" is "walk-right" then, and -1, not to be mirrored, where there is no "walk-right".
    """
    place = {action: label for label, action in enumerate(actions)}
    found = np.arange(len(actions))
    for label, action in enumerate(actions):
        for side, other in _SIDES:
            if side in action.lower():
                found[label] = place.get(action.lower().replace(side, other), -1)
                break
    return found
