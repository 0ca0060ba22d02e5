"""A stream seen coarse: blocks two by two, and four by four, which the network sees as quicker motion.

Seen fine, a slow cycle is one phase after the other; seen coarse, it comes round within the network's window. One
network judges all, and a mean of its log odds counts: each is wrong elsewhere. Of the farther past nothing is known
here, and how far apart blocks usually are is taken from the fine ones.

Two and four candidates lie in one coarse block, and of each the same is known there: the network looks at the first of
them that it is asked about, and what it says counts for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.block_ring import BlockRing, CoarseLook, Look
from kineseg_core.boundary_network.decider import FIRST_CANDIDATE
from kineseg_core.boundary_network.distances import append_block, measure_again
from kineseg_core.boundary_network.layout import (
    COARSE,
    COARSE_LAGS,
    COARSE_WEIGHTS,
    COMPARED,
    LAG_PLACE,
    LAGS,
    PIECES,
    REACH,
    STRETCHES,
    VIEWS,
    pieces_known,
)
from kineseg_core.boundary_network.looked import NONE, SAID
from kineseg_core.boundary_network.patch import look_at
from kineseg_core.boundary_network.piece_sums import room_for_sums
from kineseg_core.kept.declared import keeps
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]


@kernel(nogil=True)
def append_coarse(blocks, count, ends, views, coarse_blocks, coarse_logs):  # type: ignore[no-untyped-def]
    """Takes the last two of `count` blocks as one, where there is an even number of them, and of these likewise.

    Args are those of `append_block`, the last two with an axis in front: how coarse, see `COARSE`.
    """
    finer = blocks
    for coarse in range(len(coarse_blocks)):
        if count % 2:
            return
        newest, before = (count - 1) % REACH, (count - 2) % REACH
        steps = np.empty(len(finer), np.int16)
        for i in range(len(steps)):
            steps[i] = np.int16((np.int64(finer[i, newest]) + np.int64(finer[i, before])) >> 1)
        count //= 2
        finer = coarse_blocks[coarse]
        append_block(finer, ends, views, coarse_logs[coarse], count - 1, steps)


@kernel(nogil=True)
def weigh_coarse(log_odds, lags, coarse_of, coarse_log_odds, looks):  # type: ignore[no-untyped-def]
    """Makes the log odds (N,) of the first so many looks a mean with what is said of them coarse.

    Args are arrays of `Looked`; of those that were not said before, the coarse log odds are written.
    """
    for look in range(looks):
        for coarse in range(coarse_of.shape[1]):
            of = coarse_of[look, coarse]
            if of == NONE:
                continue
            if of != SAID:
                coarse_log_odds[look, coarse] = log_odds[of]
            log_odds[look] += COARSE_WEIGHTS[lags[look], coarse] * (coarse_log_odds[look, coarse] - log_odds[look])


@keeps("_blocks _candidates _log_odds", fixed="_ends _views", passing="_logs")
class CoarseRings:
    """Keeps the coarse blocks of the last 21 and 43 s with their distances. Picklable.

    Args:
        ends, views: See `BlockRing`.
    """

    def __init__(self, ends: NDArray[np.int64], views: NDArray[np.int64]) -> None:
        self._ends, self._views = ends, views
        self._blocks = np.zeros((len(COARSE), int(ends[-1]), REACH), np.int16)
        self._logs = np.zeros((len(COARSE), REACH, REACH * len(views)), np.uint8)
        # Which coarse block was looked at last, by lag, and what was said of it; none is the first one.
        self._candidates = np.zeros((len(LAGS), len(COARSE)), np.int64)
        self._log_odds = np.zeros((len(LAGS), len(COARSE)), np.float32)

    def check_kept(self) -> None:
        """What follows from the rest."""
        for blocks, logs in zip(self._blocks, self._logs, strict=True):
            measure_again(blocks, self._ends, self._views, logs)

    def restart(self) -> None:
        """Begins anew."""
        self._candidates[:] = 0

    def append(self, ring: BlockRing) -> None:
        """A block has come, which stands in the ring of the fine ones."""
        append_coarse(ring.blocks, ring.count, self._ends, self._views, self._blocks, self._logs)

    def beside(self, looks: Sequence[Look], ring: BlockRing) -> list[Look]:
        """The same looks with what the candidates look like coarse, where enough has come for that."""
        return [replace(look, coarse=tuple(self._looks(look, ring))) for look in looks]

    def note(self, looks: Sequence[Look]) -> None:
        """Takes what was said of them coarse."""
        for look in looks:
            for coarse, one in enumerate(look.coarse):
                at = LAG_PLACE[look.lag], coarse
                self._candidates[at], self._log_odds[at] = one.candidate, one.log_odds

    def _looks(self, look: Look, ring: BlockRing) -> Iterator[CoarseLook]:
        for coarse, (blocks, lag) in enumerate(zip(COARSE, COARSE_LAGS[look.lag], strict=True)):
            candidate, at = look.candidate // blocks, (LAG_PLACE[look.lag], coarse)
            if not lag or candidate < FIRST_CANDIDATE:
                continue
            if self._candidates[at] == candidate:
                yield CoarseLook(candidate, None, float(self._log_odds[at]))
            else:
                yield CoarseLook(candidate, self._look(coarse, candidate, int(lag), ring))

    def _look(self, coarse: int, candidate: int, lag: int, ring: BlockRing) -> Look:
        maps = np.empty((1, 2 * VIEWS + 1, PIECES, PIECES), np.float32)
        units, first = np.empty((1, VIEWS), np.float32), np.empty(1, np.int64)
        discrepancies = np.empty((1, COMPARED), np.float32)
        look_at(
            self._logs[coarse], ring.count // COARSE[coarse], ring.scales, np.array([candidate]), np.array([lag]),
            np.array([pieces_known(lag)]), room_for_sums(), 0, maps, units, first, discrepancies,
        )  # fmt: skip
        far = np.zeros((2, PIECES, STRETCHES), np.float32)
        return Look(candidate, lag, maps[0], units[0], int(first[0]), discrepancies[0], far)
