"""The engine's load is what share of the last moments something went through, in whichever thread, by the clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kineseg_service.scheduler.load import Load


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def loaded(share: float, each_s: float, seconds: float) -> tuple[Load, Clock]:
    """What takes so long each time has taken such a share of the time, for so long."""
    clock = Clock()
    load = Load(clock)
    for _ in range(round(seconds * share / each_s)):
        began = clock.now
        clock.now += each_s
        load.went_through(began)
        clock.now += each_s * (1.0 / share - 1.0)
    return load, clock


@given(share=st.floats(0.05, 0.4), each_s=st.floats(0.0005, 0.005))
def test_what_takes_less_than_half_of_the_time_is_not_much(share: float, each_s: float) -> None:
    load, _ = loaded(share, each_s, 1.0)
    assert not load.is_much


@given(share=st.floats(0.65, 0.99), each_s=st.floats(0.0005, 0.005))
def test_what_takes_more_is_until_it_ends(share: float, each_s: float) -> None:
    load, clock = loaded(share, each_s, 1.0)
    assert load.is_much
    clock.now += 0.3
    assert not load.is_much


def test_at_first_nothing_is() -> None:
    assert not Load(Clock()).is_much
