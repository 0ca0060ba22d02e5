"""The median of a few numbers and the least of the last ones are those that NumPy finds."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kineseg_core.anomalies.values.held import least_held
from kineseg_core.anomalies.values.median import median_of_few

few = st.floats(-9, 9) | st.sampled_from([0.0, 1.0, math.nan])


@settings(max_examples=200)
@given(numbers=st.integers(0, 30).flatmap(lambda n: arrays(np.float64, n, elements=few)))
def test_a_median_is_of_the_numbers_that_are_known(numbers):
    known = numbers[~np.isnan(numbers)]
    expected = np.median(known) if len(known) else math.nan
    np.testing.assert_array_equal(median_of_few(numbers), expected)


@settings(max_examples=60)
@given(rows=arrays(np.float32, (40, 3), elements=st.floats(0, 4, width=32)), size=st.integers(1, 9))
def test_what_is_held_has_its_least(rows, size):
    held, least = np.zeros((size, 3), np.float32), np.zeros(3)
    for at, row in enumerate(rows):
        held[at % size] = row
        least_held(held, least)
        np.testing.assert_array_equal(least, held.min(axis=0))
