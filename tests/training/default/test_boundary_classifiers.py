"""The boundary classifiers, trained on little."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import Segmenter, SegmenterSettings, SegmentStart, SegmentUpdate
from kineseg_core.segmenter.boundary_classifier import BoundaryClassifiers, packaged_classifiers
from kineseg_core.segmenter.features import FINAL_FEATURES, PROVISIONAL_FEATURES
from kineseg_training.commands import app
from kineseg_training.default.boundary_classifiers.examples import Examples, final_examples, provisional_examples
from kineseg_training.default.boundary_classifiers.fit import calibrated, fit_final, fit_provisional
from kineseg_training.default.boundary_classifiers.streams import TrainingStream, training_stream
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def streams() -> list[TrainingStream]:
    path = packaged_bundle()
    assert path is not None
    bundle = load_bundle(path)
    return [
        training_stream(bundle, "generated", generate(seed, rate=30.0, duration_s=45.0), tempo)
        for seed, tempo in ((1, 1.0), (2, 0.8), (3, 1.3))
    ]


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["boundary-classifiers", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result.output


def test_a_stream_played_faster_is_shorter_and_its_boundaries_come_sooner(streams: list[TrainingStream]) -> None:
    for stream, tempo in zip(streams, (1.0, 0.8, 1.3), strict=True):
        assert len(stream.blocks) == pytest.approx(450 / tempo, rel=0.03)
        assert len(stream.blocks) == len(stream.surprise)
        assert (np.diff(stream.truth) > 20).all()
        assert stream.truth[-1] < len(stream.blocks)


def test_the_final_classifier_learns_true_boundaries(streams: list[TrainingStream]) -> None:
    rng = np.random.default_rng(0)
    examples = [final_examples(stream.blocks, stream.truth, 4.0, rng) for stream in streams]
    classifier = fit_final(Examples.joined(examples[:2]), examples[2])
    seen = Examples.joined(examples)
    assert seen.features.shape == (len(seen), len(FINAL_FEATURES))
    probability = np.array([classifier(features) for features in seen.features])
    assert probability[seen.positive].mean() > probability[~seen.positive].mean() + 0.3


def test_the_provisional_classifier_learns_from_decisions_and_is_calibrated(streams: list[TrainingStream]) -> None:
    rng = np.random.default_rng(0)
    decided = [(round(at), round(at) + 36) for at in streams[0].truth if at + 36 < len(streams[0].blocks)]
    examples = provisional_examples(streams[0].blocks, decided, rng)
    classifier = fit_provisional(examples)
    assert examples.features.shape == (len(examples), len(PROVISIONAL_FEATURES))
    probability = np.array([classifier(features) for features in examples.features])
    assert probability[examples.positive].mean() > probability[~examples.positive].mean() + 0.3
    overconfident = [(0.8, i % 2 == 0) for i in range(100)] + [(0.95, i % 4 > 0) for i in range(100)]
    fair = calibrated(replace(classifier, calibration=(1.0, 0.0)), overconfident)
    assert fair.confidence(0.8) == pytest.approx(0.5, abs=0.02)
    assert fair.confidence(0.95) == pytest.approx(0.75, abs=0.02)


def test_a_segmenter_asks_the_classifiers_that_it_is_given(streams: list[TrainingStream]) -> None:
    packaged = packaged_classifiers()
    never = replace(packaged.final, bias=-100.0)
    found = confirmed(streams[0], packaged)
    assert len(found) > 3
    assert confirmed(streams[0], replace(packaged, final=never)) == []
    assert confirmed(streams[0], None) == found


def confirmed(stream: TrainingStream, classifiers: BoundaryClassifiers | None) -> list[int]:
    """Frames of the boundaries that a segmenter confirms."""
    segmenter = Segmenter(SegmenterSettings(), stream.blocks.shape[1], 10.0, classifiers=classifiers)
    decisions = [one for block in stream.blocks.astype(np.float32) for one in segmenter.update(block, 1.0)]
    sure = [one for one in decisions if isinstance(one, SegmentStart | SegmentUpdate) and one.confirmed]
    return [one.index for one in sure if one.index]


def test_the_command_trains_classifiers_that_find_boundaries(
    cmu_folder: Path, streams: list[TrainingStream], tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    for part in ("train", "test"):
        shutil.copytree(cmu_folder / part, clips / part)
    out = tmp_path / "classifiers.json"
    words = run(out, "--cmu", clips, "--generated", 3, "--assembled", 2, "--quiet")
    assert "without the takes" in words
    assert "were confirmed" in words
    assert f"wrote {out}" in words
    trained = BoundaryClassifiers.from_text(out.read_text())
    assert trained.text() == out.read_text()
    assert trained.final.calibration == (1.0, 0.0) != trained.provisional.calibration
    truth = streams[0].truth
    found = np.array(confirmed(streams[0], trained))
    assert np.mean([np.abs(found - at).min() <= 5 for at in truth[truth < 400]]) >= 0.6


def test_what_cannot_be_trained_is_said(cmu_folder: Path, tmp_path: Path) -> None:
    assert "generated must be at least 2" in run(tmp_path / "a", "--cmu", cmu_folder, "--generated", 1, status=1)
    assert "has no clips" in run(tmp_path / "a", "--cmu", tmp_path, "--generated", 2, "--assembled", 2, status=1)
    assert "there is no folder" in run(tmp_path / "no" / "a", "--cmu", cmu_folder, status=1)
