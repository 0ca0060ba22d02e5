"""What stands still stays out of what a stream's scales are learned from."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.segmenter import SegmenterSettings
from kineseg_core.segmenter.stillness import StillnessDetector
from kineseg_core.segmenter.surprise import SurpriseScore
from numpy.typing import NDArray

from tests.core.segmenter.steps import motion, step
from tests.core.segmenter.streams import RATE, embedding_stream

SIZE, GROUPS = 5, 12
Blocks = NDArray[np.float64]


def noise(n: int, deviation: float, seed: int = 0) -> Blocks:
    return deviation * np.random.default_rng(seed).standard_normal((n, 8)) / np.sqrt(8)


def still_at(blocks: Blocks) -> list[int]:
    """Blocks at which a stream of variance 1 is said to stand still."""
    stillness = StillnessDetector(8, SIZE, GROUPS)
    return [i for i, block in enumerate(blocks) if stillness.update(block, 1.0)]


@pytest.mark.parametrize("deviation", [0.0, 1e-6, 1e-3, 0.1])
@pytest.mark.parametrize("place", [0.0, 1.0, 300.0])
def test_it_stands_still_from_six_seconds_on_until_it_moves(deviation: float, place: float) -> None:
    moving, quiet = noise(100, 1.0), place + noise(300, deviation, seed=1)
    found = still_at(np.concatenate([moving, quiet, place + moving]))
    assert found == list(range(found[0], 400))
    assert 100 + SIZE * (GROUPS - 1) <= found[0] + 1 <= 100 + SIZE * (GROUPS + 1)


def test_slow_motion_tremor_and_short_pauses_are_no_stillness() -> None:
    t = np.arange(600)[:, None] * np.ones(8) / np.sqrt(8)
    assert not still_at(0.4 * np.sin(t / 15.0))
    assert not still_at(0.005 * t)
    assert not still_at(noise(600, 0.3))
    pauses = noise(600, 1.0) * (np.arange(600) % 80 < 30)[:, None]
    assert not still_at(pauses)


@settings(max_examples=8)
@given(cuts=st.frozensets(st.integers(0, 1500), max_size=4))
def test_pickling_within_stillness_changes_nothing(cuts: frozenset[int]) -> None:
    frames, _ = embedding_stream([0, 1], [12.0, 12.0])
    frames = np.concatenate([frames[:400], np.repeat(frames[400:401], 700, axis=0), frames[400:]])

    def run(pickled: frozenset[int]) -> list[object]:
        segmenter, decided = motion(), list[object]()
        for i, frame in enumerate(frames):
            if i in pickled:
                segmenter = pickle.loads(pickle.dumps(segmenter))
            decided += step(segmenter, frame)
        return decided + segmenter.finish()

    assert run(cuts) == run(frozenset())


def test_surprise_of_stillness_scores_low_and_is_forgotten_in_motion() -> None:
    random = np.random.default_rng(0)
    score = SurpriseScore(SegmenterSettings(), RATE)

    def over(values: np.ndarray, *, still: bool = False) -> list[float]:
        found = []
        for value in values:
            score.update(float(value), still=still)
            found.append(score.value)
        return found

    usual, tense = np.exp(0.3 * random.standard_normal(3000)), np.exp(8.0 + 0.3 * random.standard_normal(3000))
    assert max(over(usual)) < 5.5
    assert max(over(tense, still=True)[300:]) < 5.5  # where it is no longer new
    assert max(over(usual)) < 5.5
    assert max(over(tense[:30])) > 5.5
