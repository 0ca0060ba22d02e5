"""FLOSS: few nearest-neighbour arcs cross a boundary (stumpy)."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.peers.signal import components, in_frames, signal_rate
from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

RATE = 10.0
COMPONENTS = 3
WINDOW_S = 1.0
BUFFER_S = 20.0
STEP_S = 0.5  # how often the arcs are looked at
LOW = 0.75  # of the arcs expected by chance
IAC_RUNS = 100  # simulations of what is expected by chance; the default of 1000 takes seconds a stream
APART_S = 3.0  # from other boundaries and from both ends of the buffer, where arcs are few in any case


def boundaries(stream: AnnotatedStream) -> list[tuple[int, int]]:
    """Pairs (frame, emitted at)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stumpy asks NumPy for what newer versions warn of
        return _boundaries(stream)


def _boundaries(stream: AnnotatedStream) -> list[tuple[int, int]]:
    import stumpy

    rate = signal_rate(stream, RATE)
    values = components(stream, RATE, COMPONENTS)
    window = max(3, round(WINDOW_S * rate))
    size = min(round(BUFFER_S * rate), len(values))
    if size < 4 * window:
        return []
    detectors = [
        stumpy.floss(
            _right_neighbours(column[:size], window), column[:size], m=window, L=window, excl_factor=1, n_iter=IAC_RUNS
        )
        for column in np.ascontiguousarray(values.T)
    ]
    apart, step = round(APART_S * rate), max(1, round(STEP_S * rate))
    found: list[tuple[int, int]] = []
    last = -apart
    for now in range(size - 1, len(values)):
        if now >= size:
            for detector, value in zip(detectors, values[now], strict=True):
                detector.update(float(value))
        if (now - size + 1) % step:
            continue
        arcs = np.mean([detector.cac_1d_ for detector in detectors], axis=0)
        first = now - size + 1
        begin, end = max(apart, last + apart - first), len(arcs) - apart
        if begin >= end:
            continue
        at = begin + int(np.argmin(arcs[begin:end]))
        # A minimum at the rim of what is looked at is on its way to a lower one.
        if arcs[at] < LOW and at < end - 1:
            last = first + at
            found.append((in_frames(last, stream, rate), in_frames(now, stream, rate)))
    return found


def _right_neighbours(values: Array, window: int) -> NDArray[np.object_]:
    """The matrix profile of the first buffer as far as FLOSS reads it: the index of each window's nearest later one.

    ``stumpy.stump`` gives the same, but compiles for a minute before its first answer.
    """
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    centred = windows - windows.mean(axis=1, keepdims=True)
    likeness = centred @ centred.T / np.maximum(np.outer(*[np.linalg.norm(centred, axis=1)] * 2), 1e-12)
    row, column = np.indices(likeness.shape)
    too_near = column <= row + -(-window // 4)
    nearest = np.where(too_near, -np.inf, likeness).argmax(axis=1)
    profile = np.full((len(windows), 4), -1, dtype=object)
    profile[:, 3] = np.where(too_near.all(axis=1), -1, nearest)
    return profile
