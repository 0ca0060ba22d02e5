"""Resampling: exact means of the piecewise-linear signal, causal, at the right times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_training.data import resample
from kineseg_training.errors import SettingsError

RATES = st.sampled_from([24.0, 25.0, 30.0, 59.94, 60.0, 100.0, 120.0])


def piecewise_mean(frames: np.ndarray, start: float, end: float) -> np.ndarray:
    """Mean between two positions, by exact trapezes between all knots."""
    knots = np.unique(np.concatenate([[start, end], np.arange(np.ceil(start), np.floor(end) + 1)]))
    values = np.stack([np.interp(knots, np.arange(len(frames)), channel) for channel in frames.T], axis=1)
    return np.trapezoid(values, knots, axis=0) / (end - start)


@given(rate=RATES, to_rate=RATES, length=st.integers(1, 60), seed=st.integers(0, 99))
def test_every_tick_is_what_the_definition_says(rate: float, to_rate: float, length: int, seed: int) -> None:
    frames = np.random.default_rng(seed).standard_normal((length, 2))
    got = resample(frames, rate, to_rate)
    step = rate / to_rate
    assert len(got) == int(np.floor((length - 1) / step + 1e-9)) + 1
    for k, row in enumerate(got):
        end = min(k * step, length - 1)
        if k == 0:
            expected = frames[0]
        elif step > 1:
            expected = piecewise_mean(frames, (k - 1) * step, end)
        else:
            expected = np.stack([np.interp(end, np.arange(length), channel) for channel in frames.T])
        np.testing.assert_allclose(row, expected, atol=1e-9)


def test_equal_rates_change_nothing() -> None:
    frames = np.random.default_rng(0).standard_normal((50, 3))
    np.testing.assert_array_equal(resample(frames, 30.0, 30.0), frames)


def test_four_to_one_weighs_the_frames_of_a_tick_as_trapezes() -> None:
    frames = np.arange(9.0)[:, None] ** 2
    got = resample(frames, 120.0, 30.0)[:, 0]
    np.testing.assert_allclose(got, [0.0, (0 / 2 + 1 + 4 + 9 + 16 / 2) / 4, (16 / 2 + 25 + 36 + 49 + 64 / 2) / 4])


def test_the_future_does_not_matter() -> None:
    frames = np.random.default_rng(1).standard_normal((101, 2))
    whole, part = resample(frames, 120.0, 30.0), resample(frames[:61], 120.0, 30.0)
    np.testing.assert_allclose(whole[: len(part)], part, atol=1e-12)


@pytest.mark.parametrize("rate", [0.0, -30.0, float("nan"), float("inf")])
def test_a_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(SettingsError, match="rate must be a positive number"):
        resample(np.zeros((3, 1)), rate, 30.0)
