"""Fits priors: of each detector the level that a tenth of the seconds reach, and the tail above it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from kineseg_core.anomalies.budget import AlarmBar, AnomalyBudget
from kineseg_core.anomalies.score.kind import WARM_UP_S, warm_up_s
from kineseg_core.anomalies.score.scorer import Scorer
from numpy.typing import NDArray

from kineseg_training.default.anomaly_priors.streams import FaultlessStream

Array = NDArray[np.float64]

_NO_BAR = AlarmBar(AnomalyBudget.alarms_per_hour).numbers  # nothing is decided here
_QUANTILE = 0.9
_LOWEST_LEVEL = -1.3
_COUNTED_S = 90.0
"""A stream counts by its length up to this."""
_APART = 2
_FEWEST = 4
_PASSES = 3
_LARGEST_EXCESS = 4.0
_LEAST_SHAPE, _LARGEST_SHAPE = -0.15, 0.3
_WITHOUT = {"rate": 0.02, "excess": 0.17, "shape": 0.0}
"""Of a detector that hardly ever reaches its level."""


class Maxima(NamedTuple):
    """What a stream reached.

    Attributes:
        group: Of priors, see `group_of`.
        detectors: Their names.
        maxima: Of each detector ``(S,)``: how far it was beyond its usual, in each second after its warm-up.
    """

    group: str
    detectors: tuple[str, ...]
    maxima: tuple[Array, ...]


def maxima_of(stream: FaultlessStream) -> Maxima | None:
    """What a stream reached; None: it is too short."""
    source = stream.source
    scorer = Scorer(source)
    scorer.heed(_NO_BAR, learns_after_s=-np.inf, busy=True)
    frames = np.ascontiguousarray(stream.frames, np.float64).reshape(len(stream.frames), len(source.names), -1)
    times_s, severities = np.arange(len(frames)) / source.rate_hz, np.empty(len(frames))
    seconds: list[Array] = []
    at = 0
    while at < len(frames):
        at, _ = scorer.advance(frames, times_s, at, len(frames), severities)
        if not scorer.new_row or scorer.seconds < WARM_UP_S:
            continue
        second = int(scorer.seconds - WARM_UP_S)
        if second == len(seconds):
            seconds.append(scorer.state.y.copy())
        else:
            np.maximum(seconds[-1], scorer.state.y, out=seconds[-1])
    first = np.round(warm_up_s(scorer.layout) - WARM_UP_S).astype(np.int64).tolist()
    if len(seconds) < max(first) + 2:
        return None
    table = np.array(seconds[:-1])
    names = tuple(detector.name for detector in scorer.layout.detectors)
    return Maxima(scorer.group, names, tuple(table[begin:, d] for d, begin in enumerate(first)))


def fit(streams: Iterable[Maxima]) -> dict[str, dict[str, dict[str, float]]]:
    """By group and detector: ``level``, ``rate`` (episodes a second), ``excess`` (mean) and ``shape`` of the tail."""
    groups: dict[str, list[Maxima]] = defaultdict(list)
    for stream in streams:
        groups[stream.group].append(stream)
    return {
        group: {
            detector: _tail([stream.maxima[d] for stream in found]) for d, detector in enumerate(found[0].detectors)
        }
        for group, found in sorted(groups.items())
    }


def _tail(streams: list[Array]) -> dict[str, float]:
    weights = [min(1.0, _COUNTED_S / len(stream)) for stream in streams]
    values = np.concatenate(streams)
    shares = np.concatenate([np.full(len(s), weight) for s, weight in zip(streams, weights, strict=True)])
    order = np.argsort(values)
    below = np.searchsorted(np.cumsum(shares[order]), _QUANTILE * shares.sum())
    level = max(float(values[order[below]]), _LOWEST_LEVEL)
    peaks = [(peak, weight) for s, weight in zip(streams, weights, strict=True) for peak in _peaks(s, level)]
    if len(peaks) < _FEWEST:
        return _rounded({"level": level} | _WITHOUT)
    reached, counted = np.array(peaks).T
    excess = reached - level
    mean = float(np.average(excess, weights=counted))
    for _ in range(_PASSES):  # one wild stream does not speak for the others
        excess = np.minimum(reached - level, _LARGEST_EXCESS * mean)
        mean = float(np.average(excess, weights=counted))
    variance = float(np.average((excess - mean) ** 2, weights=counted))
    # Hosking & Wallis 1987, method of moments.
    shape = float(np.clip(0.5 * (1.0 - mean**2 / max(variance, 1e-9)), _LEAST_SHAPE, _LARGEST_SHAPE))
    return _rounded(
        {"level": level, "rate": float(counted.sum() / shares.sum()), "excess": max(mean, 0.05), "shape": shape}
    )


def _peaks(seconds: Array, level: float) -> list[float]:
    """The highest of each episode; episodes are two seconds apart."""
    peaks: list[float] = []
    quiet = _APART
    for value in seconds:
        if value <= level:
            quiet += 1
        elif quiet >= _APART:
            peaks.append(float(value))
            quiet = 0
        else:
            peaks[-1] = max(peaks[-1], float(value))
            quiet = 0
    return peaks


def _rounded(tail: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in tail.items()}
