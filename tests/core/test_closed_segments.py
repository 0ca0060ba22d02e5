"""Closed segments are remembered as they were, the newest of them, in less room than as objects."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Callable, Sized

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.errors import BadSnapshot
from kineseg_core.events import SegmentClosed
from kineseg_core.kept import MisfitError
from kineseg_core.kept.sealing import packed, unpacked
from kineseg_core.session.closed_segments import ClosedSegments

KINDS = {"segment_id": int, "label": int, "start_frame": int, "end_frame": int, "name": str, "embedding": array}


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
    for count, those in ((8, some[42:]), (100, some[20:])):
        again = ClosedSegments(most=10)
        again.fill(closed.newest(count))
        assert [*again] == those


VALUES = (
    st.none() | st.booleans() | st.integers(-5, 1 << 63) | st.floats() | st.text(max_size=3) | st.binary(max_size=9)
)


@given(st.integers(0, 9), VALUES | st.lists(VALUES, max_size=2))
def test_what_is_no_closed_segment_is_refused(place: int, value: object) -> None:
    closed, there = ClosedSegments(most=10), segments(4)[1:3]
    for segment in there:
        closed.append(segment)
    fields = unpacked(closed.newest(1)[0])
    fields[place] = value
    try:
        closed.fill([packed(fields)])
    except (BadSnapshot, MisfitError, ValueError, TypeError):
        assert [*closed] == there
        return
    [read] = closed
    assert [type(getattr(read, name)) for name in KINDS] == [*KINDS.values()]
    assert all(abs(number) < 1e24 for number in (read.start_time_s, read.end_time_s, *read.embedding))
    assert all(abs(number) <= 1 << 62 for number in (read.segment_id, read.label, read.start_frame, read.end_frame))


@pytest.mark.parametrize("data", [b"", b"\xc1", packed([1]), packed(None), packed([*range(9), b"abc"])])
def test_neither_are_other_bytes_read(data: bytes) -> None:
    with pytest.raises((BadSnapshot, MisfitError, ValueError, TypeError)):
        ClosedSegments(most=10).fill([data])


def test_they_take_less_than_half_the_room_of_objects() -> None:
    def taken(make: Callable[[list[SegmentClosed]], Sized]) -> int:
        tracemalloc.start()
        kept = make([*segments(500)])
        room, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept) == 500
        return room

    assert 2 * taken(remembered) < taken(list)
