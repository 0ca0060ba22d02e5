"""Boundaries between patterns that repeat: a scan over the graph of nearest neighbours of the open segment.

Where a signal repeats a pattern, each moment's nearest neighbours lie in earlier and later repetitions; where one
pattern gives way to another, neighbours keep to their side. So for every place in the open segment it is asked how much
better than by chance the neighbours tell the side that a moment lies on, as in ClaSP (Schafer, Ermshaus & Leser 2021)
and its streaming form ClaSS (Ermshaus, Schafer & Leser 2023), and as graph-based scan statistics do (Chen & Zhang 2015;
Chen 2019). The answer counts the more, the more moments there are on both sides.

Successive moments are not independent, and in some streams stretches keep to themselves without any change. Both are
told by the stream: the same question is asked of stretches of the same length elsewhere in the segment, and what comes
out there is the noise that the answer is measured in; and what the best answer usually is where nothing is decided
raises what is asked of a boundary.

A segment's start is sought anywhere in it, since patterns may take long to repeat, but decided within the latency
budget: of a change that shows late, the boundary is put as far back as the budget allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.running_quantile import RunningQuantile

Array = NDArray[np.float64]
Blocks = NDArray[np.float32]
Integers = NDArray[np.int64]

_TIE, _LEAST = 1e-7, 1e-12
_GOLDEN, _STRIDE = 0.6180339887498949, 137


@dataclass(frozen=True, slots=True)
class PatternSettings:
    """Settings of the scan; lengths are in blocks.

    horizon: how much of the open segment is remembered.
    neighbours: of each block.
    apart: how far apart neighbours must at least be; that a signal is smooth is no evidence (Theiler 1986).
    before, after: the least on either side of a boundary.
    threshold: from which evidence on there is a boundary in a stream that usually gives none.
    usual_share: how much of the evidence that the stream usually gives is added to that.
    usual_prior: what it usually gives, as far as it is known before the stream.
    usual_prior_blocks, usual_blocks: how many blocks that weighs, and over how many it is learned.
    undecided: evidence of the last so many blocks before a boundary is that of the boundary, and not usual.
    unit: how many blocks count as one independent moment, as far as it is known before the stream.
    prior: how many stretches of noise that weighs.
    least_unit: the share of `unit` that a quiet stream may bring it down to.
    left: how much of the answer the earlier side gives. The later one speaks only once its pattern has repeated.
    every: the question is asked every so many blocks.
    """

    horizon: int = 500
    neighbours: int = 3
    apart: int = 20
    before: int = 50
    after: int = 42
    threshold: float = 1.5
    usual_share: float = 0.6
    usual_prior: float = 0.5
    usual_prior_blocks: int = 300
    usual_blocks: int = 3000
    undecided: int = 60
    unit: float = 10.0
    prior: float = 5.0
    least_unit: float = 0.4
    left: float = 0.6
    every: int = 5


class PatternBoundaries:
    """Finds boundaries in a sequence of blocks. Picklable; block 0 is the first.

    Args:
        settings: Numbers of the method.
        dim: Dimensions of a block.
        budget: Blocks within which a boundary must be decided.
    """

    def __init__(self, settings: PatternSettings, dim: int, budget: int) -> None:
        self._settings = settings
        self._dim = dim
        self._budget = max(1, budget)
        self._usual = RunningQuantile(
            settings.usual_blocks // settings.every,
            settings.usual_prior,
            settings.usual_prior_blocks // settings.every,
        )
        self.restart()

    def restart(self) -> None:
        """Begins anew: the next block is block 0, and nothing came before it. What is usual stays known."""
        self.count = 0
        self.start = 0  # first block of the open segment
        horizon, k = self._settings.horizon, self._settings.neighbours
        self._past = np.zeros((horizon, self._dim), np.float32)  # rings, by block
        self._distances = np.full((horizon, k), np.inf, np.float32)  # of the nearest neighbours
        self._farthest = np.full(horizon, np.inf, np.float32)  # the largest of them
        self._nearest = np.full((horizon, k), -1, np.int32)  # which blocks they are; -1: none
        self._undecided: list[float] = []  # evidence of late, which may become that of a boundary

    def recent(self, start: int, end: int) -> Blocks:
        """Blocks [start, end), shape (n, dim), as far as they are remembered."""
        start = max(start, self.count - self._settings.horizon, 0)
        return self._past[np.arange(start, max(start, end)) % self._settings.horizon]

    def remember(self, block: Array) -> None:
        """Takes the next block (dim,), asking nothing of it: it has no neighbours before the next `accept`."""
        place = self.count % self._settings.horizon
        self._past[place] = block
        self._distances[place], self._farthest[place], self._nearest[place] = np.inf, np.inf, -1
        self.count += 1

    def update(self, block: Array) -> int | None:
        """Takes the next block (dim,); returns a boundary to be decided now, or None."""
        settings, t = self._settings, self.count
        self.remember(block)
        self._meet(max(self.start, self.count - settings.horizon), t)
        if t % settings.every:
            return None
        found = self._scan()
        if found is None:
            return None
        cut, evidence = found
        enough = settings.threshold + settings.usual_share * self._usual.refresh()
        if evidence >= enough:
            return max(cut, self.count - self._budget)
        self._undecided.append(evidence)
        if len(self._undecided) > settings.undecided // settings.every:
            self._usual.add(self._undecided.pop(0))
        return None

    def accept(self, boundary: int) -> None:
        """The open segment ends before `boundary`, and another begins there."""
        self.start = boundary
        self._undecided.clear()
        places = np.arange(boundary, self.count) % self._settings.horizon
        self._distances[places], self._farthest[places], self._nearest[places] = np.inf, np.inf, -1
        for block in range(boundary + self._settings.apart, self.count):
            self._meet(boundary, block)

    def _meet(self, first: int, block: int) -> None:
        """Makes neighbours of `block` and the blocks since `first` that are far enough from it."""
        n = block - self._settings.apart + 1 - first
        if n <= 0:
            return
        horizon, k = self._settings.horizon, self._settings.neighbours
        place = block % horizon
        squared = self._from(first, n, self._past[place])
        # Where a signal stands still all are equally near: none may then be preferred for its place.
        shift = block * _STRIDE % horizon
        squared += _ties(horizon)[shift : shift + n] * (squared.max() + _LEAST)
        nearest = np.argpartition(squared, k - 1)[:k] if n > k else np.arange(n)
        self._distances[place, : len(nearest)] = squared[nearest]
        self._nearest[place, : len(nearest)] = first + nearest
        self._farthest[place] = self._distances[place].max()
        places = np.arange(first, first + n) % horizon
        closer = np.flatnonzero(squared < self._farthest[places])
        rows = places[closer]
        replaced = self._distances[rows].argmax(axis=1)
        self._distances[rows, replaced] = squared[closer]
        self._nearest[rows, replaced] = block
        self._farthest[rows] = self._distances[rows].max(axis=1)

    def _from(self, first: int, n: int, block: Blocks) -> NDArray[np.float32]:
        """Squared distances of n blocks, from `first` on, from this one."""
        begin = first % self._settings.horizon
        parts = [self._past[begin : begin + n], self._past[: max(0, begin + n - self._settings.horizon)]]
        differences = [part - block for part in parts if len(part)]
        squared = [np.einsum("ij,ij->i", difference, difference) for difference in differences]
        return squared[0] if len(squared) == 1 else np.concatenate(squared)

    def _scan(self) -> tuple[int, float] | None:
        """The likeliest boundary of the open segment and the evidence for it; None if the segment is too short."""
        settings = self._settings
        first = max(self.start, self.count - settings.horizon)
        n = self.count - first
        if n < settings.before + settings.after:
            return None
        source, target = self._edges(first)
        cuts = np.arange(settings.before, n - settings.after + 1)
        agreement = self._agreement(source, target, n, cuts)
        evidence = agreement * np.sqrt(cuts * (n - cuts) / n / settings.unit)
        best = int(evidence.argmax())
        cut = int(cuts[best])
        unit = self._noise_unit(source, target, cut, n - cut)
        return first + cut, float(evidence[best]) * float(settings.unit / unit) ** 0.5

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
        left = self._settings.left
        return np.asarray(left * of_left + (1.0 - left) * of_right)

    def _noise_unit(self, source: Integers, target: Integers, cut: int, length: int) -> float:
        """How many blocks make one independent moment: from stretches of `length` blocks before `cut`."""
        settings = self._settings
        stretches = cut - length + 1
        if stretches <= length:
            return settings.unit
        inner = (source < cut) & (target < cut)
        source, target = source[inner], target[inner]
        begin, end = np.minimum(source, target), np.maximum(source, target)
        within = end - begin < length
        both = _covered(np.maximum(end[within] - length + 1, 0), begin[within], stretches)
        into = _covered(np.maximum(target - length + 1, 0), target, stretches)
        k, share = settings.neighbours, length / cut
        of_stretch = (both / (k * length) - share) / (1.0 - share)
        of_rest = 1.0 - (into - both) / (k * (cut - length)) / share
        agreement = settings.left * of_rest + (1.0 - settings.left) * of_stretch
        noise = float(np.square(agreement).mean()) * length * (cut - length) / cut
        known = stretches / length + 1.0
        unit = (settings.unit * settings.prior + noise * known) / (settings.prior + known)
        return max(unit, settings.least_unit * settings.unit)


@cache
def _ties(horizon: int) -> NDArray[np.float32]:
    """Shares of a distance too small to matter, spread evenly, (2 horizon,)."""
    return (_TIE * (np.arange(2 * horizon) * _GOLDEN % 1.0)).astype(np.float32)


def _covered(first: Integers, last: Integers, n: int) -> Integers:
    """How many of the intervals [first, last] hold each of 0 ... n - 1."""
    begins = np.bincount(np.minimum(first, n), minlength=n + 1)[: n + 1]
    ends = np.bincount(np.minimum(last + 1, n), minlength=n + 1)[: n + 1]
    return np.asarray(np.cumsum(begins - ends)[:n])
