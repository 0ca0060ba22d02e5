"""What streams send is gathered for a tick, and comes out as it would alone; one stream by itself never waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.scheduler.pace import Pace

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import cut, events, motion, segment


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def waits(longest_s: float, streams: int, every_s: float, seconds: float) -> list[float]:
    """How long each tick is waited for, while so many streams send a chunk each in every `every_s`, evenly spread."""
    clock = Clock()
    pace = Pace(longest_s, clock)
    last = [-1] * streams
    found: list[float] = []
    arrivals = [(1000.0 + i * every_s / streams, i % streams) for i in range(round(seconds / every_s * streams))]
    at = 0
    while at < len(arrivals):
        clock.now = max(clock.now, arrivals[at][0])
        found.append(pace.wait_s())
        clock.now += found[-1]
        pace.begin()
        while at < len(arrivals) and arrivals[at][0] <= clock.now:
            stream = arrivals[at][1]
            last[stream] = pace.saw(last[stream])
            at += 1
    return found


def test_a_stream_alone_never_waits() -> None:
    assert set(waits(0.005, 1, 0.05, 5.0)) == {0.0}
    assert set(waits(0.005, 1, 0.001, 1.0)) == {0.0}


def test_many_streams_are_gathered() -> None:
    """64 streams send a chunk every 0.8 ms: about six of them make a tick of 5 ms."""
    found = waits(0.005, 64, 0.05, 5.0)
    assert len(found) < 1.2 * 5.0 / 0.005
    assert max(found) <= 0.005


def test_few_streams_never_wait() -> None:
    """As often as is usual for live streams, or as fast as they can."""
    assert set(waits(0.005, 16, 0.05, 5.0)) == {0.0}
    assert set(waits(0.005, 4, 0.0001, 1.0)) == {0.0}


def test_the_more_streams_the_longer_they_wait() -> None:
    """All send as fast as they can."""
    some, many = waits(0.005, 32, 0.0001, 1.0)[100:], waits(0.005, 64, 0.0001, 1.0)[100:]
    assert 0 < max(some) < max(many)


def test_no_tick_no_waiting() -> None:
    assert set(waits(0.0, 64, 0.05, 1.0)) == {0.0}


def test_after_a_silence_the_first_does_not_wait() -> None:
    clock = Clock()
    pace = Pace(0.005, clock)
    for _ in range(64):
        pace.saw(-1)
    pace.begin()
    assert pace.wait_s() > 0
    clock.now += 1.0
    assert pace.wait_s() == 0
    pace.begin()
    assert pace.wait_s() == 0, "those who sent a second ago do not count any more"


@given(st.lists(st.tuples(st.floats(0, 0.2), st.integers(0, 9)), max_size=50), st.floats(0, 0.1))
def test_whatever_comes_no_one_waits_longer_than_a_tick(steps: list[tuple[float, int]], longest_s: float) -> None:
    clock = Clock()
    pace = Pace(longest_s, clock)
    last = [-1] * 10
    began: list[float] = []
    for seconds, stream in steps:
        clock.now += seconds
        asked, wait = clock.now, pace.wait_s()
        assert 0 <= wait <= longest_s
        clock.now = asked + wait
        pace.begin()
        began.append(clock.now)
        last[stream] = pace.saw(last[stream])
    assert all(a <= b for a, b in pairwise(began))


@pytest.fixture(scope="module")
def alone(serve: Serve) -> list[list[pb.Event]]:
    """What streams give one after the other, where nothing is gathered."""
    with serve(tick_s=0) as (_, stub):
        return [content(events(segment(stub, cut(motion(600, seed=i), rest=7)))) for i in range(6)]


@pytest.mark.parametrize("tick_s", [0, 0.1])
def test_streams_at_once_give_what_they_give_alone(serve: Serve, alone: list[list[pb.Event]], tick_s: float) -> None:
    with serve(tick_s=tick_s) as (_, stub), ThreadPoolExecutor(len(alone)) as pool:
        found = list(pool.map(lambda i: segment(stub, cut(motion(600, seed=i), rest=7)), range(len(alone))))
    assert [content(events(responses)) for responses in found] == alone
