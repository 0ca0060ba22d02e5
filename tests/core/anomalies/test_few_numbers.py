"""The median of a few numbers and the least of the last ones are those that NumPy finds."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kineseg_core.anomalies.values.held import hold
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
    last, held, lowest, least = (np.zeros(shape, np.float32) for shape in ((size, 3), (size, 3), 3, 3))
    for at, row in enumerate(rows):
        last[at % size] = held[at % size] = row
        hold(held, lowest, at, least)
        np.testing.assert_array_equal(least, last.min(axis=0))
