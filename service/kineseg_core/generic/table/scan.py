"""The best cut of the open segment of a row, see `kineseg_core.generic.pattern_boundaries`, as kernels."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.kernels import kernel


@kernel(nogil=True)
def scan(nearest, first, n, settings):  # type: ignore[no-untyped-def]
    """Scores every cut of n blocks, from `first` on.

    Args:
        nearest: ``(H, K)`` blocks, a ring by block; -1: none.
        first, n: The first block, and how many.
        settings: See `PatternSettings`.

    Returns:
        Blocks before the best cut, and its score.
    """
    targets = _targets(nearest, first, n)
    touched, inside, asked = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    edges = 0
    for source in range(n):
        for each in range(targets.shape[1]):
            target = targets[source, each]
            if target >= 0:
                touched[min(source, target)] += 1
                inside[max(source, target)] += 1
                asked[source] += 1
                edges += 1
    cut, best = settings.before, -math.inf
    begun, ended, had = 0, 0, 0  # edges with an end before the cut, with both, and of blocks before it
    for at in range(n - settings.after):
        begun, ended, had = begun + touched[at], ended + inside[at], had + asked[at]
        if at + 1 < settings.before:
            continue
        share = (at + 1) / n
        of_left = (ended / max(had, 1) - share) / (1.0 - share)
        of_right = ((edges - begun) / max(edges - had, 1) - (1.0 - share)) / share
        agreement = settings.weight_before * of_left + (1.0 - settings.weight_before) * of_right
        score = agreement * math.sqrt((at + 1) * (n - at - 1) / n / settings.correlation)
        if score > best:
            cut, best = at + 1, score
    return cut, best * math.sqrt(settings.correlation / _correlation(targets, cut, n - cut, settings))


@kernel(nogil=True)
def _targets(nearest, first, n):  # type: ignore[no-untyped-def]
    """Neighbours of n blocks (n, K), counted from `first`; a forgotten one counts as the first, -1: none."""
    targets = np.empty((n, nearest.shape[1]), np.int64)
    slot = first % len(nearest)
    for at in range(n):
        for each in range(nearest.shape[1]):
            block = nearest[slot, each]
            targets[at, each] = min(max(block - first, 0), n - 1) if block >= 0 else -1
        slot += 1
        if slot == len(nearest):
            slot = 0
    return targets


@kernel(nogil=True)
def _correlation(targets, cut, length, settings):  # type: ignore[no-untyped-def]
    """How many blocks make one independent observation: from stretches of `length` blocks before `cut`."""
    stretches = cut - length + 1
    if stretches <= length:
        return settings.correlation
    both, into = np.zeros(stretches + 1, np.int64), np.zeros(stretches + 1, np.int64)
    for source in range(cut):
        for each in range(targets.shape[1]):
            target = targets[source, each]
            if 0 <= target < cut:
                begin, end = min(source, target), max(source, target)
                if end - begin < length:
                    _cover(both, max(end - length + 1, 0), begin)
                _cover(into, max(target - length + 1, 0), target)
    k, share = settings.neighbours, length / cut
    of_both, of_into, squares = 0, 0, 0.0
    for at in range(stretches):
        of_both, of_into = of_both + both[at], of_into + into[at]
        of_stretch = (of_both / (k * length) - share) / (1.0 - share)
        of_rest = 1.0 - (of_into - of_both) / (k * (cut - length)) / share
        agreement = settings.weight_before * of_rest + (1.0 - settings.weight_before) * of_stretch
        squares += agreement * agreement
    noise = squares / stretches * length * (cut - length) / cut
    known, prior = stretches / length + 1.0, settings.correlation_prior
    correlation = (settings.correlation * prior + noise * known) / (prior + known)
    return max(correlation, settings.least_correlation * settings.correlation)


@kernel(nogil=True, inlined=True)
def _cover(changes, first, last):  # type: ignore[no-untyped-def]
    """The interval [first, last] holds one more of each that is in it."""
    outside = len(changes) - 1
    changes[min(first, outside)] += 1
    changes[min(last + 1, outside)] -= 1
