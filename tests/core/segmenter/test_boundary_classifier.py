"""Judges: what they say, and how they are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.segmenter.boundary_classifier import Judge, packaged_judge

PLAIN = Judge(("a", "b"), np.zeros(2), np.ones(2), None, np.array([1.0, -2.0]), 0.5)


def test_without_a_hidden_layer_it_is_a_logistic_regression() -> None:
    assert PLAIN(np.array([0.3, 0.1])) == pytest.approx(1.0 / (1.0 + np.exp(-(0.3 - 0.2 + 0.5))))


def test_what_is_far_from_all_training_counts_no_more_than_five_deviations() -> None:
    assert PLAIN(np.array([1e6, 0.0])) == PLAIN(np.array([5.0, 0.0]))


@pytest.mark.parametrize("name", ["early", "final"])
def test_a_judge_is_the_same_after_it_was_written_and_read(name: str) -> None:
    judge = packaged_judge(name)
    again = Judge.from_plain(json.loads(json.dumps(judge.plain())))
    evidence = judge.mean + 0.7 * judge.scale
    assert again(evidence) == pytest.approx(judge(evidence), abs=1e-6)
    assert again.confidence(0.8) == pytest.approx(judge.confidence(0.8), abs=1e-6)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_confidence_rises_with_probability_and_is_never_certain(one: float, other: float) -> None:
    low, high = sorted((one, other))
    judge = packaged_judge("early")
    assert 0.0 < judge.confidence(low) <= judge.confidence(high) < 1.0
