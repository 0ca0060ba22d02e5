"""The rate behind times that are rounded, have gaps, jitter or come in bursts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion.regular_clock import clock_behind

RATES = st.sampled_from([10, 23.976, 25, 29.97, 30, 50, 59.94, 60, 72, 90, 100, 119.88, 120, 144, 200, 240, 500])


@given(RATES | st.floats(5, 500), st.integers(2, 9), st.floats(0, 1e5), st.integers(10, 60), st.booleans())
def test_the_rate_of_rounded_times(rate: float, decimals: int, start: float, seconds: int, cut: bool) -> None:
    exact = start + np.arange(int(seconds * rate)) / rate
    times = np.floor(exact * 10**decimals) / 10**decimals if cut else np.round(exact, decimals)
    clock = clock_behind(times, 1.0, name="time")
    assert clock.rate == pytest.approx(rate, rel=5e-3)
    assert clock.timestamps is not None
    assert (np.diff(clock.timestamps) > 0).all()
    # The regular clock again, not its rounding; one or two long steps may as well be lost frames (99.94 against 100).
    off = np.sort(np.abs(np.diff(clock.timestamps) * rate - 1.0))[:-2]
    assert off.max() < 0.01 + 1e-4 * 10 ** (3 - decimals)
    assert np.abs(clock.timestamps - exact).max() <= 2 * 10.0**-decimals + 1e-6


@pytest.mark.parametrize(
    ("rate", "decimals"), [(60, 2), (60, 3), (120, 2), (120, 3), (240, 3), (100, 2), (29.97, 2), (59.94, 3), (90, 3)]
)
def test_usual_rates_are_met_exactly(rate: float, decimals: int) -> None:
    clock = clock_behind(np.round(np.arange(3000) / rate, decimals), 1.0, name="time")
    assert clock.rate == pytest.approx(rate, rel=1e-4)
    # 59.94 is a name for 60000/1001: that is what is found.
    expected = np.arange(3000) / clock.rate
    np.testing.assert_allclose(clock.timestamps, expected, atol=1e-9)


def test_a_dozen_times_with_two_decimals() -> None:
    times = np.array([0, 0.02, 0.03, 0.05, 0.07, 0.08, 0.10, 0.12, 0.13, 0.15, 0.17, 0.18])
    clock = clock_behind(times, 1.0, name="time")
    assert clock.rate == 60.0
    assert clock.notes == ("the times in 'time' are rounded to 0.01 s: the rate 60 is from all of them together",)


def test_whole_seconds_at_thirty_frames_a_second() -> None:
    clock = clock_behind(np.floor(np.arange(9000) / 30), 1.0, name="time")
    assert clock.rate == pytest.approx(30, rel=5e-3)
    assert clock.timestamps is not None
    assert (np.diff(clock.timestamps) > 0).all()


@given(RATES, st.sampled_from([3, 4, 9]), st.floats(0.5, 60), st.integers(50, 400), st.integers(50, 400))
def test_a_pause_stays_and_bends_nothing(rate: float, decimals: int, pause: float, before: int, after: int) -> None:
    exact = np.arange(before + after) / rate
    exact[before:] += pause
    clock = clock_behind(np.round(exact, decimals), 1.0, name="time")
    assert clock.rate == pytest.approx(rate, rel=5e-3)
    assert clock.timestamps is not None
    # To the nearest frame: a pause may end between two, by as much as times happen to be rounded.
    np.testing.assert_allclose(clock.timestamps, exact, atol=max(2.1 * 10.0**-decimals, 0.5 / rate + 10.0**-decimals))


@given(RATES, st.floats(0.0, 0.4), st.integers(0, 2**32 - 1))
def test_lost_frames_are_not_a_lower_rate(rate: float, lost: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = np.concatenate(([True], rng.random(999) >= lost))
    exact = np.arange(1000)[kept] / rate
    clock = clock_behind(np.round(exact, 6), 1.0, name="time")
    assert clock.rate == pytest.approx(rate, rel=1e-3)
    np.testing.assert_allclose(clock.timestamps, exact, atol=2e-6)


@given(RATES, st.floats(0.01, 0.3), st.integers(0, 2**32 - 1))
def test_jitter_stays_in_the_times_and_out_of_the_rate(rate: float, jitter: float, seed: int) -> None:
    times = (np.arange(2000) + jitter * (np.random.default_rng(seed).random(2000) - 0.5)) / rate
    clock = clock_behind(times, 1.0, name="time")
    assert clock.rate == pytest.approx(rate, rel=5e-3)
    np.testing.assert_array_equal(clock.timestamps, times)


@given(st.sampled_from([30, 60, 120]), st.integers(3, 12), st.integers(0, 2**32 - 1))
def test_bursts_of_arrival_give_the_rate_alone(rate: float, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sent = np.arange(60 * size) / rate
    arrived = np.repeat(sent[size - 1 :: size] + 0.02, size) + np.tile(np.arange(size), 60) * 2e-4
    arrived += np.repeat(rng.random(60) * 1e-3, size)
    clock = clock_behind(arrived, 1.0, name="time")
    assert clock.rate == pytest.approx(rate, rel=0.05)
    assert clock.timestamps is None
    assert "bursts" in clock.notes[0]


def test_equal_times_that_no_rounding_explains_are_spread() -> None:
    times = np.arange(100) / 50 + np.random.default_rng(0).random(100) * 1e-3
    times[40] = times[39]
    clock = clock_behind(times, 1.0, name="time")
    assert clock.timestamps is not None
    assert (np.diff(clock.timestamps) > 0).all()
    assert "1 times in 'time' equal the one before" in clock.notes[0]


@settings(max_examples=150)
@given(st.lists(st.floats(0, 1e12) | st.integers(0, 100).map(float), min_size=2, max_size=50))
def test_any_times_that_do_not_decrease_give_a_clock(values: list[float]) -> None:
    ticks = np.sort(np.array(values))
    if ticks[0] == ticks[-1]:
        ticks[-1] += 1.0
    clock = clock_behind(ticks, 1.0, name="time")
    assert np.isfinite(clock.rate)
    assert clock.rate > 0
