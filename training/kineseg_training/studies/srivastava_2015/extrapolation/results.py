"""What a composite LSTM makes of times that it was not trained on: its errors, and the rhythm of its units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.studies.srivastava_2015.scores import GOES_ON, MEAN, STAYS, Errors, squared
from kineseg_training.studies.srivastava_2015.task import CompositeTraining

BACK, ON = 3, 4  # trained lengths that are decoded backwards and onwards
BEFORE, READ = "before what was read", "what was read"
TRAINED, TWICE, FURTHER = "as far ahead as trained", "up to twice as far", f"up to {ON} times as far"
# A unit whose deviation is below this (of a range from -1 to 1) has come to rest.
_MOVES = 0.02


@dataclass(frozen=True)
class Reach:
    """Errors along time; the last frame read is number 0.

    Attributes:
        model: ``(P + n,)``: P frames decoded backwards, put into the order of time, and n predicted.
        baselines: The same by name, NaN where one says nothing.
        source: S, frames read.
        target: Frames predicted in training.
        sequences: How many these are the mean of.
    """

    model: NDArray[np.float64]
    baselines: Errors
    source: int
    target: int
    sequences: int

    @property
    def first(self) -> int:
        """Number of the first frame."""
        return 1 - BACK * self.source

    def mean(self, values: NDArray[np.float64], part: str) -> float:
        """Over one of `parts`."""
        start, stop = self.parts()[part]
        return float(values[start - self.first : stop - self.first + 1].mean())

    def parts(self) -> dict[str, tuple[int, int]]:
        """Stretches of time by name: number of the first and last frame."""
        source, target = self.source, self.target
        return {
            BEFORE: (self.first, -source),
            READ: (1 - source, 0),
            TRAINED: (1, target),
            TWICE: (target + 1, 2 * target),
            FURTHER: (2 * target + 1, ON * target),
        }


def length_needed(training: CompositeTraining) -> int:
    """Frames of a sequence for `reach`."""
    return BACK * training.source + ON * training.target


@torch.no_grad()
def decoded(model: CompositeLSTM, sequences: Tensor, training: CompositeTraining) -> Tensor:
    """What the model makes of all moments of sequences of which it reads a part; both ``(B, length_needed, C)``.

    It reads the frames number 1 - S to 0, decodes backwards ``BACK * S`` frames and onwards the rest; the result is in
    the order of time.
    """
    start, stop = (BACK - 1) * training.source, BACK * training.source
    read = sequences[:, start:stop]
    _, state = model.encode(read)
    past = model.reconstruct(state, stop).flip(1)
    return torch.cat([past, model.predict(state, sequences.shape[1] - stop, read[:, -1])], dim=1)


def reach(model: CompositeLSTM, sequences: Tensor, middle: Tensor, training: CompositeTraining) -> Reach:
    """Errors of the model and of what needs none.

    Args:
        model: With both decoders.
        sequences: ``(B, length_needed, C)``, normalised.
        middle: ``(C,)``, mean frame of all.
        training: How the model was trained.
    """
    start, stop = (BACK - 1) * training.source, BACK * training.source
    earliest, last = sequences[:, start : start + 1], sequences[:, stop - 1 : stop]
    before = earliest.expand(-1, start, -1)
    after = last.expand(-1, sequences.shape[1] - stop, -1)
    stays = torch.cat([before, sequences[:, start:stop], after], dim=1)
    ahead = torch.arange(1, sequences.shape[1] - stop + 1)[:, None]
    goes_on = squared(last + ahead * (last - sequences[:, stop - 2 : stop - 1]), sequences[:, stop:])
    errors = squared(stays, sequences)
    errors[start:stop] = np.nan
    return Reach(
        squared(decoded(model, sequences, training), sequences),
        {
            STAYS: errors,
            GOES_ON: np.concatenate([np.full(stop, np.nan), goes_on]),
            MEAN: squared(middle.expand_as(sequences), sequences),
        },
        training.source,
        training.target,
        len(sequences),
    )


@torch.no_grad()
def after_longer_inputs(
    model: CompositeLSTM, sequences: Tensor, training: CompositeTraining
) -> dict[int, tuple[float, float]]:
    """Errors after 1 to `ON` times the trained number of frames were read; what is decoded stays the same.

    Args:
        model: With both decoders.
        sequences: ``(B, ON * S + n, C)``, normalised.
        training: How the model was trained.

    Returns:
        By the number of frames read: error of the n frames predicted, and of the last S read, given back.
    """
    source, stop = training.source, ON * training.source
    truth = sequences[:, stop:]
    found = {}
    for times in range(1, ON + 1):
        read = sequences[:, stop - times * source : stop]
        _, state = model.encode(read)
        future = squared(model.predict(state, truth.shape[1], read[:, -1]), truth)
        past = squared(model.reconstruct(state, source), read[:, -source:].flip(1))
        found[times * source] = (float(future.mean()), float(past.mean()))
    return found


@dataclass(frozen=True)
class Rhythm:
    """Of many units in many runs.

    Attributes:
        moving: Share of the units that have not come to rest.
        strength: Median over those of the highest autocorrelation after its first zero: 1 repeats itself exactly, about
            0 does not.
        period: Median lag of that, frames; NaN if none moves.
    """

    moving: float
    strength: float
    period: float


def rhythm(activity: NDArray[np.floating]) -> Rhythm:
    """Find it.

    Args:
        activity: ``(N, T, H)``: runs, frames, units. Periods of up to T / 2 frames are found.
    """
    units = np.swapaxes(activity, 1, 2).reshape(-1, activity.shape[1]).astype(np.float64)
    moving = units.std(axis=1) > _MOVES
    if not moving.any():
        return Rhythm(0.0, 0.0, float("nan"))
    units = units[moving] - units[moving].mean(axis=1, keepdims=True)
    length = units.shape[1]
    spectrum = np.abs(np.fft.rfft(units, 2 * length, axis=1)) ** 2
    lags = np.fft.irfft(spectrum, axis=1)[:, : length // 2 + 1] / (length - np.arange(length // 2 + 1))
    lags /= lags[:, :1]
    # Before the first zero the autocorrelation is high for anything smooth.
    after = np.logical_or.accumulate(lags <= 0, axis=1)
    lags[~after] = 0.0
    best = lags.argmax(axis=1)
    strength = lags.max(axis=1)
    found = strength > 0
    period = float(np.median(best[found])) if found.any() else float("nan")
    return Rhythm(float(moving.mean()), float(np.median(np.minimum(strength, 1.0))), period)
