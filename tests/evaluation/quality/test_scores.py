"""Predictions are scored by the shared metrics, and say no more than what they were given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Annotation, Recording

from evaluation.quality.errors import QualityError
from evaluation.quality.places import data_folder, eval_folder
from evaluation.quality.scores import Prediction, StreamScore, mean, score_stream
from evaluation.quality.stream import AnnotatedStream, from_truth

RATE = 10.0
TRUTH = Annotation((0, 100, 200), (0, 1, 0), ("a", "b", "a"), ((0, 0), (98, 102), (198, 202)))


@pytest.fixture
def stream() -> AnnotatedStream:
    return from_truth("made", Recording(np.zeros((300, 1)), RATE, ("value",), name="made", truth=TRUTH))


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_the_truth_itself_is_perfect(stream: AnnotatedStream) -> None:
    score = score_stream(stream, Prediction.of([(100, 100), (200, 200)], 300, TRUTH.frame_labels(300)))
    assert all(share == pytest.approx(1.0) for share in score.shares.values())
    assert score.delays_s == (0.0, 0.0)


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_known_case(stream: AnnotatedStream) -> None:
    # 107 lies in 98-102 widened by 5; 120 does not; nothing is near 200.
    labels = np.where(np.arange(300) < 120, 7, 9)
    score = score_stream(stream, Prediction.of([(107, 110), (120, 130)], 300, labels))
    assert score.shares["precision"] == pytest.approx(1 / 2)
    assert score.shares["recall"] == pytest.approx(1 / 2)
    assert score.shares["bf1"] == pytest.approx(1 / 2)
    assert score.shares["mof"] == pytest.approx(180 / 300)
    assert score.delays_s == pytest.approx((1.0,))


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_without_actions_only_boundaries_are_scored() -> None:
    recording = Recording(np.zeros((300, 1)), RATE, ("value",), name="series")
    series = AnnotatedStream("made", "series", recording, np.array([[100.0] * 3]), None)
    score = score_stream(series, Prediction.of([], 300))
    assert set(score.shares) == {"covering", "bf1", "precision", "recall", "bf1@1s"}
    assert score.shares["covering"] == pytest.approx((100 / 300) ** 2 + (200 / 300) ** 2)
    assert score.delay(0.5) is None


def test_boundaries_at_the_edges_separate_nothing() -> None:
    found = Prediction.of([(300, 300), (150, 140), (0, 10), (20, 30)], 300)
    assert found.boundaries.tolist() == [20, 150]
    assert found.emitted.tolist() == [30, 150]


def test_means_are_over_streams_and_delays_are_all_of_them() -> None:
    both = mean([StreamScore({"bf1": 1.0, "mof": 0.5}, (1.0, 2.0)), StreamScore({"bf1": 0.0}, (6.0,))])
    assert both.shares == {"mof": 0.5, "bf1": 0.5}
    assert both.delay(0.5) == 2.0


def test_missing_places_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(QualityError, match="KINESEG_DATA"):
        data_folder("tssb")
    monkeypatch.setenv("KINESEG_EVAL", str(tmp_path))
    with pytest.raises(QualityError, match=r"metrics\.py.*KINESEG_EVAL"):
        eval_folder()
