"""How well a predictor predicts, next to the baseline that nothing moves any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.data import cut_windows
from kineseg_training.models import Seq2Seq


@dataclass(frozen=True)
class PredictionError:
    """Mean squared errors in normalised channels.

    Attributes:
        windows: Number of windows they were measured on.
        one_step: Of the frame after each window's source.
        rollout: Of all predicted frames.
        zero_velocity_one_step: Of repeating the last frame, for the next frame.
        zero_velocity_rollout: Of repeating the last frame, for all frames.
    """

    windows: int
    one_step: float
    rollout: float
    zero_velocity_one_step: float
    zero_velocity_rollout: float


@torch.no_grad()
def prediction_error(
    model: Seq2Seq, clips: Sequence[NDArray[np.float64]], source: int, target: int, shortest: int
) -> PredictionError:
    """Measure on windows cut from `clips`, ``(T, C)`` each, at the model's rate.

    Raises:
        DataError: Every clip is shorter than a window.
    """
    model = model.eval()
    windows = cut_windows(clips, source, target, shortest, every=max(1, target // 2))
    errors = []
    for start in range(0, len(windows), 256):
        part = windows.part(start, start + 256)
        lengths = torch.from_numpy(part.lengths)
        heard = model.normalise(torch.from_numpy(part.source))
        truth = model.normalise(torch.from_numpy(part.target))
        _, rollout = model(heard, lengths, target)
        last = heard[torch.arange(len(part)), lengths - 1][:, None]
        errors.append(torch.stack([(rollout - truth).square().mean(2), (last - truth).square().mean(2)]))
    ours, still = torch.cat(errors, dim=1).double().mean(dim=1)
    return PredictionError(
        windows=len(windows),
        one_step=float(ours[0]),
        rollout=float(ours.mean()),
        zero_velocity_one_step=float(still[0]),
        zero_velocity_rollout=float(still.mean()),
    )
