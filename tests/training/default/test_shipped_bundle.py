"""The bundle that the service ships: sound, small, made of what it says, and good enough through the real server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS
from kineseg_training.default import recipe
from kineseg_training.export.step import read_bundle
from kineseg_training.studies.service.evaluate import evaluate

REPOSITORY = Path(__file__).parents[3]
SHIPPED = REPOSITORY / recipe.SHIPPED


def test_it_is_sound_and_small() -> None:
    bundle = read_bundle(SHIPPED)
    listed = {file.path: file.sha256 for file in bundle.manifest.files}
    assert listed == {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in SHIPPED.iterdir() if p.name != "manifest.json"
    }
    assert sum(p.stat().st_size for p in SHIPPED.iterdir()) < 5_000_000
    assert tuple(channel.name for channel in bundle.manifest.channels) == CANONICAL_CHANNELS

    golden = np.load(SHIPPED / "golden.npz")
    outputs = bundle.step.run(golden["frames"])
    for name in ("prediction", "surprise", "embedding"):
        error = np.abs(getattr(outputs, name) - golden[name]).max()
        assert error <= bundle.manifest.golden_tolerance * np.abs(golden[name]).max()


def test_it_follows_the_recipe() -> None:
    manifest = read_bundle(SHIPPED).manifest
    assert manifest.name == recipe.EXPORT.name
    assert manifest.licence == recipe.EXPORT.licence
    assert manifest.training_data.description == recipe.EXPORT.description
    assert manifest.embedding_dim == recipe.EXPORT.metric.dimensions
    assert {part.name: part.size for part in manifest.state}["hidden"] == recipe.FIT.hidden


def test_it_predicts_held_out_motion_better_than_standing_still() -> None:
    metrics = read_bundle(SHIPPED).manifest.metrics
    assert metrics["held_out_one_step"] < 0.8 * metrics["held_out_zero_velocity_one_step"]
    assert metrics["held_out_rollout"] < 0.9 * metrics["held_out_zero_velocity_rollout"]


@pytest.mark.data
def test_it_was_trained_on_the_clips_that_it_names(real_data: Path) -> None:
    training, _ = recipe.default_corpora(real_data / "cmu_mocap")
    manifest = read_bundle(SHIPPED).manifest
    assert manifest.training_data.fingerprint == training.fingerprint
    assert manifest.training_data.recordings == len(training.clips)


@pytest.mark.data
def test_it_segments_the_development_takes_well_enough(real_data: Path, scoring_scripts: Path, tmp_path: Path) -> None:
    result = evaluate(SHIPPED, real_data / "cmu_mocap", scoring_scripts, tmp_path)
    mean = result.takes["mean"]
    assert mean["bf1@0.5s"] >= 0.75
    assert mean["mof"] >= 0.78
    assert mean["ari"] >= 0.68
    assert mean["max_delay_s"] <= 5.0
    assert result.prediction is not None
    assert result.prediction.one_step < result.prediction.zero_velocity_one_step
