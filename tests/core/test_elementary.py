"""Elementary functions of our own are those of the C library, to far more digits than a block keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network.elementary import log1p_all, tanh_all
from kineseg_core.segmenter.table.quantile import running_median


@settings(max_examples=50)
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_they_are_right_for_any_number(values: list[float]) -> None:
    tangents, logarithms = np.array(values), np.abs(values)
    tanh_all(tangents)
    log1p_all(logarithms)
    assert tangents == pytest.approx(np.tanh(values), abs=1e-13)
    assert logarithms == pytest.approx(np.log1p(np.abs(values)), rel=1e-14, abs=1e-14)


@settings(max_examples=50)
@given(values=st.lists(st.floats(width=32), min_size=1, max_size=60))
def test_a_running_median_is_what_sorting_gives(values: list[float]) -> None:
    some = np.array(values, np.float32)
    given_some = some.copy()
    median = running_median(some)
    if not np.isnan(some).any():
        assert median == np.sort(some)[round(0.5 * (len(some) - 1))]
    assert np.array_equal(some, given_some, equal_nan=True)
