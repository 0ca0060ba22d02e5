"""From how likely a segment begins at each block, seen at several lags, to boundaries: provisional, then final.

A candidate is confirmed where its probability peaks: early if it is far above the threshold after 1.5 s, else once all
that the latency budget allows has been seen. Boundaries become final in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.layout import LAGS
from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.kept.declared import keeps, record

F32 = NDArray[np.float32]
Due = list[tuple[int, int]]
"""Candidates, each with the lag at which it is looked at."""

FIRST_CANDIDATE = 8
"""No segment begins earlier than so many blocks into a stream: too little came before."""
SMOOTHED = 1
"""Neighbours on either side that a probability is averaged with, so many blocks are waited for."""

MOST_LAGS = 3
"""At so many lags at most a candidate is looked at."""
KEPT = 64
"""Blocks whose probabilities are kept."""
WINDOW = 8
"""A peak is the highest within so many blocks before it."""
REACHES = WINDOW + SMOOTHED
"""Up to so many blocks later candidates depend on a probability."""
AROUND = 3
WORTH_A_LOOK = (0.0, 0.1, 0.15)
"""A candidate is looked at again if one so many blocks from it was so likely at the lag before, by place among lags."""
EVERY = 3
STIRS = 0.1
"""At the first lag one in so many is looked at, and those that follow one so likely: probability is smooth."""
PROVISIONAL_LAG = 4
PROVISIONAL_WINDOW = 1
"""So many blocks after a provisional boundary must not be likelier."""
_EARLY_LAG = 15  # from which on a candidate may be confirmed
_SAME_PLACE = 5  # a final boundary so many blocks from a provisional one confirms it


@record
@dataclass(slots=True)
class Provisional:
    """A boundary that has been emitted and is neither confirmed nor retracted.

    Attributes:
        block: The first of the segment.
        probability: That a segment begins there, as far as is known now.
    """

    block: int
    probability: float


@dataclass(frozen=True, slots=True)
class Decided:
    """What follows from a block.

    Attributes:
        final: The block at which a segment certainly begins; None: none does.
        confirmed: The provisional boundary that this confirms; None: none.
        retracted: Provisional boundaries that are none.
        provisional: A new provisional boundary; None: there is none.
        changed: Provisional boundaries whose probability is another now.
    """

    final: int | None = None
    confirmed: Provisional | None = None
    retracted: tuple[Provisional, ...] = ()
    provisional: Provisional | None = None
    changed: tuple[Provisional, ...] = ()


NEVER = 1 << 62
"""A block that no stream reaches."""


class DeciderNumbers(NamedTuple):
    """When anything may follow.

    Attributes:
        lags: After how many blocks candidates are looked at.
        least: How likely they must be then to become final.
        first_final: The first of the lags that may be final.
        window: Blocks after a peak that are waited for.
        provisional: How likely a provisional boundary must be.
        shortest: Blocks in the shortest segment.
    """

    lags: tuple[int, ...]
    least: tuple[float, ...]
    first_final: int
    window: int
    provisional: float
    shortest: int


@keeps("open start _count _raw _smooth", fixed="_point _window _last _final_lags lags _row _early")
class BoundaryDecider:
    """Decides about the boundaries of one stream. Picklable. Units are blocks.

    Args:
        point: How likely is likely enough.
        budget: No boundary is decided later than this after its block.

    Attributes:
        lags: After how many blocks a candidate is looked at, ascending.
        open: Provisional boundaries, oldest first.
        start: First block of the open segment.
    """

    open: list[Provisional]

    def __init__(self, point: OperatingPoint, budget: int) -> None:
        self._point = point
        self._window = min(WINDOW, max(0, (budget - SMOOTHED - LAGS[0]) // 2))
        wait = self._window + SMOOTHED
        within = [lag for lag in LAGS if lag + wait <= max(budget, LAGS[0] + wait)]
        self._last = within[-1]
        self._final_lags = (_EARLY_LAG, self._last) if self._last > _EARLY_LAG else (self._last,)
        early = self._last > PROVISIONAL_LAG + PROVISIONAL_WINDOW + SMOOTHED
        self.lags = ((PROVISIONAL_LAG,) if early else ()) + self._final_lags
        self._row = {lag: row for row, lag in enumerate(self.lags)}
        self._early = early
        self._raw, self._smooth = (np.zeros((MOST_LAGS, KEPT), np.float32) for _ in range(2))
        self.restart()

    def keep_in(self, raw: F32, smooth: F32) -> None:
        """Keeps what is known of the last candidates in these ``(MOST_LAGS, KEPT)``, which others write."""
        self._raw, self._smooth = raw, smooth

    def restart(self) -> None:
        """Begins anew: the next block is block 0."""
        self.open = []
        self.start = 0
        self._count = 0
        self._raw[:] = 0.0
        self._smooth[:] = 0.0

    def numbers(self) -> DeciderNumbers:
        """What says when anything may follow, see `table.candidates.may_follow`."""
        least = tuple(self._least(lag) if lag in self._final_lags else 1.0 for lag in self.lags)
        return DeciderNumbers(
            self.lags, least, int(self._early), self._window, self._point.provisional, self._point.shortest
        )

    @property
    def newest(self) -> int:
        """First block of the last segment, provisional or not."""
        return self.open[-1].block if self.open else self.start

    def next_review(self, count: int) -> int:
        """After how many blocks, later than `count`, a provisional boundary is looked at again."""
        later = []
        for one in self.open:
            seen = one.block + _SAME_PLACE + SMOOTHED
            later += [seen + lag for lag in self._final_lags if seen + lag > count]
            later.append(max(seen + self._last + self._window, count + 1))
        return min(later, default=NEVER)

    @property
    def shortest_latency(self) -> int:
        """Blocks without which nothing can be decided."""
        return self._last + self._window + SMOOTHED + 1

    def due(self, count: int) -> Due:
        """Candidates that are to be looked at once `count` blocks have come, each with its lag.

        What the blocks before have said of theirs is to be noted first, also where several come with one frame.
        Where a segment was unlikely at the lag before, it is not looked at again: what only becomes likely late seldom
        is one. Nor is it looked at for the last time where only candidates depend on it at which the open segment would
        be too short.
        """
        due = []
        for row, lag in enumerate(self.lags):
            candidate = count - lag
            if candidate >= FIRST_CANDIDATE and self._is_worth_a_look(row, candidate):
                due.append((candidate, lag))
        return due

    def _is_worth_a_look(self, row: int, candidate: int) -> bool:
        if row == len(self.lags) - 1 and candidate + REACHES < self.start + self._point.shortest:
            return False
        if row:
            around = np.arange(candidate - AROUND, candidate + AROUND + 1) % KEPT
            return bool(self._raw[row - 1, around].max() >= WORTH_A_LOOK[row])
        before = np.arange(candidate - EVERY + 1, candidate) % KEPT
        return candidate % EVERY == 0 or bool(self._raw[0, before].max() >= STIRS)

    def note(self, count: int, due: Due, probabilities: F32) -> None:
        """Takes how likely a segment begins at each of the candidates that were looked at after `count` blocks."""
        seen = {lag: float(probability) for (_, lag), probability in zip(due, probabilities, strict=True)}
        for lag, raw, smooth in zip(self.lags, self._raw, self._smooth, strict=False):
            newest, middle, oldest = ((count - lag - back) % KEPT for back in range(3))
            raw[newest] = seen.get(lag, 0.0)
            smooth[middle] = 0.25 * raw[oldest] + 0.5 * raw[middle] + 0.25 * raw[newest]

    def decide(self, count: int) -> Decided:
        """What follows from all that has been noted up to `count` blocks; few more may have come since."""
        self._count = count
        final = self._final()
        if final is not None:
            return self._confirmed(final)
        retracted, changed = self._review()
        return Decided(retracted=retracted, changed=changed, provisional=self._new_provisional())

    def finish(self, count: int) -> list[Decided]:
        """The stream has ended after `count` blocks: peaks that are likely enough as far as was seen are final."""
        self._count = count
        decided = []
        for candidate in range(self.start + self._point.shortest, self._count - LAGS[0]):
            lag = max((lag for lag in self._final_lags if lag + SMOOTHED <= self._count - candidate), default=0)
            if not lag or candidate < FIRST_CANDIDATE or self._is_late(candidate):
                continue
            if candidate - self.start >= self._point.shortest and self._peaks(lag, candidate, self._point.final):
                decided.append(self._confirmed(candidate))
        return decided

    def _is_late(self, candidate: int) -> bool:
        return candidate + self._last + self._window + SMOOTHED <= self._count

    def _peaks(self, lag: int, candidate: int, least: float, window: int | None = None) -> bool:
        """Whether the probability at a candidate, as seen `lag` later, is high enough and the highest around."""
        row = self._smooth[self._row[lag]]
        own = float(row[candidate % KEPT])
        if own < least:
            return False
        after = self._window if window is None else window
        last = min(candidate + after, self._count - lag - SMOOTHED)
        first = max(candidate - WINDOW, FIRST_CANDIDATE)
        around = row[np.arange(first, last + 1) % KEPT]
        return bool(own >= around.max())

    def _final(self) -> int | None:
        """The boundary that becomes final now: the earliest that may."""
        oldest: int | None = None
        for lag in reversed(self._final_lags):
            candidate = self._count - lag - self._window - SMOOTHED
            if candidate - self.start < self._point.shortest or candidate < FIRST_CANDIDATE:
                continue
            if self._peaks(lag, candidate, self._least(lag)):
                oldest = candidate
                break
        if oldest is None or self._pending_before(oldest):
            return None
        return oldest

    def _least(self, lag: int) -> float:
        """From which probability on a candidate is confirmed that is seen so many blocks later."""
        return min(self._point.final + (0.0 if lag == self._last else self._point.margin), self._point.surest)

    def _pending_before(self, candidate: int) -> bool:
        """Whether an earlier candidate may still become final."""
        first = max(self._count - self._last - self._window - SMOOTHED + 1, self.start + self._point.shortest)
        for earlier in range(first, candidate - self._point.shortest + 1):
            age = self._count - earlier
            lag = max((lag for lag in self._final_lags if lag + SMOOTHED <= age), default=0)
            if lag and self._peaks(lag, earlier, self._point.final):
                return True
        return False

    def _confirmed(self, final: int) -> Decided:
        near = [one for one in self.open if abs(one.block - final) <= _SAME_PLACE]
        confirmed = min(near, key=lambda one: abs(one.block - final), default=None)
        # Where none is confirmed, the later ones follow another segment than was thought.
        kept = [] if confirmed is None else [one for one in self.open if one.block >= final + self._point.shortest]
        retracted = tuple(one for one in self.open if one is not confirmed and one not in kept)
        self.open = kept
        self.start = final
        return Decided(final=final, confirmed=confirmed, retracted=retracted)

    def _review(self) -> tuple[tuple[Provisional, ...], tuple[Provisional, ...]]:
        retracted: list[Provisional] = []
        changed: list[Provisional] = []
        for one in self.open:
            age = self._count - one.block
            lag = next((lag for lag in self._final_lags if lag + SMOOTHED + _SAME_PLACE == age), None)
            if lag is not None:
                around = np.arange(one.block - _SAME_PLACE, one.block + _SAME_PLACE + 1) % KEPT
                one.probability = float(self._smooth[self._row[lag], around].max())
                (retracted if one.probability < self._point.retracted else changed).append(one)
            elif self._is_late(one.block + _SAME_PLACE):
                retracted.append(one)
        self.open = [one for one in self.open if one not in retracted]
        return tuple(retracted), tuple(changed)

    def _new_provisional(self) -> Provisional | None:
        if not self._early:
            return None
        candidate = self._count - PROVISIONAL_LAG - PROVISIONAL_WINDOW - SMOOTHED
        if candidate - self.newest < self._point.shortest or candidate < FIRST_CANDIDATE:
            return None
        if not self._peaks(PROVISIONAL_LAG, candidate, self._point.provisional, PROVISIONAL_WINDOW):
            return None
        probability = float(self._smooth[self._row[PROVISIONAL_LAG], candidate % KEPT])
        self.open.append(Provisional(candidate, probability))
        return self.open[-1]
