"""One part of one model seen from outside: its states in windows of clips, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data.labelled import LabelledClips, LabelledWindows
from kineseg_training.studies.exhibit import Preset, RunContext
from kineseg_training.studies.families import Subject
from kineseg_training.studies.states import (
    POSE,
    Components,
    Parts,
    Separation,
    balanced_windows,
    principal_components,
    read_states,
    recognised,
    separation,
    silhouette,
)
from kineseg_training.studies.su_shlizerman_2019.task import normalisation

# Frames read, frames decoded, windows of each action. As many frames as the tied GRU is trained on.
SIZES: dict[Preset, tuple[int, int, int]] = {"tiny": (16, 16, 4), "small": (16, 16, 14), "full": (16, 16, 40)}
# Components that a view in few dimensions has.
_IN_FEW = 3


@dataclass(frozen=True, eq=False)
class View:
    """The states of one part of one model.

    Attributes:
        subject: Whose.
        part: ``encoder``, ``decoder`` or ``pose``.
        components: Of the states in training windows.
        training: ``(N, T, F)`` states in windows of training clips.
        held_out: ``(M, T, F)`` in windows of test clips.
        separation: Of the held-out states by action.
        training_silhouette: Of the training states by action.
        few_silhouette: Of the held-out states in the first three components.
        window_silhouette: Of held-out windows, each as the mean of its states.
        recognised: Share of held-out windows whose nearest training window is of the same action.
    """

    subject: Subject
    part: str
    components: Components
    training: NDArray[np.float32]
    held_out: NDArray[np.float32]
    separation: Separation
    training_silhouette: float
    few_silhouette: float
    window_silhouette: float
    recognised: float

    @property
    def title(self) -> str:
        """Model and part."""
        return self.subject.title if self.part == POSE else f"{self.subject.title}, {self.part}"

    @property
    def units(self) -> int:
        """F, numbers in a state."""
        return int(self.held_out.shape[2])


def looked_at(
    subjects: Sequence[Subject], train: LabelledClips, test: LabelledClips, context: RunContext
) -> list[View]:
    """A view of every part of every subject."""
    windows = windows_of(train, context.preset), windows_of(test, context.preset)
    decoded = SIZES[context.preset][1]
    mean, scale = normalisation([clip.frames for clip in train.clips])
    found = []
    for one in subjects:
        training, held_out = (
            read_states(one.model, part.frames, decoded)
            if one.model is not None
            else {POSE: ((part.frames - mean) / scale).astype(np.float32)}
            for part in windows
        )
        found += [_view(one, part, training, held_out, *windows) for part in training]
    return found


def windows_of(clips: LabelledClips, preset: Preset) -> LabelledWindows:
    """The windows of clips that are looked at, as many of every action."""
    read, _, each = SIZES[preset]
    return balanced_windows(clips, read, each)


def _view(
    one: Subject, part: str, training: Parts, held_out: Parts, known: LabelledWindows, new: LabelledWindows
) -> View:
    seen, states = training[part], held_out[part]
    components = principal_components(seen)
    labels = np.repeat(new.labels, states.shape[1])
    flat = states.reshape(-1, states.shape[2])
    return View(
        one,
        part,
        components,
        seen,
        states,
        separation(flat, labels),
        silhouette(seen.reshape(-1, seen.shape[2]), np.repeat(known.labels, seen.shape[1])),
        silhouette(components.project(flat, min(_IN_FEW, len(components.axes))), labels),
        silhouette(states.mean(axis=1), new.labels),
        recognised(seen.mean(axis=1), known.labels, states.mean(axis=1), new.labels),
    )
