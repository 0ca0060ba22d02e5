"""Stop training by the embedding, without labels: when trajectories of states are separated best.

Before training, the decoder forgets where it started from within a few frames: all trajectories end in one place. As it
learns, each past gets a way of its own to go on. How far the states of one window keep away from those of all others is
the mean silhouette of states whose cluster is the window that they belong to; no action has to be known. `optimality`
measures how it goes with the separation of actions, beside two other figures that need no labels and do worse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import nn

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.loop import LoopSettings, Task, Update
from kineseg_training.studies.states import DECODER, read_states, silhouette

StopBy = Literal["loss", "embedding"]

CROWDING = "embedding_crowding"
# So many held-out windows are enough to look at.
WATCHED = 96
_MONITORED: dict[StopBy, str] = {"loss": "validation_loss", "embedding": CROWDING}


class Watched(Task):
    """A task that also reports figures of its states at each validation; otherwise as it was."""

    def __init__(self, task: Task, look: Callable[[], Mapping[str, float]]) -> None:
        """Take a task, and what to find out at each validation."""
        self.network, self.optimisers, self.recipe = task.network, task.optimisers, task.recipe
        self.notes = task.notes
        self._task, self._look = task, look

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """As the task does."""
        return self._task.step(iteration, rng, update)

    def validate(self) -> Mapping[str, float]:
        """The task's figures and those of the states."""
        return {**self._task.validate(), **self._look()}


def stopped_by(
    stop_by: str, task: Task, loop: LoopSettings, model: nn.Module, frames: NDArray[np.float32], decoded: int
) -> tuple[Task, LoopSettings]:
    """The task and the settings for `loop.train` to keep and to stop by the loss or by the embedding.

    Args:
        stop_by: ``loss`` or ``embedding``.
        task: What is trained.
        loop: Its settings; `patience` says when to stop.
        model: The predictor in the task's network.
        frames: ``(N, S, C)`` windows of held-out clips to read, in channels, not normalised; N at least 2.
        decoded: Frames to go on for.

    Raises:
        SettingsError: Something else to stop by.
        DataError: Fewer than two windows.
    """
    monitor = monitored_by(stop_by)
    if monitor != CROWDING:
        return task, loop
    if len(frames) < 2:
        raise DataError(f"{len(frames)} held-out window(s): to stop by the embedding, at least two are needed")
    watched = Watched(task, lambda: {CROWDING: crowding(read_states(model, frames, decoded)[DECODER])})
    return watched, replace(loop, monitor=monitor)


def monitored_by(stop_by: str) -> str:
    """The figure that the loop has to go by.

    Raises:
        SettingsError: Neither ``loss`` nor ``embedding``.
    """
    for name, monitor in _MONITORED.items():
        if name == stop_by:
            return monitor
    raise SettingsError(f"stop_by must be one of {', '.join(get_args(StopBy))}, got {stop_by!r}")


def crowding(states: NDArray[np.floating]) -> float:
    """How crowded trajectories ``(N, T, F)`` are, 0 to 2: one minus the mean silhouette of states grouped by window.

    0: each keeps to itself, far from the others. 1: states are as near to another window's as to their own's. Less is
    better.

    Raises:
        DataError: Fewer than two windows, or of fewer than two states.
    """
    n_windows, n_states = states.shape[:2]
    if n_windows < 2 or n_states < 2:
        raise DataError(f"{n_windows} window(s) of {n_states} state(s): at least two of two are needed")
    return 1.0 - silhouette(states.reshape(n_windows * n_states, -1), np.repeat(np.arange(n_windows), n_states))


def spread_windows(clips: Sequence[NDArray[np.floating]], length: int, most: int) -> NDArray[np.float32]:
    """``(N, length, C)``: at most so many windows, evenly over all that can be cut from clips ``(T_i, C)``.

    Raises:
        DataError: All clips are shorter than a window.
    """
    places = [(clip, start) for clip in clips for start in range(len(clip) - length + 1)]
    if not places:
        longest = max((len(clip) for clip in clips), default=0)
        raise DataError(f"every clip is shorter than a window of {length} frames (the longest has {longest})")
    chosen = np.unique(np.linspace(0, len(places) - 1, most).round().astype(np.int64))
    return np.stack([places[i][0][places[i][1] : places[i][1] + length] for i in chosen]).astype(np.float32)
