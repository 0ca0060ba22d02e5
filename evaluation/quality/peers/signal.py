"""What all peers are given: a few components of the canonical pose or of a sensor's channels, or its only channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

_LEAST_VARIANCE = 1e-4  # of a channel that hardly moves; in body sizes or body sizes per second
_LEAST_SHARE = 0.02  # of the median deviation, of a sensor's channel that hardly moves
_ROUNDING = 1e-18


def signal_rate(stream: AnnotatedStream, rate: float) -> float:
    """Samples per second that a peer gets: `rate`, or all there are of a series of one sensor."""
    return stream.rate if stream.is_series else rate


def standardised(stream: AnnotatedStream, rate: float) -> Array:
    """``(T', C)`` channels at `rate`, each less its mean and over its deviation so far: nothing later is used."""
    values = stream.signal(rate)
    values = values - values[0]  # a large level would cost digits
    count = np.arange(1, len(values) + 1)[:, None]
    mean = np.cumsum(values, axis=0) / count
    variance = np.maximum(np.cumsum(values**2, axis=0) / count - mean**2, 0.0)
    if stream.is_motion:
        least = np.full((len(values), 1), _LEAST_VARIANCE)
    else:  # no unit: against the other channels, and against rounding
        least = np.maximum(_LEAST_SHARE**2 * np.median(variance, axis=1, keepdims=True), _ROUNDING)
    return np.asarray((values - mean) / np.sqrt(np.maximum(variance, least)))


def components(stream: AnnotatedStream, rate: float, count: int) -> Array:
    """``(T', count)`` leading principal components of `standardised`; a series of one sensor as it is.

    The directions are those of the whole stream, which no one knows while it runs: this favours the peers.
    """
    if stream.is_series:
        return np.asarray(stream.signal(stream.rate))
    values = standardised(stream, rate)
    values = values - values.mean(axis=0)
    directions = np.linalg.svd(values, full_matrices=False)[2][:count]
    return np.asarray(values @ directions.T)


def in_frames(sample: float, stream: AnnotatedStream, rate: float) -> int:
    """The frame of the stream at sample number `sample` of a signal at `rate`."""
    return min(round(sample * stream.rate / rate), stream.n_frames - 1)
