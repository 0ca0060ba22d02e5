"""Cuts a sequence where the predictor is surprised: the error of a window peaks above a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.data.window_source import decode
from kineseg_training.errors import DataError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq


@dataclass(frozen=True, eq=False)
class Cutting:
    """What one pass over T frames found.

    Attributes:
        cuts: First frames of the segments found, without the first.
        threshold: Above which mean squared error of a window a cut was made.
        starts: ``(W,)`` first frames of the windows, in order.
        errors: ``(W,)`` mean squared error of each.
        frames: ``(K,)`` the frames that were decoded before a cut, increasing.
        states: ``(K, H)`` decoder states that they were predicted from.
        frame_errors: ``(K,)`` mean absolute error of each.
        n_frames: T.
    """

    cuts: tuple[int, ...]
    threshold: float
    starts: NDArray[np.int64]
    errors: NDArray[np.float64]
    frames: NDArray[np.int64]
    states: NDArray[np.float32]
    frame_errors: NDArray[np.float64]
    n_frames: int

    def segment_of(self) -> NDArray[np.int64]:
        """``(K,)``: which of the segments found each decoded frame lies in."""
        return np.searchsorted(np.array(self.cuts, dtype=np.int64), self.frames, side="right")

    def fill(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Labels of decoded frames ``(K,)`` to labels of all frames ``(T,)``.

        The frames that the predictor only reads at the beginning of a found segment get the label of the first decoded
        one there; where none was decoded, and at the end of the sequence, the label before goes on. No true boundary is
        used.
        """
        edges = np.array([0, *self.cuts, self.n_frames])
        segment = np.searchsorted(edges[1:-1], np.arange(self.n_frames), side="right")
        before = np.searchsorted(self.frames, np.arange(self.n_frames), side="right") - 1
        after = np.minimum(before + 1, len(self.frames) - 1)
        own = self.segment_of()
        here = (before >= 0) & (own[before] == segment)
        next_is_here = (own[after] == segment) & (after > before)
        chosen = np.where(here, before, np.where(next_is_here | (before < 0), after, before))
        return labels[chosen]


def window_errors(model: TiedSeq2Seq, frames: NDArray[np.floating], every: int) -> NDArray[np.float64]:
    """``(W,)``: mean squared error of normalised channels in windows that begin `every` frames apart.

    Args:
        model: In eval mode.
        frames: ``(T, C)`` channels, not normalised.
        every: Frames between starts.

    Raises:
        DataError: Fewer frames than a window.
    """
    clip = _normalised(model, frames)
    source, target = model.settings.source, model.settings.target
    starts = np.arange(0, len(clip) - source - target + 1, every)
    rows = torch.from_numpy(starts[:, None] + np.arange(source + target))
    windows = clip[rows]
    predicted = decode(model, windows[:, :source], target).predictions
    errors: NDArray[np.float64] = ((predicted - windows[:, source:].numpy()) ** 2).mean(axis=(1, 2), dtype=np.float64)
    return errors


def find_cuts(model: TiedSeq2Seq, frames: NDArray[np.floating], threshold: float) -> Cutting:
    """Go through the sequence in windows, so that from the S-th on each frame is predicted by one of them.

    Where the mean squared error of a window is above the threshold, a segment ends at the predicted frame with the
    largest mean absolute error; the states from there on are dropped and the next window starts there.

    Args:
        model: In eval mode.
        frames: ``(T, C)`` channels, not normalised.
        threshold: See `threshold_for`.

    Raises:
        DataError: Fewer frames than a window.
    """
    clip = _normalised(model, frames)
    source, target = model.settings.source, model.settings.target
    start, cuts = 0, []
    starts, errors, where, states, frame_errors = [], [], [], [], []
    while start + source + target <= len(clip):
        truth = clip[start + source : start + source + target].numpy()
        decoded = decode(model, clip[None, start : start + source], target)
        miss = decoded.predictions[0] - truth
        error, per_frame = float((miss**2).mean()), np.abs(miss).mean(axis=1)
        starts.append(start)
        errors.append(error)
        # Every frame is predicted by one window: this one's part ends where the next one's begins.
        kept = step = min(source, target)
        if error > threshold:
            kept = int(per_frame.argmax())
            step = source + kept
            cuts.append(start + step)
        where.append(start + source + np.arange(kept))
        states.append(decoded.states[0, :kept])
        frame_errors.append(per_frame[:kept])
        start += step
    return Cutting(
        tuple(cuts),
        threshold,
        np.array(starts),
        np.array(errors),
        np.concatenate(where),
        np.concatenate(states),
        np.concatenate(frame_errors).astype(np.float64),
        len(clip),
    )


def _normalised(model: TiedSeq2Seq, frames: NDArray[np.floating]) -> torch.Tensor:
    window = model.settings.source + model.settings.target
    if len(frames) < window:
        raise DataError(f"{len(frames)} frames are shorter than a window of {window}; read or predict fewer")
    raw = torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(model.mean.device)
    return model.normalise(raw).cpu()
