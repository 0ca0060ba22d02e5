"""Two-window MMD: a kernel two-sample statistic between the last seconds and those before them.

Gretton, Borgwardt, Rasch, Schölkopf and Smola, "A kernel two-sample test", JMLR 13, 2012; as a detector of changes Li,
Xie, Dai and Song, "M-statistic for kernel change-point detection", NeurIPS 2015. The kernel's width is the median
distance of pairs of what has been seen so far.
"""

from __future__ import annotations

from bisect import insort

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.peers.signal import in_frames, standardised
from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

RATE = 10.0
WINDOW_S = 3.0
APART_S = 1.0  # a peak is the highest within so much to either side
THRESHOLD = 0.45
PAIRS_EACH = 4  # of every sample and earlier ones, for the median distance

_FAR, _BEND = 5.0, 3.0  # deviations
_FAST = 8.0  # deviations per second
_SPREAD = (np.arange(PAIRS_EACH) + 0.5) / PAIRS_EACH


def boundaries(stream: AnnotatedStream) -> list[tuple[int, int]]:
    """Pairs (frame, emitted at): a peak of the statistic, once it has been the highest for `APART_S`."""
    values = level_and_speed(stream)
    window, apart = round(WINDOW_S * RATE), round(APART_S * RATE)
    score = statistic(values, window)
    found = []
    for at in range(window, len(values) - window + 1):
        near = score[max(0, at - apart) : at + apart + 1]
        if score[at] >= THRESHOLD and near.argmax() == min(apart, at):
            now = min(at + window + apart, len(values))  # the first sample when all that can outdo it is known
            found.append((in_frames(at, stream, RATE), in_frames(now, stream, RATE)))
    return found


def level_and_speed(stream: AnnotatedStream) -> Array:
    """``(T', 2 C)`` all standardised channels, bounded, and how fast each goes: neither alone does as well."""
    values = np.clip(standardised(stream, RATE), -_FAR, _FAR)
    speed = np.abs(np.diff(values, axis=0, prepend=values[:1])) * RATE
    return np.hstack([_BEND * np.tanh(values / _BEND), 2.0 * np.log1p(speed / _FAST)])


def statistic(values: Array, window: int) -> Array:
    """``(T + 1,)`` root of the squared discrepancy between the `window` samples from each on and those before it.

    Nought where a side is not full. With equal samples on either side it is 0; at most the root of 2.
    """
    score = np.zeros(len(values) + 1)
    width = running_median(values)
    for at in range(window, len(values) - window + 1):
        both = values[at - window : at + window]
        squares = np.square(both).sum(axis=1)
        distances = squares[:, None] + squares - 2.0 * both @ both.T
        kernel = np.exp(-np.maximum(distances, 0.0) / max(width[at + window - 1] ** 2, 1e-12))
        before, after, across = kernel[:window, :window], kernel[window:, window:], kernel[:window, window:]
        score[at] = np.sqrt(max(before.mean() + after.mean() - 2.0 * across.mean(), 0.0))
    return score


def running_median(values: Array) -> Array:
    """``(T,)`` median distance of pairs of samples up to each, from `PAIRS_EACH` earlier ones of every sample."""
    median = np.zeros(len(values))
    seen: list[float] = []
    for now in range(1, len(values)):
        earlier = np.unique((now * _SPREAD).astype(np.int64))
        for distance in np.sqrt(np.square(values[earlier] - values[now]).sum(axis=1)):
            insort(seen, float(distance))
        median[now] = seen[len(seen) // 2]
    return median
