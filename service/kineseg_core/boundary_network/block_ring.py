"""The last blocks of one stream and how far apart they lie: what the boundary network looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.distances import FIRST_BACK, append_block, learn_scales, measure_again, to_steps
from kineseg_core.boundary_network.far_past import FarPast
from kineseg_core.boundary_network.layout import COMPARED, PIECES, PIECES_BEFORE, REACH, UNIT_RANGE, pieces_known
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS
from kineseg_core.boundary_network.patch import look_at
from kineseg_core.boundary_network.piece_sums import room_for_sums
from kineseg_core.kept.declared import keeps

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """A candidate boundary as it looks `lag` blocks later: one row of the network's input.

    Attributes:
        candidate: The block that may begin a segment.
        lag: How many blocks of what follows are known, one of `LAGS`.
        maps: ``(2 V + 1, PIECES, PIECES)`` log distances between the pieces, see `patch`, and 1 where both are known.
        units: ``(V,)`` the local unit of each view over its scale, log.
        first_piece: The pieces before it lie before the stream's beginning.
        discrepancies: ``(COMPARED,)`` kernel discrepancy of the 3 s on either side, by view.
        far: ``(2, PIECES, STRETCHES)`` how near the pieces are to the farther past, see `FarPast.look`.
        coarse: What it looks like coarse, and coarser, as far as enough has come for that.
    """

    candidate: int
    lag: int
    maps: F32
    units: F32
    first_piece: int
    discrepancies: F32
    far: F32
    coarse: tuple[CoarseLook, ...] = ()

    @property
    def context(self) -> F32:
        """``(CONTEXT,)`` what the network is given beside the maps."""
        units = self.units.clip(*UNIT_RANGE)
        past = np.float32(1.0 - self.first_piece / PIECES_BEFORE)
        return np.concatenate([self.far.ravel(), units, past], axis=None)


@dataclass(slots=True)
class CoarseLook:
    """A candidate seen coarse, see `CoarseRings`.

    Attributes:
        candidate: The coarse block that may begin a segment.
        look: What it looks like; none: the network has said already what it says of it.
        log_odds: That, of a segment that begins there.
    """

    candidate: int
    look: Look | None
    log_odds: float = math.nan


@keeps("_scales _scaled _blocks _far count", fixed="_ends _views", passing="_logs")
class BlockRing:
    """Keeps the blocks of the last 11 s with their distances, view by view. Picklable.

    Args:
        ends: ``(K,)`` where the parts of a block end.
        views: ``(V, 2)`` first part of each view, and the part after its last one.

    Attributes:
        count: Blocks since the beginning, or since the last interruption.
    """

    def __init__(self, ends: NDArray[np.int64], views: NDArray[np.int64]) -> None:
        self._ends, self._views = ends, views
        self._scales = np.zeros(len(views))
        self._scaled = 0
        self._blocks = np.zeros((int(ends[-1]), REACH), np.int16)  # block t in column t mod REACH
        self._logs = np.zeros((REACH, REACH * len(views)), np.uint8)
        self._far = FarPast(int(ends[views[0, 1] - 1]))
        self.count = 0

    def check_kept(self) -> None:
        """What follows from the rest."""
        measure_again(self._blocks, self._ends, self._views, self._logs)

    def restart(self) -> None:
        """Begins anew; how far apart blocks usually are is kept."""
        self._far.restart()
        self.count = 0

    def append(self, block: F32, *, still: bool = False) -> None:
        """Takes the next block (D,); of a stream that stands still, how far apart blocks usually are is not learned."""
        steps = np.empty(len(block), np.int16)
        to_steps(block, steps)
        append_block(self._blocks, self._ends, self._views, self._logs, self.count, steps)
        self._far.append(steps[: self._far.dim], self.count, still=still)
        self.count += 1
        if self.count <= FIRST_BACK + 1 or still:
            return
        self._scaled += 1
        learn_scales(self._logs, self.count, self._scaled, self._scales)

    @property
    def blocks(self) -> NDArray[np.int16]:
        """``(D, REACH)`` block t in column t mod REACH, in whole numbers, see `log_distance`."""
        return self._blocks

    @property
    def scales(self) -> NDArray[np.float64]:
        """``(V,)`` mean log distances of the stream, steps."""
        return self._scales

    @property
    def newest(self) -> NDArray[np.int16]:
        """The last block (D,) in whole numbers, see `log_distance`."""
        newest: NDArray[np.int16] = self._blocks[:, (self.count - 1) % REACH]
        return newest

    def recent(self, start: int, end: int) -> F32:
        """Blocks [start, end), shape (n, D), as far as they are kept."""
        places = np.arange(max(start, self.count - REACH, 0), end) % REACH
        return self._blocks.T[places].astype(np.float32) / BLOCK_STEPS

    def look(self, due: Sequence[tuple[int, int]]) -> list[Look]:
        """The candidates that are due now, each with its lag, as they look."""
        if not due:
            return []
        n, views = len(due), len(self._views)
        candidates = np.array([candidate for candidate, _ in due])
        lags = np.array([lag for _, lag in due])
        known = np.array([pieces_known(lag) for _, lag in due])
        maps = np.empty((n, 2 * views + 1, PIECES, PIECES), np.float32)
        units = np.empty((n, views), np.float32)
        first = np.empty(n, np.int64)
        discrepancies = np.empty((n, COMPARED), np.float32)
        look_at(
            self._logs, self.count, self._scales, candidates, lags, known, room_for_sums(), 0,
            maps, units, first, discrepancies,
        )  # fmt: skip
        far = self._far.look(self.count, float(self._scales[0]), candidates, first, known, units[:, 0].copy())
        return [
            Look(candidate, lag, maps[i], units[i], int(first[i]), discrepancies[i], far[i])
            for i, (candidate, lag) in enumerate(due)
        ]
