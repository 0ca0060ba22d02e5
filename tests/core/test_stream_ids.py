"""Stream ids: UUIDs of version 7 that rise with time."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.stream_ids import time_ordered_uuid

TIMES = st.integers(0, (1 << 63) - 1)


@given(TIMES)
def test_it_is_a_uuid_of_version_7_with_the_time_in_front(unix_ns: int) -> None:
    made = time_ordered_uuid(unix_ns)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ns // 1_000_000
    assert uuid.UUID(str(made)) == made


@given(TIMES, st.integers(250, 1 << 50))
def test_what_is_made_later_comes_later_also_as_text(unix_ns: int, later_ns: int) -> None:
    first, second = time_ordered_uuid(unix_ns), time_ordered_uuid(unix_ns + later_ns)
    assert first < second
    assert str(first) < str(second)


def test_those_of_one_moment_are_different() -> None:
    assert len({time_ordered_uuid(1) for _ in range(1000)}) == 1000
