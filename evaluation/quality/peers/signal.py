"""What all peers are given: a few components of the canonical pose, or the one channel of a sensor series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

_LEAST_VARIANCE = 1e-4  # of a channel that hardly moves; in body sizes or body sizes per second


def signal_rate(stream: AnnotatedStream, rate: float) -> float:
    """Samples per second that a peer gets: `rate` of motion, all there are of a sensor series."""
    return rate if stream.is_motion else stream.rate


def standardised(stream: AnnotatedStream, rate: float) -> Array:
    """``(T', C)`` channels, each less its mean and over its deviation so far: nothing later than a sample is used."""
    values = stream.signal(signal_rate(stream, rate))
    count = np.arange(1, len(values) + 1)[:, None]
    mean = np.cumsum(values, axis=0) / count
    variance = np.cumsum(values**2, axis=0) / count - mean**2
    return np.asarray((values - mean) / np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))


def components(stream: AnnotatedStream, rate: float, count: int) -> Array:
    """``(T', count)`` leading principal components of `standardised`; a sensor series as it is.

    The directions are those of the whole stream, which no one knows while it runs: this favours the peers.
    """
    if not stream.is_motion:
        return np.asarray(stream.signal(stream.rate))
    values = standardised(stream, rate)
    values = values - values.mean(axis=0)
    directions = np.linalg.svd(values, full_matrices=False)[2][:count]
    return np.asarray(values @ directions.T)


def in_frames(sample: float, stream: AnnotatedStream, rate: float) -> int:
    """The frame of the stream at sample number `sample` of a signal at `rate`."""
    return min(round(sample * stream.rate / rate), stream.n_frames - 1)
