"""The measure of surprise, on errors whose kind is known."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_training.errors import DataError
from kineseg_training.export.surprise import learn_surprise

CHANNELS = [f"joint{j}.{axis}" for j in range(8) for axis in "xyz"]
RNG = np.random.default_rng(0)


def test_what_is_typical_of_a_channel_does_not_matter() -> None:
    errors = RNG.standard_normal((500, 24)) ** 2
    scale = RNG.uniform(0.01, 10.0, 24)
    plain = learn_surprise([errors], CHANNELS)(errors)
    np.testing.assert_allclose(learn_surprise([errors * scale], CHANNELS)(errors * scale), plain, rtol=1e-9)


def test_one_bad_joint_counts_for_more_than_lively_motion() -> None:
    errors = RNG.standard_normal((500, 24)) ** 2
    measure = learn_surprise([errors], CHANNELS)
    one, all_of_them = errors.copy(), errors * 20.0
    one[:, :3] *= 20.0
    usual = np.median(measure(errors))
    assert np.median(measure(one)) > 5 * usual
    assert usual < np.median(measure(all_of_them)) < 0.6 * np.median(measure(one))


@pytest.mark.parametrize("channels", [["torque"], ["a", "b"], [f"s{i}" for i in range(5)]])
def test_channels_that_are_no_joints_count_one_by_one(channels: list[str]) -> None:
    errors = RNG.standard_normal((100, len(channels))) ** 2
    measure = learn_surprise([errors], channels)
    assert measure.weight.shape == (len(channels), len(channels))
    assert (np.diff(measure(np.array([[1.0], [4.0], [9.0]]) * np.ones(len(channels)))) > 0).all()


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(DataError, match="too short"):
        learn_surprise([np.zeros((0, 24))], CHANNELS)
