"""A stream is kept in proportion to what comes of it, at once when it pauses, and never too seldom for its client."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kineseg_service.streams.due import Due, most_turns

INTERVALS_S = st.floats(0.1, 600.0)
TIMES = 12


def kept_at(due: Due, comes: list[int], size: int) -> list[int]:
    """The turns at which it is kept, as it is whenever that is due; so many frames come before each."""
    turns, frames = [], 0
    for turn, more in enumerate(comes):
        frames += more
        if due.at_turn(frames):
            due.begun(frames)
            due.written(size)
            turns.append(turn)
    return turns


@given(comes=st.lists(st.integers(0, 900), max_size=200), frame=st.integers(4, 4000), size=st.integers(1, 1 << 20),
       every_s=INTERVALS_S)  # fmt: skip
def test_every_state_is_worth_it_or_overdue_or_follows_a_pause(
    comes: list[int], frame: int, size: int, every_s: float
) -> None:
    most = most_turns(every_s)
    last = -1
    for turn in kept_at(Due(frame, most), comes, size):
        new_bytes = frame * sum(comes[last + 1 : turn + 1])
        assert last < 0 or new_bytes
        assert last < 0 or size <= TIMES * new_bytes or turn - last >= most or comes[turn] == 0
        last = turn


@given(comes=st.lists(st.integers(0, 900), min_size=1, max_size=200), frame=st.integers(4, 4000),
       size=st.integers(1, 1 << 20), every_s=INTERVALS_S)  # fmt: skip
def test_what_comes_is_never_left_longer_than_clients_keep_it(
    comes: list[int], frame: int, size: int, every_s: float
) -> None:
    most = most_turns(every_s)
    assert most == 1 or most * every_s <= 20.0
    turns = kept_at(Due(frame, most), comes, size)
    waits = 0
    for turn, more in enumerate(comes):
        waits = 0 if turn in turns else waits + (more > 0 or waits > 0)
        assert waits < most
    if comes[-1] == 0 and sum(comes):  # it has paused: all of it is kept
        assert sum(comes[turns[-1] + 1 :]) == 0


def test_a_body_is_kept_at_every_turn_and_a_slow_sensor_at_every_fourth() -> None:
    assert kept_at(Due(59 * 4, 4), [600] * 12, 200_000) == list(range(12))
    assert kept_at(Due(59 * 4, 4), [10] * 12, 200_000) == [0, 4, 8]


def test_a_state_that_could_not_be_written_is_due_at_once() -> None:
    due = Due(236, 4)
    assert kept_at(due, [10], 200_000) == [0]
    due.begun(10)
    due.written(200_000)
    due.failed()
    assert due.at_turn(20)
