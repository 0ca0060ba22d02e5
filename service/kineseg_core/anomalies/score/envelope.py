"""The usual upper limit of each value: the 98 % quantile of about its last two minutes.

Values are counted five times a second, each time the largest since the last, in bins of their logarithm that are
forgotten exponentially; the bins follow the value if it leaves them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.values.layout import LARGEST_OTHER
from kineseg_core.anomalies.values.median import median_of_few
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]

QUANTILE = 0.98
BINS, BIN = 22, 0.25
"""Number of bins, and their width in nats."""
_MEMORY_S, EVERY_S = 120.0, 0.2
_START_BIN, _SHIFT = 10, 6
_LEAST = 1e-12
_YOUNG_S = 15.0
_LOWEST_RATIO = np.float32(math.exp(-1.5))
_NO_RATIO, _ZERO, _ONE = np.float32(-math.inf), np.float32(0.0), np.float32(1.0)


class Envelope(NamedTuple):
    """Of N values.

    Attributes:
        counts: ``(N, BINS)``
        lowest: ``(N,)`` logarithm at which the first bin begins; NaN before there was a value.
        largest: ``(N,)`` of the values since they were counted last.
        quantile: ``(N,)`` of the values, not their logarithms.
        limit: ``(N,)`` what a value is divided by.
        ratios: ``(N,)`` the newest values over their limits; nothing is kept in them.
        seconds: ``(1,)`` how long it has learnt.
    """

    counts: F32
    lowest: F32
    largest: F32
    quantile: F32
    limit: F32
    ratios: F32
    seconds: NDArray[np.float64]


def new_envelope(values: int) -> Envelope:
    """Nothing has been seen yet."""
    return Envelope(
        np.zeros((values, BINS), np.float32),
        np.full(values, np.nan, np.float32),
        np.zeros(values, np.float32),
        np.zeros(values, np.float32),
        np.full(values, np.inf, np.float32),
        np.zeros(values, np.float32),
        np.zeros(1),
    )


@kernel()
def learn(envelope):  # type: ignore[no-untyped-def]
    """Counts the largest values since the last time."""
    kept = np.float32(math.exp(-EVERY_S / _MEMORY_S))
    counts = envelope.counts
    every = counts.reshape(-1)
    for i in range(len(every)):
        every[i] *= kept
    for n in range(len(envelope.largest)):
        log = math.log(envelope.largest[n] + _LEAST)
        envelope.largest[n] = 0.0
        if math.isnan(envelope.lowest[n]):
            envelope.lowest[n] = log - _START_BIN * BIN
        at = math.floor((log - envelope.lowest[n]) / BIN)
        counts[n, min(max(at, 0), BINS - 1)] += np.float32(1.0)
    envelope.seconds[0] += EVERY_S


@kernel()
def _shift(counts, bins):  # type: ignore[no-untyped-def]
    """Moves the bins up by so many (down if negative); what falls out is counted at the edge."""
    moved = np.zeros(BINS, np.float32)
    for i in range(BINS):
        moved[min(max(i - bins, 0), BINS - 1)] += counts[i]
    for i in range(BINS):
        counts[i] = moved[i]


@kernel()
def renew(envelope, layout, least):  # type: ignore[no-untyped-def]
    """Makes the limits anew.

    Args:
        envelope: See `Envelope`.
        layout: See `LayoutArrays`.
        least: ``(N,)`` what a source's resolution makes of values that stand still.
    """
    counts, quantile, start = envelope.counts, envelope.quantile, layout.start
    for n in range(len(quantile)):
        total = _ZERO
        for i in range(BINS):
            total += counts[n, i]
        above = (1.0 - QUANTILE) * total
        at, summed = BINS - 1, 0.0
        while at > 0 and summed + counts[n, at] <= above:
            summed += counts[n, at]
            at -= 1
        within = 1.0 - (above - summed) / max(counts[n, at], 1e-9)
        quantile[n] = math.exp(envelope.lowest[n] + (at + min(max(within, 0.0), 1.0)) * BIN)
        if at > BINS - _SHIFT // 2:
            _shift(counts[n], _SHIFT)
            envelope.lowest[n] += _SHIFT * BIN
        elif at < _SHIFT // 2:
            _shift(counts[n], -_SHIFT)
            envelope.lowest[n] -= _SHIFT * BIN
    young = 1.0 + _YOUNG_S / max(envelope.seconds[0] - 1.0, 1.0)
    for d in range(len(layout.floor)):
        of_all = layout.share[d] * np.float32(median_of_few(quantile[start[d] : start[d + 1]]))
        for n in range(start[d], start[d + 1]):
            if layout.relative[d]:
                envelope.limit[n] = layout.floor[d]
            else:
                envelope.limit[n] = max(quantile[n], of_all, layout.floor[d], least[n], _LEAST) * young


@kernel(inlined=True)
def beyond(row, envelope, layout, masked, y, top):  # type: ignore[no-untyped-def]
    """How far the values of a frame are beyond their limits.

    Args:
        row: ``(N,)`` values.
        envelope: See `Envelope`.
        layout: See `LayoutArrays`.
        masked: ``(N,)`` bool: values that say nothing now.
        y: ``(D,)`` written: log ratio of the detector's largest value to its limit, less what its rival explains.
        top: ``(D,)`` written: which value that is.
    """
    ratios, largest, start, rival = envelope.ratios, envelope.largest, layout.start, layout.rival
    for n in range(len(row)):
        ratios[n] = row[n] / envelope.limit[n] + 1e-6
    for n in range(len(row)):
        largest[n] = largest[n] if masked[n] else max(largest[n], row[n])
    for d in range(len(y)):
        first, second, largest_at = _NO_RATIO, _NO_RATIO, start[d]
        among_others = rival[start[d]] == LARGEST_OTHER
        if among_others:
            for n in range(start[d], start[d + 1]):
                if ratios[n] > first:
                    first, second, largest_at = ratios[n], first, n
                elif ratios[n] > second:
                    second = ratios[n]
        most, top[d] = _LOWEST_RATIO, start[d]
        if among_others and not masked[largest_at]:  # no other is larger once that is explained by this one
            own = first / max(_ONE, second)
            if own > most:
                most, top[d] = own, largest_at
            y[d] = math.log(most)
            continue
        for n in range(start[d], start[d + 1]):
            own = ratios[n]
            if own <= most or masked[n]:
                continue
            explained = _ONE
            if rival[n] == LARGEST_OTHER:
                explained = second if own == first else first
            elif rival[n] >= 0:
                explained = ratios[rival[n]]
            own /= max(_ONE, explained)
            if own > most:
                most, top[d] = own, n
        y[d] = math.log(most)
