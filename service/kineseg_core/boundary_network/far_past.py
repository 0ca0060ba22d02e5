"""How near the last blocks are to the farther past, up to 30 s back: motion that comes round slowly has been here.

Distances are kept for pairs of near blocks only. Of the farther past each block remembers one number a stretch: how far
its nearest moment is, in the first view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.layout import EDGES, FAR, FAR_NUMBERS, PIECES, REACH, STRETCHES
from kineseg_core.boundary_network.log_distance import LARGEST_LOG, LOG_STEPS, floor_of, to_log
from kineseg_core.boundary_network.patch import bounded
from kineseg_core.kept.declared import keeps
from kineseg_core.kernels import kernel

_EDGES = EDGES.astype(np.int32)
_FAR = np.array(FAR, np.int32)
_UNKNOWN = LARGEST_LOG


@keeps("_blocks _nearest _kept", fixed="dim")
class FarPast:
    """The nearest moments of the farther past, block by block. Picklable.

    Args:
        dim: Numbers of a block that are compared, its first ones.

    Attributes:
        dim: That.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._blocks = np.zeros((FAR[-1] + 1, dim), np.int16)  # ring: block t in row t mod its length
        self._nearest = np.full((REACH, STRETCHES), _UNKNOWN, np.uint8)  # ring, too
        self._kept = 0

    def restart(self) -> None:
        """Begins anew: nothing was before the next block."""
        self._kept = 0

    def append(self, block: NDArray[np.int16], count: int, *, still: bool = False) -> None:
        """Takes the next block, of which there were `count` before; stillness takes no place in the past."""
        append_far(self._blocks, self._nearest, count, self._kept, block)
        self._kept += not still

    def look(
        self,
        count: int,
        scale: float,
        candidates: NDArray[np.int64],
        first: NDArray[np.int64],
        known: NDArray[np.int64],
        units: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """How near each piece is to the farther past.

        Args:
            count: Blocks so far.
            scale: Mean log distance of the stream, steps: nothing is nearer than a hundredth of it.
            candidates: ``(N,)`` blocks that may begin a segment.
            first, known: ``(N,)`` pieces from which on and up to which each is looked at.
            units: ``(N,)`` local unit of the first view over the scale, log.

        Returns:
            ``(N, 2, PIECES, STRETCHES)``: mean over a piece of the log distance to the nearest moment of a stretch,
            relative to the local unit, and 1 where there is any; 0 elsewhere.
        """
        out = np.empty((len(candidates), FAR_NUMBERS), np.float32)
        look_far(self._nearest, count, scale, candidates, first, known, units, out)
        return out.reshape(-1, 2, PIECES, STRETCHES)


@kernel(nogil=True)
def append_far(blocks, nearest, count, kept, block):  # type: ignore[no-untyped-def]
    size = len(blocks)
    newest = blocks[kept % size]
    for i in range(len(block)):
        newest[i] = block[i]
    row = nearest[count % REACH]
    for stretch in range(STRETCHES):
        least = np.int64(np.iinfo(np.int64).max)
        end = min(_FAR[stretch + 1], kept + 1)
        for back in range(_FAR[stretch], end):
            older = blocks[(kept - back) % size]
            square = np.int64(0)
            for i in range(len(block)):
                step = np.int64(block[i]) - np.int64(older[i])
                square += step * step
            least = min(least, square)
        row[stretch] = np.uint8(min(to_log(float(least)), _UNKNOWN - 1)) if end > _FAR[stretch] else _UNKNOWN


@kernel(nogil=True)
def look_far(nearest, count, scale, candidates, first, known, units, out):  # type: ignore[no-untyped-def]
    """See `FarPast.look`; `out` is ``(N, FAR_NUMBERS)`` or has more columns, which are left as they are."""
    floor, oldest = floor_of(scale), max(0, count - REACH)
    for n in range(len(candidates)):
        unit = units[n] * LOG_STEPS + scale
        out[n, :FAR_NUMBERS] = 0.0
        for piece in range(first[n], known[n]):
            begin, end = max(candidates[n] + _EDGES[piece], oldest), candidates[n] + _EDGES[piece + 1]
            for stretch in range(STRETCHES):
                total, there = 0, 0
                for block in range(begin, end):
                    value = int(nearest[block % REACH, stretch])
                    if value != _UNKNOWN:
                        total += max(value, floor)
                        there += 1
                if there:
                    at = STRETCHES * piece + stretch
                    out[n, at] = bounded((total / there - unit) / LOG_STEPS)
                    out[n, STRETCHES * PIECES + at] = 1.0
