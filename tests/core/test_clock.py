"""A source's clock: one that contradicts the rate is refused with both numbers, and bursts are no gaps."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.clock import SECOND, CaptureClock
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.taken import GapFound

RATES = st.sampled_from([1.0, 5.0, 24.0, 29.97, 30.0, 60.0, 100.0, 120.0, 1000.0])


def read(clock: CaptureClock, stamps: list[int], sizes: list[int] | None = None) -> list[int]:
    """Times of frames that come in chunks of these sizes, the last of them again and again."""
    times: list[int] = []
    at = 0
    for size in [*(sizes or []), *[len(stamps)] * len(stamps)]:
        if at >= len(stamps):
            break
        part = stamps[at : at + size]
        clock.read(0, part, got := np.empty(len(part), np.int64))
        times += got.tolist()
        at += size
    clock.check_end()
    return times


@given(rate=RATES, jitter=st.floats(0, 0.3), seed=st.integers(0, 99), origin=st.integers(-(2**62), 2**62))
def test_a_clock_that_fits_is_taken_as_it_is(rate: float, jitter: float, seed: int, origin: int) -> None:
    random = np.random.default_rng(seed)
    steps = SECOND / rate * (1 + random.uniform(-jitter, jitter, 400))
    stamps = [origin + int(at) for at in np.cumsum(steps)]
    assert read(CaptureClock(rate), stamps) == [stamp - stamps[0] for stamp in stamps]


@given(
    rate=st.sampled_from([24.0, 30.0, 60.0, 100.0, 120.0, 1000.0]),
    factor=st.one_of(st.floats(1e-6, 0.6), st.floats(1.6, 1e5)),
    n=st.integers(8, 2000),
    sizes=st.lists(st.integers(1, 300), max_size=6),
)
def test_a_clock_that_contradicts_the_rate_is_refused_naming_both(
    rate: float, factor: float, n: int, sizes: list[int]
) -> None:
    """Too fast at the end of the shortest stream, too slow as soon as it is no mere loss of frames."""
    n = n if factor > 1 or factor < 0.35 else max(n, round(3 * rate), 40)
    step = max(1, round(SECOND / rate / factor))
    stamps = [step * i for i in range(n + 1)]
    with pytest.raises(InvalidFrame) as caught:
        read(CaptureClock(rate), stamps, sizes)
    assert caught.value.field == "capture_times_ns"
    assert f"the stream's rate is {rate:g}" in caught.value.message
    assert f"say {SECOND / step:.4g} frames a second" in caught.value.message


@settings(max_examples=60)
@given(
    rate=st.sampled_from([25.0, 30.0, 60.0, 100.0, 200.0]),
    burst=st.integers(2, 50),
    apart_ns=st.integers(1, 200_000),
    jitter=st.floats(0, 0.3),
    sizes=st.lists(st.integers(1, 40), max_size=20),
    seed=st.integers(0, 9),
)
def test_frames_that_are_stamped_in_bursts_are_not_gaps(
    rate: float, burst: int, apart_ns: int, jitter: float, sizes: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    n = 20 * burst
    arrivals = (np.arange(20) + random.uniform(0, jitter, 20) / burst) * burst / rate * SECOND
    stamps = [int(arrivals[i // burst]) + i % burst * apart_ns for i in range(n)]
    into = Intake(["a"], None, rate, 30.0, IntakeLimits())
    taken = []
    at = 0
    for size in [*sizes, *[64] * n]:
        piece = stamps[at : at + size]
        if piece:
            taken += list(into.take(at, np.ones((len(piece), 1), "<f4").tobytes(), piece))
        at += size
    into.check_end()
    assert not [item for item in taken if isinstance(item, GapFound)]
    assert (into.frames, into.filled) == (n, 0)
    assert into.last_ns / SECOND == pytest.approx((n - 1) / rate, abs=1.5 * burst / rate)


def test_a_backlog_that_comes_at_once_is_caught_up_with() -> None:
    """The network stood still for half a second, and everything came at its end."""
    period = SECOND // 100
    stamps = [i * period for i in range(100)]
    stamps += [150 * period + i * 1000 for i in range(50)]
    stamps += [151 * period + i * period for i in range(2000)]
    times = read(CaptureClock(100.0), stamps)
    assert all(b - a > 0 for a, b in pairwise(times))
    assert times[-1] == stamps[-1]  # no longer ahead of the clock


def test_what_is_refused_changes_nothing() -> None:
    clock = CaptureClock(30.0)
    clock.read(0, [i * SECOND // 30 for i in range(20)], np.empty(20, np.int64))
    before = pickle.dumps(clock)
    for stamps in ([SECOND, SECOND + 1, SECOND], [0], [2**62], [SECOND + i for i in range(500)]):
        with pytest.raises(InvalidFrame):
            clock.read(0, stamps, np.empty(len(stamps), np.int64))
        assert pickle.dumps(clock) == before


@given(
    steps=st.lists(
        st.one_of(st.integers(1, 10**6), st.integers(10**6, 10**8), st.integers(10**8, 10**11)), max_size=90
    ),
    sizes=st.lists(st.integers(1, 20), max_size=20),
)
def test_times_do_not_depend_on_chunks(steps: list[int], sizes: list[int]) -> None:
    stamps = [0, *np.cumsum(steps).tolist()]

    def outcome(sizes: list[int]) -> object:
        try:
            return read(CaptureClock(30.0), stamps, sizes)
        except InvalidFrame as error:
            return error.message

    assert outcome(sizes) == outcome([1] * len(stamps))
