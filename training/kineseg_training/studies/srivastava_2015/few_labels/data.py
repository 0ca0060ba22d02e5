"""Windows to recognise actions in, and which of them are labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from kineseg.motion.synthetic import ACTIONS
from numpy.typing import NDArray

from kineseg_training.data import (
    Clip,
    LabelledClips,
    LabelledWindows,
    bvh_contents,
    cmu_actions,
    cut_labelled,
    generated_actions,
    long_enough,
    resample,
    split_by_take,
)
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.srivastava_2015.sequences import RATE, PoseSequences

EVERY = 5  # frames between the beginnings of two windows: a sixth of a second
# Of the clips of a source of pretraining: these show how well it goes, and are not trained on.
_VALIDATION_SHARE, _VALIDATION_SPLIT = 0.12, 0


@dataclass(frozen=True, eq=False)
class Recognition:
    """A data set to recognise the actions of.

    Attributes:
        name: For people.
        clips: To train on.
        test_clips: From other takes, but for the actions ``clips.shared_takes``.
        length: Frames of a window.
    """

    name: str
    clips: LabelledClips
    test_clips: LabelledClips
    length: int

    def __post_init__(self) -> None:
        if self.length < 2:
            raise SettingsError(f"window: {self.length} frame(s); at least two are needed")
        if self.clips.actions != self.test_clips.actions:
            raise DataError(
                f"{self.name}: trained on are {', '.join(self.clips.actions)}; tested "
                f"{', '.join(self.test_clips.actions)}; there have to be clips of all in both"
            )

    @cached_property
    def pool(self) -> LabelledWindows:
        """The windows that may be labelled; those of one clip overlap."""
        return cut_labelled(self.clips, self.length, EVERY)

    @cached_property
    def test(self) -> LabelledWindows:
        """The windows to recognise."""
        return cut_labelled(self.test_clips, self.length, EVERY)

    @cached_property
    def own_take(self) -> NDArray[np.bool_]:
        """``(N,)``: test windows of actions whose test clips are other takes than those trained on."""
        shared = [self.clips.actions.index(action) for action in self.clips.shared_takes]
        return ~np.isin(self.test.labels, shared)

    @cached_property
    def unlabelled(self) -> PoseSequences:
        """The training clips, to pretrain on; nothing of them but the frames is used."""
        return _sequences([Clip(clip.name, clip.frames, RATE) for clip in self.clips.clips], self.clips.channels)


def cmu_recognition(folder: Path, length: int) -> Recognition:
    """The eight CMU actions.

    Raises:
        DataError: The clips are not there; or windows longer than all clips of an action.
    """
    return Recognition("CMU", *cmu_actions(folder, RATE), length)


def bvh_recognition(folder: Path, length: int) -> Recognition:
    """The contents of the BVH set of which a training and a test clip are long enough; test clips: the last takes.

    Raises:
        DataError: The recordings are not there.
        SettingsError: Windows longer than the clips of all contents but one at most.
    """
    train, test = bvh_contents(folder, RATE)
    kept = long_enough(train, test, length)
    if len(kept) < 2:
        longest = max(len(clip.frames) for clip in train.clips)
        raise SettingsError(
            f"window: {length} frames leave {len(kept)} content(s) of the BVH set; at least two are needed (the "
            f"longest clip has {longest} frames)"
        )
    return Recognition("BVH", train.only(kept), test.only(kept), length)


def draw_labelled(pool: LabelledWindows, actions: Sequence[str], per_class: int | None, seed: int) -> NDArray[np.int64]:
    """Which windows are labelled: as many of every class, chosen at random; those of fewer are among those of more.

    Args:
        pool: Windows to choose from.
        actions: Names of the classes.
        per_class: Windows of every class; None: all that there are, however many of each.
        seed: Of the choice.

    Returns:
        Their rows, sorted.

    Raises:
        SettingsError: There are fewer of a class.
    """
    if per_class is None:
        return np.arange(len(pool))
    if per_class < 1:
        raise SettingsError(f"labels: {per_class} windows of a class; at least one is needed")
    rng = np.random.default_rng(seed)
    chosen = []
    for label, action in enumerate(actions):
        rows = rng.permutation(np.flatnonzero(pool.labels == label))
        if len(rows) < per_class:
            raise SettingsError(
                f"labels: {per_class} labelled windows of a class asked for, but of {action} there are {len(rows)}; "
                "ask for fewer, or for shorter windows"
            )
        chosen.append(rows[:per_class])
    return np.sort(np.concatenate(chosen))


def generated_sequences(minutes: int) -> PoseSequences:
    """Generated motion of all kinds, to pretrain on."""
    corpus = generated_actions(minutes, tuple(ACTIONS))
    clips = [Clip(clip.name, resample(clip.frames, clip.rate, RATE), RATE) for clip in corpus.clips]
    return _sequences(clips, corpus.channels)


def _sequences(clips: Sequence[Clip], channels: tuple[str, ...]) -> PoseSequences:
    training, held_out = split_by_take(clips, _VALIDATION_SHARE, _VALIDATION_SPLIT)
    # Mirrored and varied, as all composite models of motion here: it predicts held-out takes better.
    return PoseSequences(
        [clip.frames for clip in training], [clip.frames for clip in held_out], channels, mirror=True, vary=True
    )


def pooled(windows: NDArray[np.floating]) -> NDArray[np.floating]:
    """``(N, T, C)`` to ``(N, 2C)``: mean and standard deviation of every channel over the window."""
    return np.concatenate([windows.mean(axis=1), windows.std(axis=1)], axis=1)
