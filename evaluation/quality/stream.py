"""One stream to be segmented, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from kineseg.motion import Recording, canonical_pose
from kineseg_training.data.resample import resample
from numpy.typing import NDArray

MODEL_RATE = 30.0


@dataclass(frozen=True, eq=False)
class AnnotatedStream:
    """A stream with its truth.

    Attributes:
        set_name: The set that it belongs to.
        name: Unique within the set.
        recording: What is sent.
        truth: ``(K, 3)`` earliest, best and latest frame of every true boundary, frames of the recording.
        labels: ``(T,)`` true action of every frame; None where no one named them.
        actions: Names of the actions by label, for people; empty where no one named them.
        model: The served model to use; empty for the default one.
        ignore: Stretches (start, end), frames of the recording, that no one labelled: they count nowhere.
    """

    set_name: str
    name: str
    recording: Recording
    truth: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    actions: tuple[str, ...] = ()
    model: str = ""
    ignore: tuple[tuple[int, int], ...] = ()

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.recording.rate

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return self.recording.n_frames

    @property
    def is_motion(self) -> bool:
        """Whether there is a body in it."""
        return self.recording.positions is not None

    @property
    def is_series(self) -> bool:
        """Whether it is the values of one sensor, and no more."""
        return not self.is_motion and self.recording.n_channels == 1

    def canonical(self, rate: float = MODEL_RATE) -> NDArray[np.float64]:
        """``(T', 59)`` canonical pose at `rate`, brought there as the service does it: row k lies at ``k / rate`` s."""
        pose = canonical_pose(self.recording)
        return resample(np.asarray(pose.frames, dtype=np.float64), pose.rate, rate)

    def signal(self, rate: float) -> NDArray[np.float64]:
        """``(T', C)`` what a detector is given at `rate`: the canonical pose, or the channels of any other signal."""
        if self.is_motion:
            return self.canonical(rate)
        return resample(np.asarray(self.recording.frames, dtype=np.float64), self.rate, rate)


def truth_windows(recording: Recording) -> NDArray[np.float64]:
    """``(K, 3)`` earliest, best and latest frame of the boundaries of a recording that has a truth with tolerances."""
    truth = recording.truth
    assert truth is not None  # of callers' own making
    rows = [(low, best, high) for best, (low, high) in zip(truth.boundaries, truth.tolerance, strict=True)]
    return np.array(rows[1:], dtype=np.float64).reshape(-1, 3)


def from_truth(set_name: str, recording: Recording, *, model: str = "") -> AnnotatedStream:
    """The stream of a recording that knows its segments."""
    truth = recording.truth
    assert truth is not None  # of callers' own making
    names = dict(zip(truth.labels, truth.names, strict=True))
    return AnnotatedStream(
        set_name=set_name,
        name=recording.name,
        recording=recording,
        truth=truth_windows(recording),
        labels=truth.frame_labels(recording.n_frames),
        actions=tuple(names[label] for label in sorted(names)),
        model=model,
    )
