"""Alarms follow the service's rule, and a threshold for a rate of false alarms gives that rate."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kineseg_training.studies.service.faults.trials import Placed, Scored, alarms, found, rate_per_minute, threshold_for


def scored(scores: object) -> Scored:
    values = np.asarray(scores, dtype=np.float64)
    return Scored(np.arange(len(values)) / 10.0, values, len(values) / 10.0)


def test_an_alarm_is_over_only_after_a_second_below_half_the_threshold() -> None:
    calm, loud, middling = [0.0] * 15, [9.0], [3.0] * 15
    np.testing.assert_allclose(alarms(scored(calm + loud + calm + loud), 5.0), [1.5, 3.1])
    np.testing.assert_allclose(alarms(scored(calm + loud + middling + loud), 5.0), [1.5])
    np.testing.assert_allclose(alarms(scored(calm + loud + [0.0] * 5 + loud), 5.0), [1.5])
    assert not len(alarms(scored(calm), 5.0))


def test_an_alarm_is_about_a_fault_from_its_start_to_a_second_after_its_end() -> None:
    faults = (Placed("a", 2.0, 3.0), Placed("b", 10.0, 11.0), Placed("c", 20.0, 21.0))
    assert found(np.array([1.9, 2.5, 2.7, 11.9, 22.5]), faults) == [2.5, 11.9, None]


@given(arrays(np.float64, st.integers(300, 900), elements=st.floats(0, 30)), st.sampled_from([0.5, 2.0, 10.0]))
def test_the_threshold_keeps_to_the_rate(scores: np.ndarray, per_minute: float) -> None:
    clean = [scored(scores)]
    assert rate_per_minute(clean, threshold_for(clean, per_minute)) <= per_minute
