"""How often something so far beyond the usual comes, by what was known of streams and by the stream itself.

Peaks over a threshold (Pickands 1975): episodes above a level u come at a rate, and their excess has a generalised
Pareto tail. Rate and mean excess are those of a prior that counts as much as a minute or two of the stream, and the
stream's own, forgotten with a half-life of twenty minutes. That the mean excess is not known exactly makes an
exponential tail a Lomax one. What the stream itself teaches is bounded: excess beyond two and a half times the
prior's counts as that much, and its own rate as at most some times the prior's, so that a stream with frequent
harmless violence is not taken for one in which anything may happen (the budget's bar keeps it from flooding).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]

PRIOR_S = 100.0
"""Seconds of a stream that the prior counts as much as."""
_HALF_LIFE_S = 1200.0
_LARGEST_EXCESS = 2.5
MOST_USUAL = 8.0
"""Times the prior's rate that a stream's own counts as at most."""
_LEAST_SURE = 6.0
"""Episodes by which the mean excess is known at least: priors are of many more than they count as."""
_APART_S = 2.0
_LEAST_EXCESS = 0.1
_TO_END = 0.9
"""Share of the way to the end of a bounded tail from which on it is exponential: nothing is impossible."""


class Prior(NamedTuple):
    """Of D detectors.

    Attributes:
        level: ``(D,)`` u, from which on an episode is one.
        rate: ``(D,)`` episodes a second.
        excess: ``(D,)`` mean of what they reach above u.
        shape: ``(D,)`` of the generalised Pareto tail, 0 or below.
    """

    level: F64
    rate: F64
    excess: F64
    shape: F64


class Tails(NamedTuple):
    """What a stream has taught.

    Attributes:
        episodes: ``(D,)`` how many.
        excess: ``(D,)`` sum of theirs.
        seconds: ``(1,)`` in which they were.
        peak: ``(D,)`` of the present episode; -inf: none.
        quiet_s: ``(D,)`` since it was above its level last.
    """

    episodes: F64
    excess: F64
    seconds: F64
    peak: F64
    quiet_s: F64


def new_tails(detectors: int) -> Tails:
    """Nothing has been seen yet."""
    return Tails(
        np.zeros(detectors),
        np.zeros(detectors),
        np.zeros(1),
        np.full(detectors, -np.inf),
        np.zeros(detectors),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def severities(y, prior, tails, weight, s):  # type: ignore[no-untyped-def]
    """Writes for each detector -ln of how often an hour its y comes, less its share of the budget, ``(D,)``."""
    for d in range(len(y)):
        known = PRIOR_S * prior.rate[d]
        own = min(tails.episodes[d], MOST_USUAL * prior.rate[d] * tails.seconds[0])
        share = own / tails.episodes[d] if tails.episodes[d] > 0 else 0.0
        a = known + own + 1e-9
        mean = max((known * prior.excess[d] + share * tails.excess[d]) / a, _LEAST_EXCESS)
        rate = a / (PRIOR_S + tails.seconds[0])
        x = max(y[d] - prior.level[d], 0.0)
        shape = prior.shape[d]
        decay = x / mean
        if shape < -1e-6:
            scale = mean * (1.0 - shape)
            within = min(x, -_TO_END * scale / shape)
            decay = math.log1p(shape * within / scale) / shape + (x - within) / (scale * (1.0 - _TO_END))
        sure = max(a, _LEAST_SURE)
        s[d] = -math.log(3600.0 * rate / weight[d]) + sure * math.log1p(decay / sure)


@njit(cache=True, error_model="numpy", nogil=True)
def learn_tails(y, seconds, prior, tails):  # type: ignore[no-untyped-def]
    """Takes what a frame of so many seconds reached."""
    kept = 0.5 ** (seconds / _HALF_LIFE_S)
    tails.seconds[0] = tails.seconds[0] * kept + seconds
    for d in range(len(y)):
        tails.episodes[d] *= kept
        tails.excess[d] *= kept
        if y[d] > prior.level[d]:
            tails.peak[d] = max(tails.peak[d], y[d])
            tails.quiet_s[d] = 0.0
        elif tails.peak[d] > -math.inf:
            tails.quiet_s[d] += seconds
            if tails.quiet_s[d] >= _APART_S:
                tails.episodes[d] += 1.0
                tails.excess[d] += min(tails.peak[d] - prior.level[d], _LARGEST_EXCESS * prior.excess[d])
                tails.peak[d] = -math.inf
