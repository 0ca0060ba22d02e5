"""Closed segments are remembered as they were, the newest of them, in less room than as objects."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Callable, Sized

from kineseg_core.events import SegmentClosed
from kineseg_core.session.closed_segments import ClosedSegments


def segments(count: int) -> list[SegmentClosed]:
    return [
        SegmentClosed(
            at, at % 7, 1000 * at, 1000 * at + 900, at / 3.0, at / 3.0 + 7.5, "schritt" if at % 2 else "", 0.125 * at,
            round(1.0 / (at + 1), 3), array("f", [at / 7.0, -0.0, 1e-30]) if at % 3 else array("f"),
        )
        for at in range(count)
    ]  # fmt: skip


def remembered(some: list[SegmentClosed], most: int = 10_000) -> ClosedSegments:
    closed = ClosedSegments(most)
    for segment in some:
        closed.append(segment)
    return closed


def test_the_newest_are_remembered_as_they_were() -> None:
    some = segments(50)
    closed = remembered(some, most=30)
    assert [*closed] == some[20:]
    assert len(closed) == 30
    assert closed.newest(8) == (*some[42:],)
    assert closed.newest(100) == (*some[20:],)
    closed.fill(some[:3])
    assert [*closed] == some[:3]


def test_they_take_less_than_half_the_room_of_objects() -> None:
    def taken(make: Callable[[list[SegmentClosed]], Sized]) -> int:
        tracemalloc.start()
        kept = make([*segments(500)])
        room, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept) == 500
        return room

    assert 2 * taken(remembered) < taken(list)
