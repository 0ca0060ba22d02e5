"""Models whose streams are all ahead of their own time step one after the other, and behind those that hurry."""

from __future__ import annotations

import pytest
from kineseg_core.generic import ScratchDecoders, scratch_plan
from kineseg_service.scheduler.lanes import Lane, Lanes

LANES = 4


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lanes(clock: Clock) -> Lanes[str]:
    return Lanes({}, clock)


@pytest.fixture(scope="module")
def decoders() -> ScratchDecoders:
    return ScratchDecoders(slots=16, max_batch=16)


@pytest.fixture
def made(lanes: Lanes[str], decoders: ScratchDecoders) -> list[Lane[str]]:
    """A lane each for streams of so many channels."""
    plans = [scratch_plan([f"c{at}" for at in range(count)], 30.0) for count in range(1, LANES + 1)]
    return [lanes.made(decoders.get(plan)) for plan in plans]


def tick(lanes: Lanes[str]) -> list[list[str]]:
    """Who steps, lane by lane."""
    return [lane.batcher.take(16) for lane in lanes.waiting()]


def test_where_all_are_ahead_one_model_steps_at_a_time_and_each_in_its_turn(
    lanes: Lanes[str], made: list[Lane[str]]
) -> None:
    stepped = []
    for arrival in range(2 * LANES):
        for at, lane in enumerate(made):
            if not lane.busy:
                lane.batcher.add(arrival, f"stream {at}", ahead=True)
        (streams,) = tick(lanes)
        stepped += streams
    assert sorted(stepped[:LANES]) == sorted(stepped[LANES:]) == [f"stream {at}" for at in range(LANES)]


def test_all_that_hurry_step_together_and_no_other_with_them(lanes: Lanes[str], made: list[Lane[str]]) -> None:
    made[0].batcher.add(0, "ahead", ahead=True)
    assert tick(lanes) == [["ahead"]]
    for at, lane in enumerate(made):
        lane.batcher.add(1 + at, f"stream {at}", ahead=at < 2)
    assert tick(lanes) == [["stream 2"], ["stream 3"]]
    assert not lanes.hurry()
    assert lanes.busy()


def test_who_is_ahead_steps_now_and_then_even_so_one_model_at_a_time(
    lanes: Lanes[str], made: list[Lane[str]], clock: Clock
) -> None:
    for at, lane in enumerate(made[1:]):
        lane.batcher.add(at, f"ahead {at}", ahead=True)
    ticks = []
    for arrival in range(100):
        clock.now += 0.01
        made[0].batcher.add(100 + arrival, "in time")
        ticks.append(tick(lanes))
    assert all(each[0] == ["in time"] for each in ticks)
    assert max(map(len, ticks)) == 2
    assert sorted(each[1] for each in ticks if len(each) == 2) == [[f"ahead {at}"] for at in range(LANES - 1)]
