"""How well a bundle predicts, next to the baseline that nothing moves any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data import cut_windows
from kineseg_training.export.step import Step

_BATCH = 128


@dataclass(frozen=True)
class PredictionError:
    """Mean squared errors in normalised channels.

    Attributes:
        windows: Number of windows they were measured on.
        one_step: Of the frame after each window's source.
        rollout: Of all target frames, its own predictions fed back.
        zero_velocity_one_step: Of repeating the last frame, for the next frame.
        zero_velocity_rollout: Of repeating the last frame, for all target frames.
    """

    windows: int
    one_step: float
    rollout: float
    zero_velocity_one_step: float
    zero_velocity_rollout: float


def prediction_error(
    step: Step, scale: NDArray[np.floating], clips: Sequence[NDArray[np.float64]], source: int, target: int
) -> PredictionError:
    """Measure on windows of `source` + `target` frames cut from `clips`.

    Args:
        step: What predicts.
        scale: ``(C,)``, by which errors are divided.
        clips: ``(T, C)`` each, at the model's rate.
        source: Frames heard.
        target: Frames predicted.

    Raises:
        DataError: Every clip is shorter than a window.
    """
    windows = cut_windows(clips, source, target, source, every=max(1, target // 2))
    ours, still = [], []
    for start in range(0, len(windows), _BATCH):
        part = windows.part(start, start + _BATCH)
        state = step.initial(len(part))
        for s in range(source):
            outputs, state = step(np.ascontiguousarray(part.source[:, s]), state)
        for t in range(target):
            ours.append((t, _square(outputs.prediction, part.target[:, t], scale)))
            still.append((t, _square(part.source[:, -1], part.target[:, t], scale)))
            outputs, state = step(outputs.prediction, state)
    return PredictionError(
        windows=len(windows),
        one_step=_mean(ours, first_only=True),
        rollout=_mean(ours),
        zero_velocity_one_step=_mean(still, first_only=True),
        zero_velocity_rollout=_mean(still),
    )


def _square(
    prediction: NDArray[np.float32], truth: NDArray[np.float32], scale: NDArray[np.floating]
) -> NDArray[np.float64]:
    error = (prediction.astype(np.float64) - truth) / scale
    return np.asarray((error**2).mean(axis=1))


def _mean(errors: Sequence[tuple[int, NDArray[np.float64]]], *, first_only: bool = False) -> float:
    return float(np.concatenate([error for t, error in errors if t == 0 or not first_only]).mean())
