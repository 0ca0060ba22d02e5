"""Clips of known actions, to recognise and to evaluate what a model sees: canonical pose at one rate, split by take."""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data.corpus import Clip, Source, load_corpus
from kineseg_training.data.resample import resample
from kineseg_training.errors import DataError, SettingsError

# Every CMU clip begins with one frame of a calibration pose.
_CALIBRATION_FRAMES = 1
# Of the only take of an action: share to train on, then seconds that neither part has.
_FIRST_PART, _BETWEEN_S = 0.6, 1.0


@dataclass(frozen=True, eq=False)
class LabelledClip:
    """A clip of one action.

    Attributes:
        name: Of its file, without the folder of the data set.
        action: What is done in it.
        frames: ``(T, C)`` float64.
    """

    name: str
    action: str
    frames: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelledClips:
    """Clips that share channels and rate.

    Attributes:
        clips: In the order of their names.
        actions: Names of the K actions, sorted; label k is ``actions[k]``. A subset keeps those of the whole.
        channels: C names.
        rate: Frames per second.
        fingerprint: SHA-256 over names and frames.
        shared_takes: Actions with one take only, of which training and test clips are different parts.
    """

    clips: tuple[LabelledClip, ...]
    actions: tuple[str, ...]
    channels: tuple[str, ...]
    rate: float
    fingerprint: str
    shared_takes: tuple[str, ...] = ()

    def labels(self) -> NDArray[np.int64]:
        """``(N,)``: of each clip."""
        place = {action: label for label, action in enumerate(self.actions)}
        return np.array([place[clip.action] for clip in self.clips], dtype=np.int64)

    def only(self, actions: Sequence[str]) -> LabelledClips:
        """The clips of some of the actions, with labels of their own.

        Raises:
            SettingsError: An action that there is not, or fewer than two.
        """
        unknown = sorted(set(actions) - set(self.actions))
        if unknown:
            raise SettingsError(f"actions: there is no {', '.join(unknown)} here; there are {', '.join(self.actions)}")
        return _collected([clip for clip in self.clips if clip.action in actions], self)


@dataclass(frozen=True, eq=False)
class LabelledWindows:
    """Windows of one length, none across clips.

    Attributes:
        frames: ``(N, L, C)`` float32.
        labels: ``(N,)`` int64.
        clip: ``(N,)`` int64, index of the clip that each was cut from.
        start: ``(N,)`` int64, its first frame there.
    """

    frames: NDArray[np.float32]
    labels: NDArray[np.int64]
    clip: NDArray[np.int64]
    start: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, which: NDArray[np.integer] | slice) -> LabelledWindows:
        """Some of the windows."""
        return LabelledWindows(self.frames[which], self.labels[which], self.clip[which], self.start[which])


@functools.lru_cache(maxsize=4)  # minutes of motion take seconds to read, and every experiment begins with them
def cmu_actions(folder: Path, rate: float = 30.0) -> tuple[LabelledClips, LabelledClips]:
    """(training, test) clips of the eight CMU actions; test clips are from other takes.

    Those of the folder ``test`` and, as it has one clip of an action at most, the last fifth of the takes of ``train``
    (at least one, where there are two). ``washwindow`` has one take only: trained on is its beginning, tested its end.

    Args:
        folder: With ``train`` and ``test``.
        rate: Frames per second to resample to.

    Raises:
        DataError: They are not there.
    """
    for part in ("train", "test"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder}: has no folder '{part}'; name the folder of the CMU clips")
    corpora = [load_corpus(Source((folder / part,), skip_first=_CALIBRATION_FRAMES)) for part in ("train", "test")]
    train, test = (
        [_labelled(clip, clip.name.split("/")[1].removesuffix("_extra"), rate) for clip in corpus.clips]
        for corpus in corpora
    )
    for action in sorted({clip.action for clip in train}):
        takes = [clip for clip in train if clip.action == action]
        for clip in takes[len(takes) - max(1, len(takes) // 5) :] if len(takes) > 1 else ():
            train.remove(clip)
            test.append(clip)
    return _split(train, test, corpora[0].channels, rate)


@functools.lru_cache(maxsize=4)
def bvh_contents(folder: Path, rate: float = 30.0) -> tuple[LabelledClips, LabelledClips]:
    """(training, test) clips of the contents of the BVH set; the last take of each content is the test clip.

    The content is the second part of the file's name (``dataset-1_<content>_<style>_<take>.bvh``).

    Raises:
        DataError: It is not there, or a file is named otherwise.
    """
    corpus = load_corpus(Source((folder,)))
    by_action: dict[str, list[LabelledClip]] = defaultdict(list)
    for clip in corpus.clips:
        parts = Path(clip.name).stem.split("_")
        if len(parts) != 4:
            raise DataError(f"{clip.name}: expected a name such as dataset-1_<content>_<style>_<take>.bvh")
        by_action[parts[1]].append(_labelled(clip, parts[1], rate))
    train, test = [], []
    for clips in by_action.values():
        train += clips[:-1]
        test += clips[-1:]
    return _split(train, test, corpus.channels, rate)


def long_enough(train: LabelledClips, test: LabelledClips, length: int) -> tuple[str, ...]:
    """The actions of which there are at least `length` frames at a stretch in both, sorted."""
    both = [{clip.action for clip in clips.clips if len(clip.frames) >= length} for clips in (train, test)]
    return tuple(sorted(both[0] & both[1]))


def cut_labelled(clips: LabelledClips, length: int, every: int) -> LabelledWindows:
    """All windows of `length` frames that begin `every` frames apart, and the last one of each clip.

    Raises:
        DataError: An action of which every clip is shorter than a window.
    """
    found: list[tuple[int, int]] = []
    for index, clip in enumerate(clips.clips):
        last = len(clip.frames) - length
        if last >= 0:
            found += [(index, start) for start in sorted({*range(0, last + 1, every), last})]
    with_window = {clips.clips[index].action for index, _ in found}
    for action in sorted({clip.action for clip in clips.clips} - with_window):
        longest = max(len(clip.frames) for clip in clips.clips if clip.action == action)
        raise DataError(
            f"{action}: every clip is shorter than a window of {length} frames (the longest has {longest}); use "
            "shorter windows or leave the action out"
        )
    if not found:
        raise DataError("there are no clips to cut windows from")
    labels = clips.labels()
    where = np.array(found, dtype=np.int64)
    frames = np.stack([clips.clips[index].frames[start : start + length] for index, start in found])
    return LabelledWindows(frames.astype(np.float32), labels[where[:, 0]], where[:, 0], where[:, 1])


def _labelled(clip: Clip, action: str, rate: float) -> LabelledClip:
    return LabelledClip(clip.name, action, resample(clip.frames, clip.rate, rate))


def _split(
    train: list[LabelledClip], test: list[LabelledClip], channels: tuple[str, ...], rate: float
) -> tuple[LabelledClips, LabelledClips]:
    """Halve the only take of an action, then collect."""
    trained = {clip.action for clip in train}
    shared = tuple(sorted({clip.action for clip in test} - trained))
    for number, clip in enumerate(test):
        if clip.action in shared:
            cut = round(_FIRST_PART * len(clip.frames))
            train.append(replace(clip, name=f"{clip.name}#first", frames=clip.frames[:cut]))
            rest = clip.frames[cut + round(_BETWEEN_S * rate) :]
            test[number] = replace(clip, name=f"{clip.name}#last", frames=rest)
    blank = LabelledClips((), (), channels, rate, "", shared)
    return _collected(train, blank), _collected(test, blank)


def _collected(clips: Sequence[LabelledClip], like: LabelledClips) -> LabelledClips:
    clips = sorted(clips, key=lambda clip: clip.name)
    actions = tuple(sorted({clip.action for clip in clips}))
    if len(actions) < 2:
        raise SettingsError(f"actions: {len(actions)} action(s) to distinguish; at least two are needed")
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(f"{clip.name}\0{clip.action}\0".encode() + hashlib.sha256(clip.frames.tobytes()).digest())
    shared = tuple(action for action in like.shared_takes if action in actions)
    return replace(like, clips=tuple(clips), actions=actions, fingerprint=digest.hexdigest(), shared_takes=shared)
