"""Sums of the distances between pieces of time around a candidate, all views at once.

Every number is whole and of 16 bits at most, and four of them are added up as one of 64.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.layout import EDGES, PIECES, REACH, VIEWS
from kineseg_core.kernels import kernel

_EDGES = EDGES.astype(np.int32)
_ROW = REACH * VIEWS
_LANES = 4
_GROUPS = -(-PIECES // _LANES)


class PieceSums(NamedTuple):
    """Room for the sums of one candidate.

    Attributes:
        totals: ``(VIEWS, PIECES, LANES * GROUPS)`` uint16: of all pairs of a block in the row's piece and one in the
            column's.
        nearest: The same of the distances from each block in the row's piece to the nearest one in the column's.
        sums, least: ``(LANES, REACH * VIEWS)`` from each place to some pieces.
        sum_lanes, least_lanes: ``(REACH * VIEWS,)`` uint64, the same.
        floors: ``(REACH * VIEWS,)`` uint8: no distance is less.
    """

    totals: NDArray[Any]
    nearest: NDArray[Any]
    sums: NDArray[Any]
    least: NDArray[Any]
    sum_lanes: NDArray[Any]
    least_lanes: NDArray[Any]
    floors: NDArray[Any]


def room_for_sums() -> PieceSums:
    """For one candidate after the other."""
    of_pieces = VIEWS, PIECES, _LANES * _GROUPS
    return PieceSums(
        totals=np.zeros(of_pieces, np.uint16),
        nearest=np.zeros(of_pieces, np.uint16),
        sums=np.zeros((_LANES, _ROW), np.uint16),
        least=np.zeros((_LANES, _ROW), np.uint8),
        sum_lanes=np.zeros(_ROW, np.uint64),
        least_lanes=np.zeros(_ROW, np.uint64),
        floors=np.zeros(_ROW, np.uint8),
    )


@kernel(inlined=True)
def _reduce(logs, floors, oldest, begin, end, sums, least):  # type: ignore[no-untyped-def]
    """Sums and least of the distances from every place to the blocks [begin, end), counted from the oldest."""
    row = logs[(oldest + begin) % REACH]
    for at in range(_ROW):
        log = max(row[at], floors[at])
        sums[at] = log
        least[at] = log
    for block in range(begin + 1, end):
        row = logs[(oldest + block) % REACH]
        for at in range(_ROW):
            log = max(row[at], floors[at])
            sums[at] += log
            least[at] = min(least[at], log)


@kernel(inlined=True)
def _interleave(rows, lanes):  # type: ignore[no-untyped-def]
    """Writes rows ``(LANES, N)`` as columns."""
    first, second, third, fourth, each = rows[0], rows[1], rows[2], rows[3], lanes.view(np.uint16)
    for at in range(_ROW):
        each[_LANES * at] = first[at]
        each[_LANES * at + 1] = second[at]
        each[_LANES * at + 2] = third[at]
        each[_LANES * at + 3] = fourth[at]


@kernel(inlined=True)
def _add_up(lanes, oldest, candidate, begin, known, group, sums):  # type: ignore[no-untyped-def]
    """Adds up what lies in lanes, piece by piece."""
    place = (oldest + candidate + _EDGES[begin]) % REACH
    for piece in range(begin, known):
        first, second, third = np.uint64(0), np.uint64(0), np.uint64(0)
        for _ in range(_EDGES[piece], _EDGES[piece + 1]):
            first += lanes[VIEWS * place]
            second += lanes[VIEWS * place + 1]
            third += lanes[VIEWS * place + 2]
            place += 1
            if place == REACH:
                place = 0
        sums[0, piece, group] = first
        sums[1, piece, group] = second
        sums[2, piece, group] = third


@kernel(nogil=True)
def sum_pieces(logs, oldest, candidate, begin, known, room):  # type: ignore[no-untyped-def]
    """Sums up distances between pieces.

    Args:
        logs: ``(REACH, REACH * VIEWS)`` uint8, see `append_block`.
        oldest: Place of the oldest block in it.
        candidate: Which block, counted from the oldest, may begin a segment.
        begin, known: Pieces that are there and known: [begin, known).
        room: See `PieceSums`; all but the floors is written.
    """
    totals, nearest = room.totals.view(np.uint64), room.nearest.view(np.uint64)
    for group in range(begin // _LANES, (known + _LANES - 1) // _LANES):
        for lane in range(_LANES):
            piece = _LANES * group + lane
            if begin <= piece < known:
                first, end = candidate + _EDGES[piece], candidate + _EDGES[piece + 1]
                _reduce(logs, room.floors, oldest, first, end, room.sums[lane], room.least[lane])
        _interleave(room.sums, room.sum_lanes)
        _add_up(room.sum_lanes, oldest, candidate, begin, known, group, totals)
        _interleave(room.least, room.least_lanes)
        _add_up(room.least_lanes, oldest, candidate, begin, known, group, nearest)
