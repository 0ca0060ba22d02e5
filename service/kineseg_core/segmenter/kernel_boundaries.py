"""Boundaries by online kernel change-point detection with a bounded look back.

A segment costs its scatter in the feature space of a Gaussian kernel (Harchaoui & Cappe 2007; Arlot, Celisse &
Harchaoui 2019), a boundary costs a penalty, and the cheapest segmentation is found by dynamic programming. Two things
make it online: a boundary may only be placed within the latency budget, so that dynamic programming covers the last few
seconds whatever the stream's length; and the first boundary of the best segmentation, the candidate, is decided once it
is old enough.

The penalty calibrates itself: it is a multiple of the gain that a cut between two adjoining windows brings in this
stream, which is half the window length times their squared maximum mean discrepancy (Gretton et al. 2012). Of all gains
the upper quartile is taken: most windows lie within an action, and there the larger gains, those between the phases of
a slow movement, are what must not be taken for a change.

What stands still enters neither these gains nor the scale of distances (see `stillness`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.running_quantile import RunningQuantile
from kineseg_core.segmenter.settings import SegmenterSettings
from kineseg_core.segmenter.stillness import StillnessDetector

Array = NDArray[np.float64]
Blocks = NDArray[np.float32]

_PAIRS = 2  # distances sampled with each block
_GAINS = 2  # one gain is kept in so many blocks
_SEARCH = 2  # and the best segmentation looked for
_STILL_S, _GROUP_S, _FEWEST_GROUPS = 6.0, 0.5, 4  # how long it must stand still, looked at in groups of blocks
_LARGEST = 6e4  # that half precision holds
_LEAST_SQUARED_DISTANCE = 1e-9  # less than this is rounding


class KernelBoundaries:
    """Finds boundaries in a sequence of blocks, each the mean embedding over `settings.block_s`.

    Arrays and plain values only, so it can be pickled. Units are blocks; block 0 is the first.
    """

    def __init__(self, settings: SegmenterSettings, dim: int, latency_s: float) -> None:
        def blocks(seconds: float) -> int:
            return max(1, round(seconds / settings.block_s))

        self._penalty, self._bandwidth = settings.penalty, settings.bandwidth
        self._shortest = blocks(settings.min_segment_s)
        self._window = blocks(settings.window_s)
        self._retry = blocks(settings.retry_s)
        # One block less than the budget: a block is known only when its last frame is.
        self._budget = max(1, int(latency_s / settings.block_s + 1e-9) - 1)
        self._lag = max(1, round(settings.commit_fraction * self._budget))
        self._span = max(self._budget + self._shortest, 2 * self._window)
        self._horizon = max(blocks(settings.horizon_s), self._span + self._window)
        self._dim = dim
        self._lengths = np.arange(self._span, 0, -1, dtype=np.float64)  # blocks from each of the last ones to now
        self.squared_distances = RunningQuantile(
            self._horizon,
            prior=settings.median_squared_distance,
            prior_count=_PAIRS * blocks(settings.prior_s),
        )
        self._gains = RunningQuantile(self._horizon, 0.0, prior_count=0, quantile=settings.gain_quantile)
        group = blocks(_GROUP_S)
        self._stillness = StillnessDetector(dim, group, max(_FEWEST_GROUPS, round(blocks(_STILL_S) / group)))
        self.restart()

    def restart(self) -> None:
        """Begins anew: the next block is block 0, and nothing came before it. The scales that were learned stay."""
        self.count = 0
        self._start = 0  # of the open segment
        self._past = np.zeros((self._horizon, self._dim), dtype=np.float16)  # ring of blocks
        self._base_start = 0  # the open segment's part within the horizon begins here
        self._base_similarity = 0.0  # sum of the kernel over all pairs of that part
        self._base_dropped = 0.0  # cost of what has left the horizon
        # For the last `_span` blocks, newest last: the sum of the kernel over all pairs from that block to now, the
        # cost of the open segment up to just before that block, and of a segment from the row's to just before the
        # column's.
        self._similarity = np.zeros(self._span)
        self._before = np.zeros(self._span)
        self._cost = np.full((self._span, self._span), np.inf, dtype=np.float32)
        self._window_similarity = np.zeros(self._window)  # of the window that ended that many blocks ago, oldest first
        self._no_boundary_before = 0
        self._next_end = 0
        self._stillness.restart()
        self._stood = np.zeros(self._horizon, dtype=np.bool_)  # ring: whether the stream stood still at each block
        self._moving = 0  # how many blocks within the horizon it did not
        self._moved_for = 0  # blocks since it last stood still

    @property
    def start(self) -> int:
        """First block of the open segment."""
        return self._start

    @property
    def budget(self) -> int:
        """Blocks after which no boundary is decided any more."""
        return self._budget

    @property
    def block_variance(self) -> float:
        """Variance of blocks in this stream: half their median squared distance, above 0."""
        return max(self.squared_distances.value, _LEAST_SQUARED_DISTANCE) / 2.0

    @property
    def still(self) -> bool:
        """Whether the stream stands still."""
        return self._stillness.still

    @property
    def typical_gain(self) -> float:
        """What a cut between adjoining windows gains in this stream: the quantile that the penalty is a multiple of."""
        return self._gains.value

    @property
    def next_end(self) -> int:
        """Where the best segmentation ends the segment that begins at the latest candidate; `count` if open."""
        return self._next_end

    def recent(self, start: int, end: int, step: int = 1) -> Blocks:
        """Blocks [start, end), shape (n, dim), as far as they are within the horizon; of `step` only the first."""
        start = max(start, self.count - self._horizon)
        begin, length = start % self._horizon, max(end - start, 0)
        if begin + length <= self._horizon:
            return self._past[begin : begin + length : step].astype(np.float32)
        skipped = -(self._horizon - begin) % step
        parts = self._past[begin::step], self._past[skipped : begin + length - self._horizon : step]
        return np.concatenate(parts).astype(np.float32)

    def update(self, block: Array) -> int | None:
        """Takes the next block (dim,); returns the candidate if it is old enough to be decided, else None.

        The caller then answers with `accept` or `reject`.
        """
        newest = np.clip(block, -_LARGEST, _LARGEST).astype(np.float16).astype(np.float32)
        self._stillness.update(newest.astype(np.float64), self.block_variance)
        self._observe_scale(newest)
        self._extend(newest)
        self._observe_gain()
        if self.count % _SEARCH:
            return None
        boundary = self._first_boundary()
        return boundary if boundary is not None and self.count - boundary >= self._lag else None

    def candidate(self) -> int | None:
        """The first boundary of the best segmentation as it stands, however young, or None."""
        return self._first_boundary()

    def best_candidate(self, start: int, youngest: int, oldest: int) -> tuple[int, float] | None:
        """Where the segment since `start` would best be cut so many blocks ago, if anywhere, and the gain.

        The gain is that against what lies up to one window before the cut, in units of `typical_gain`.
        """
        oldest = min(oldest, self._span - self._window)
        cuts = np.arange(max(self.count - oldest, start + self._shortest - youngest), self.count - youngest + 1)
        if not len(cuts) or self._gains.value <= 0.0:
            return None
        first = self.count - self._span  # block of row 0
        rows, before = cuts - first, np.maximum(cuts - self._window, start) - first
        n, m = self._lengths[before], self._lengths[rows]
        whole, after = n - self._similarity[before] / n, m - self._similarity[rows] / m
        gains = whole - after - self._cost[before, rows]
        best = int(gains.argmax())
        return int(cuts[best]), float(gains[best]) / self._gains.value

    def accept(self, boundary: int) -> None:
        """The open segment ends before `boundary`, and another begins there."""
        row = boundary - (self.count - self._span)
        self._before = self._cost[row].astype(np.float64)
        self._start = self._base_start = boundary
        self._base_similarity = float(self._similarity[row])
        self._base_dropped = 0.0

    def reject(self, boundary: int) -> None:
        """The open segment goes on through `boundary`: there is no candidate again until `retry_s` later."""
        self._no_boundary_before = boundary + self._retry

    def _observe_scale(self, block: Blocks) -> None:
        if self.still and self._moved_for:
            # It has stood still for as long as it takes to notice.
            unnoticed = min(self._moved_for, self._stillness.span)
            self.squared_distances.take_back(_PAIRS * unnoticed)
            self._gains.take_back(min(unnoticed, max(self._moved_for - 2 * self._window, 0)) // _GAINS)
        if not self.still:
            for back in self._sampled():
                difference = self._past[(self.count - back) % self._horizon] - block
                self.squared_distances.add(float(difference @ difference))
        if self.count % 10 == 0:
            self.squared_distances.refresh()
            self._gains.refresh()
        slot = self.count % self._horizon
        if self.count >= self._horizon:
            self._moving -= not self._stood[slot]
        self._stood[slot] = self.still
        self._moving += not self.still
        self._moved_for = 0 if self.still else self._moved_for + 1

    def _sampled(self) -> list[int]:
        """How many blocks ago those were whose distances from the newest count: a sample of all pairs in motion."""
        reach = min(self.count, self._horizon)
        # Evenly spread over the horizon, at another offset each time.
        offset = self.count * 0.6180339887498949
        shares = [(offset + i / _PAIRS) % 1.0 for i in range(_PAIRS)]
        if self._moving == reach:
            return [1 + int(share * reach) for share in shares] if reach else []
        if self._moving < 2 * self._window:  # too near in time to be any sample
            return []
        back = np.flatnonzero(~self._stood[(self.count - np.arange(1, reach + 1)) % self._horizon]) + 1
        return [int(back[int(share * len(back))]) for share in shares]

    def similarity(self, squared: NDArray[np.floating]) -> Array:
        """The kernel, of squared distances."""
        width = self._bandwidth * 2.0 * self.block_variance
        similarity: Array = np.exp(squared * (-0.5 / width), dtype=np.float64)
        return similarity

    def _kernel(self, blocks: Blocks, block: Blocks) -> Array:
        difference = blocks - block
        return self.similarity(np.einsum("ij,ij->i", difference, difference))

    def _extend(self, block: Blocks) -> None:
        """Makes `block` the newest: every sum and cost grows by its similarity to what came before."""
        t, horizon = self.count, self._horizon
        if t - self._base_start == horizon:  # the oldest block leaves; what it cost is kept
            oldest = self.recent(self._base_start, t)
            lost = 2.0 * float(self._kernel(oldest[1:], oldest[0]).sum()) + 1.0
            n, kept = horizon, self._base_similarity - lost
            self._base_dropped += (n - self._base_similarity / n) - (n - 1 - kept / (n - 1))
            self._base_similarity, self._base_start = kept, self._base_start + 1
        n = t - self._base_start
        base_cost = self._base_dropped + (n - self._base_similarity / n if n else 0.0)

        # The window moves on by one block, and `t` becomes a possible end of the segments within it.
        column = self._lengths - self._similarity / self._lengths
        self._cost[:-1, :-1] = self._cost[1:, 1:]
        self._cost[:-1, -1] = column[1:]
        self._before[:-1] = self._before[1:]
        self._before[-1] = base_cost
        self._similarity[:-1] = self._similarity[1:]
        self._similarity[-1] = 0.0

        first = min(self._base_start, max(0, t - self._span + 1))
        row = self._kernel(self.recent(first, t), block)  # (t - first,)
        to_now = 2.0 * np.cumsum(row[::-1]) + 1.0  # from the newest backwards
        self._base_similarity += float(to_now[n - 1]) if n else 1.0
        inside = min(t, self._span - 1)
        self._similarity[-1] += 1.0
        self._similarity[self._span - 1 - inside : -1] += to_now[:inside][::-1]
        self._past[t % horizon] = block
        self.count = t + 1

    def _observe_gain(self) -> None:
        n = self._window
        before, now = self._window_similarity[0], self._similarity[-n]
        if self._moved_for >= 2 * n and self.count % _GAINS == 0:
            both = self._similarity[-2 * n]
            self._gains.add((2.0 * (before + now) - both) / (2 * n))
        self._window_similarity[:-1] = self._window_similarity[1:]
        self._window_similarity[-1] = now

    def _first_boundary(self) -> int | None:
        """First boundary of the cheapest segmentation of the open segment, None if that is not to cut it."""
        oldest = self.count - self._span  # block of row 0
        allowed = max(self._start + self._shortest, self.count - self._budget, self._no_boundary_before)
        skip = allowed - oldest
        if self._span - skip < 1:
            return None
        penalty = self._penalty * self._gains.value
        if penalty <= 0.0:
            return None
        here = slice(skip, self._span)
        cost = self._cost[here, here]
        best = self._before[here] + penalty  # of all ways to cut at each place
        first = np.arange(len(best))  # the first cut on that way
        steps = np.arange(len(best))
        second = np.full(len(best), len(best))  # and the second, at the end if there is none
        near = steps[None, :] - steps[:, None] < self._shortest
        for _ in range(len(best) // self._shortest):
            through = np.where(near, np.inf, best[:, None] + cost + penalty)
            source = through.argmin(axis=0)
            value = through[source, steps]
            better = value < best
            if not better.any():
                break
            best = np.where(better, value, best)
            first = np.where(better, first[source], first)
            second = np.where(better, np.where(second[source] < len(best), second[source], steps), second)
        n = self._lengths[here]
        ends = best + n - self._similarity[here] / n
        cheapest = int(ends.argmin())
        self._next_end = allowed + int(second[cheapest])
        n_base = self.count - self._base_start
        whole = self._base_dropped + n_base - self._base_similarity / n_base
        return allowed + int(first[cheapest]) if ends[cheapest] < whole else None
