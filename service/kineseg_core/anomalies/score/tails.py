"""How often something so far beyond the usual comes, by what was known of streams and by the stream itself.

Peaks over a threshold (Pickands 1975): episodes above a level u come at a rate, and their excess has a generalised
Pareto tail. Rate and mean excess are those of a prior that counts as much as a minute or two of the stream, and the
stream's own, forgotten with a half-life of twenty minutes. That the mean excess is not known exactly makes an
exponential tail a Lomax one. What the stream itself teaches is bounded: excess beyond some times the prior's counts as
that much, and its own rate as at most some times the prior's, so that a stream with frequent harmless violence is not
taken for one in which anything may happen (the budget's bar keeps it from flooding).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

F64 = NDArray[np.float64]

PRIOR_S = 100.0
"""Seconds of a stream that the prior counts as much as."""
_HALF_LIFE_S = 1200.0
MOST_USUAL = 8.0
"""Times the prior's rate that a stream's own counts as at most."""
_LEAST_SURE = 12.0
"""Episodes by which the mean excess is known at least: priors are of many more than they count as."""
_APART_S = 2.0
_LEAST_EXCESS = 0.1
_TO_END = 0.9
"""Share of the way to the end of a bounded tail from which on it is exponential: nothing is impossible."""


PRIOR = np.dtype([(name, np.float64) for name in ("level", "rate", "excess", "shape")])
"""Of a detector: u, from which on an episode is one; episodes a second; mean of what they reach above u; shape of the
generalised Pareto tail, below 1."""
TAIL = np.dtype([(name, np.float64) for name in ("episodes", "excess", "peak", "quiet_s")])
"""What a stream has taught of a detector: how many episodes, the sum of their excess, the peak of the present one
(-inf: none), and seconds since it was above its level last."""


class Tails(NamedTuple):
    """What a stream has taught.

    Attributes:
        of: ``(D,)`` of `TAIL`.
        seconds: ``(1,)`` in which it was taught.
    """

    of: NDArray[np.void]
    seconds: F64


def new_tails(detectors: int) -> Tails:
    """Nothing has been seen yet."""
    tails = Tails(np.zeros(detectors, TAIL), np.zeros(1))
    tails.of["peak"] = -np.inf
    return tails


def kept_in(seconds: float) -> float:
    """Share of what a stream has taught that is not forgotten in so many seconds."""
    return float(0.5 ** (seconds / _HALF_LIFE_S))


@kernel(inlined=True)
def severities(y, prior, tails, weight, warm, s):  # type: ignore[no-untyped-def]
    """Writes for each detector -ln of how often an hour its y comes, less its share of the budget, ``(D,)``.

    Those that are not `warm` have -inf. Returns the highest.
    """
    highest = -math.inf
    for d in range(len(y)):
        known = PRIOR_S * prior[d].rate
        own = min(tails.of[d].episodes, MOST_USUAL * prior[d].rate * tails.seconds[0])
        share = own / tails.of[d].episodes if tails.of[d].episodes > 0 else 0.0
        a = known + own + 1e-9
        mean = max((known * prior[d].excess + share * tails.of[d].excess) / a, _LEAST_EXCESS)
        rate = a / (PRIOR_S + tails.seconds[0])
        x = max(y[d] - prior[d].level, 0.0)
        shape = prior[d].shape
        decay = x / mean
        if x == 0.0:  # as most of the time: the logarithms below are 0
            pass
        elif shape > 1e-6:
            decay = math.log1p(shape * x / (mean * (1.0 - shape))) / shape
        elif shape < -1e-6:
            scale = mean * (1.0 - shape)
            within = min(x, -_TO_END * scale / shape)
            decay = math.log1p(shape * within / scale) / shape + (x - within) / (scale * (1.0 - _TO_END))
        sure = max(a, _LEAST_SURE)
        beyond = sure * math.log1p(decay / sure) if decay > 0.0 else 0.0
        s[d] = -math.log(3600.0 * rate / weight[d]) + beyond if warm[d] else -math.inf
        highest = max(highest, s[d])
    return highest


@kernel(inlined=True)
def learn_tails(y, seconds, kept, prior, tails, most_excess):  # type: ignore[no-untyped-def]
    """Takes what a frame of so many seconds reached, of which `kept_in` gives `kept`; `most_excess`: see `Detector`."""
    tails.seconds[0] = tails.seconds[0] * kept + seconds
    for d in range(len(y)):
        tails.of[d].episodes *= kept
        tails.of[d].excess *= kept
        if y[d] > prior[d].level:
            tails.of[d].peak = max(tails.of[d].peak, y[d])
            tails.of[d].quiet_s = 0.0
        elif tails.of[d].peak > -math.inf:
            tails.of[d].quiet_s += seconds
            if tails.of[d].quiet_s >= _APART_S:
                tails.of[d].episodes += 1.0
                tails.of[d].excess += min(tails.of[d].peak - prior[d].level, most_excess[d] * prior[d].excess)
                tails.of[d].peak = -math.inf


@kernel(inlined=True)
def learn_and_judge(y, seconds, kept, prior, tails, layout, warm, s):  # type: ignore[no-untyped-def]
    """Takes a frame, see `learn_tails` and `severities`."""
    learn_tails(y, seconds, kept, prior, tails, layout.most_excess)
    return severities(y, prior, tails, layout.weight, warm, s)
