"""Boundaries between patterns that repeat: a scan statistic over the graph of nearest neighbours of the open segment.

Where a signal repeats a pattern, each block's nearest neighbours lie in earlier and later repetitions; where one
pattern gives way to another, neighbours keep to their side. So every cut of the open segment is scored by how much
better than by chance the neighbours predict the side that a block lies on, as in ClaSP (Schafer, Ermshaus & Leser 2021)
and its streaming form ClaSS (Ermshaus, Schafer & Leser 2023), and as graph-based scan statistics do (Chen & Zhang 2015;
Chen 2019). The score grows with the number of blocks on both sides.

Successive blocks are not independent, and in some streams stretches keep to themselves without any change. Both are
estimated from the stream. The same statistic of stretches of the same length elsewhere in the segment is the noise that
the score is divided by; and the best score that the stream gives where there is no boundary, its background, raises the
threshold.

The whole open segment is scanned, since patterns may take long to repeat, but boundaries keep the latency budget: of a
change that shows late, the boundary is put as far back as the budget allows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kineseg_core.generic.pattern_settings import FARTHEST, LEAST, NOT_THERE, STRIDE, PatternSettings, ties
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.arithmetic import sum_of
from kineseg_core.segmenter.running_quantile import RunningQuantile

Array = NDArray[np.float64]
Blocks = NDArray[np.float32]
Integers = NDArray[np.int64]


@within("0 <= start <= count")
@keeps("_background count start _past _distances _farthest _nearest _recent_scores", fixed="_settings _dim _budget")
class PatternBoundaries:
    """Finds boundaries in a sequence of blocks. Picklable; block 0 is the first.

    Args:
        settings: Numbers of the method.
        dim: Dimensions of a block.
        budget: Blocks within which a boundary must be decided.
    """

    _recent_scores: list[float]  # which may turn out to belong to a boundary

    def __init__(self, settings: PatternSettings, dim: int, budget: int) -> None:
        self._settings = settings
        self._dim = dim
        self._budget = max(1, budget)
        self._background = RunningQuantile(
            settings.background_size, settings.background_prior, settings.background_known
        )
        self.restart()

    def restart(self) -> None:
        """Begins anew: the next block is block 0, and nothing came before it. The background stays known."""
        self.count = 0
        self.start = 0  # first block of the open segment
        horizon, k = self._settings.horizon, self._settings.neighbours
        self._past = np.zeros((self._dim, horizon), np.float32)  # rings, by block
        self._distances = np.full((horizon, k), NOT_THERE, np.float32)  # of the nearest neighbours
        self._farthest = np.full(horizon, NOT_THERE, np.float32)  # the largest of them
        self._nearest = np.full((horizon, k), -1, np.int32)  # which blocks they are; -1: none
        self._recent_scores = []

    def recent(self, start: int, end: int) -> Blocks:
        """Blocks [start, end), shape (n, dim), as far as they are remembered."""
        start = max(start, self.count - self._settings.horizon, 0)
        return self._past.T[np.arange(start, max(start, end)) % self._settings.horizon]

    def append(self, block: Array) -> None:
        """Takes the next block (dim,) without a scan; it has no neighbours before the next `accept`."""
        slot = self.count % self._settings.horizon
        self._past[:, slot] = block
        self._distances[slot], self._farthest[slot], self._nearest[slot] = NOT_THERE, NOT_THERE, -1
        self.count += 1

    def update(self, block: Array) -> int | None:
        """Takes the next block (dim,); returns a boundary to be decided now, or None."""
        settings, t = self._settings, self.count
        self.append(block)
        self._link(max(self.start, self.count - settings.horizon), t)
        if t % settings.every:
            return None
        found = self._scan()
        if found is None:
            return None
        cut, score = found
        threshold = settings.threshold + settings.background_share * self._background.refresh()
        if score >= threshold:
            return max(cut, self.count - self._budget)
        self._recent_scores.append(score)
        if len(self._recent_scores) > settings.scores_waiting:
            self._background.add(self._recent_scores.pop(0))
        return None

    def accept(self, boundary: int) -> None:
        """The open segment ends before `boundary`, and another begins there."""
        self.start = boundary
        self._recent_scores.clear()
        slots = np.arange(boundary, self.count) % self._settings.horizon
        self._distances[slots], self._farthest[slots], self._nearest[slots] = NOT_THERE, NOT_THERE, -1
        for block in range(boundary + self._settings.apart, self.count):
            self._link(boundary, block)

    def _link(self, first: int, block: int) -> None:
        """Makes neighbours of `block` and the blocks since `first` that are far enough from it."""
        n = block - self._settings.apart + 1 - first
        if n <= 0:
            return
        horizon, k = self._settings.horizon, self._settings.neighbours
        slot = block % horizon
        squared = self._squared_distances(first, n, slot)
        # Where a signal stands still all are equally near: none may then be preferred for its position.
        shift = block * STRIDE % horizon
        squared += ties(horizon)[shift : shift + n] * (squared.max() + LEAST)
        nearest = np.argsort(squared, kind="stable")[:k]
        self._distances[slot, : len(nearest)] = squared[nearest]
        self._nearest[slot, : len(nearest)] = first + nearest
        self._farthest[slot] = self._distances[slot].max()
        slots = np.arange(first, first + n) % horizon
        closer = np.flatnonzero(squared < self._farthest[slots])
        rows = slots[closer]
        replaced = self._distances[rows].argmax(axis=1)
        self._distances[rows, replaced] = squared[closer]
        self._nearest[rows, replaced] = block
        self._farthest[rows] = self._distances[rows].max(axis=1)

    def _squared_distances(self, first: int, n: int, slot: int) -> NDArray[np.float32]:
        """Of n blocks, from `first` on, from that in a slot: summed from the first dimension to the last."""
        slots = np.arange(first, first + n) % self._settings.horizon
        with np.errstate(over="ignore"):
            squares = np.square(self._past[:, slots] - self._past[:, slot, None])
        return np.asarray(np.minimum(np.cumsum(squares, axis=0)[-1], FARTHEST))

    def _scan(self) -> tuple[int, float] | None:
        """The best cut of the open segment and its score; None if the segment is too short."""
        settings = self._settings
        first = max(self.start, self.count - settings.horizon)
        n = self.count - first
        if n < settings.before + settings.after:
            return None
        source, target = self._edges(first)
        cuts = np.arange(settings.before, n - settings.after + 1)
        agreement = self._agreement(source, target, n, cuts)
        scores = agreement * np.sqrt(cuts * (n - cuts) / n / settings.correlation)
        best = int(scores.argmax())
        cut = int(cuts[best])
        correlation = self._correlation(source, target, cut, n - cut)
        return first + cut, float(scores[best]) * math.sqrt(settings.correlation / correlation)

    def _edges(self, first: int) -> tuple[Integers, Integers]:
        """From which block to which nearest neighbour, counted from `first`; a forgotten one counts as the first."""
        blocks = np.arange(first, self.count)
        nearest = self._nearest[blocks % self._settings.horizon].astype(np.int64)
        there = nearest >= 0
        source = np.broadcast_to((blocks - first)[:, None], nearest.shape)[there]
        return source, np.maximum(nearest[there] - first, 0)

    def _agreement(self, source: Integers, target: Integers, n: int, cuts: Integers) -> Array:
        """For each cut of n blocks: how much better than by chance (0) to always (1) neighbours lie on one side."""
        earlier = np.cumsum(np.bincount(np.minimum(source, target), minlength=n))[cuts - 1]  # edges with an end before
        inside = np.cumsum(np.bincount(np.maximum(source, target), minlength=n))[cuts - 1]  # with both ends before
        asked = np.cumsum(np.bincount(source, minlength=n))[cuts - 1]
        right, asked_right = len(source) - earlier, np.maximum(len(source) - asked, 1)
        share = cuts / n
        of_left = (inside / np.maximum(asked, 1) - share) / (1.0 - share)
        of_right = (right / asked_right - (1.0 - share)) / share
        left = self._settings.weight_before
        return np.asarray(left * of_left + (1.0 - left) * of_right)

    def _correlation(self, source: Integers, target: Integers, cut: int, length: int) -> float:
        """How many blocks make one independent observation: from stretches of `length` blocks before `cut`."""
        settings = self._settings
        stretches = cut - length + 1
        if stretches <= length:
            return settings.correlation
        inner = (source < cut) & (target < cut)
        source, target = source[inner], target[inner]
        begin, end = np.minimum(source, target), np.maximum(source, target)
        within = end - begin < length
        both = _covered(np.maximum(end[within] - length + 1, 0), begin[within], stretches)
        into = _covered(np.maximum(target - length + 1, 0), target, stretches)
        k, share = settings.neighbours, length / cut
        of_stretch = (both / (k * length) - share) / (1.0 - share)
        of_rest = 1.0 - (into - both) / (k * (cut - length)) / share
        agreement = settings.weight_before * of_rest + (1.0 - settings.weight_before) * of_stretch
        noise = float(sum_of(np.square(agreement))) / stretches * length * (cut - length) / cut
        known, prior = stretches / length + 1.0, settings.correlation_prior
        correlation = (settings.correlation * prior + noise * known) / (prior + known)
        return max(correlation, settings.least_correlation * settings.correlation)


def _covered(first: Integers, last: Integers, n: int) -> Integers:
    """How many of the intervals [first, last] hold each of 0 ... n - 1."""
    begins = np.bincount(np.minimum(first, n), minlength=n + 1)[: n + 1]
    ends = np.bincount(np.minimum(last + 1, n), minlength=n + 1)[: n + 1]
    return np.asarray(np.cumsum(begins - ends)[:n])
