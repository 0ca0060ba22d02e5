"""The priors of the anomaly monitor, fitted on little, and those that are shipped."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg_core.anomalies import WatchedSource
from kineseg_core.anomalies.score.priors import GROUPS
from kineseg_core.anomalies.score.tails import PRIOR
from kineseg_training.commands import app
from kineseg_training.default.anomaly_priors.fit import Maxima, fit, maxima_of
from kineseg_training.default.anomaly_priors.streams import (
    FaultlessStream,
    at_rates,
    tracker_noise,
    with_fewer_joints,
)
from typer.testing import CliRunner


def noisy(size: float) -> FaultlessStream:
    (clean,) = at_rates(generate(3, 40.0, 30.0, noise=0.0), (30.0,))
    rng = np.random.default_rng(0)
    return FaultlessStream("noisy", clean.source, clean.frames + size * rng.standard_normal(clean.frames.shape))


def test_bodies_belong_to_groups_by_their_bones():
    groups = [maxima.group for size in (0.0, 0.0002, 0.002, 0.04) if (maxima := maxima_of(noisy(size)))]
    assert groups == list(GROUPS[:4])


def test_the_tail_of_a_known_distribution_is_found():
    rng = np.random.default_rng(1)
    maxima = Maxima("channels", ("tele",), (rng.exponential(0.3, 4000),))
    tail = fit([maxima])["channels"]["tele"]
    assert tail["level"] == pytest.approx(-0.3 * np.log(0.1), rel=0.1)
    assert tail["excess"] == pytest.approx(0.3, rel=0.2)
    assert -0.15 <= tail["shape"] <= 0.0
    assert 0.04 < tail["rate"] < 0.1


def test_a_short_stream_teaches_nothing():
    source = WatchedSource.of_channels("ab", 20.0)
    assert maxima_of(FaultlessStream("short", source, np.zeros((300, 2)))) is None


def test_fewer_joints_are_a_tree_of_what_is_left():
    (stream,) = at_rates(generate(1, 2.0, 30.0), (30.0,))
    fewer = with_fewer_joints(stream)
    assert len(fewer.source.names) <= len(stream.source.names)
    assert fewer.frames.shape[1] == len(fewer.source.names)
    assert (fewer.source.parents or ())[0] == -1


def test_a_tracker_has_bursts_of_noise_that_lasts():
    noise = tracker_noise(np.random.default_rng(0), (3000, 5, 3), 30.0)
    steps = np.diff(noise, axis=0)
    assert steps.std() < 1.3 * noise.std()
    by_second = noise[:3000].reshape(100, 30, 5, 3).std(axis=(1, 3))
    assert np.quantile(by_second, 0.98) > 2.5 * np.median(by_second)


def test_shipped_priors_have_every_detector_and_say_what_they_are_from():
    content = json.loads(files("kineseg_core.anomalies").joinpath("priors.json").read_text())
    assert "CC BY 4.0" in content["from"]
    assert set(content["tails"]) == set(content["minutes"]) == set(GROUPS)
    for detectors in content["tails"].values():
        assert detectors
        for tail in detectors.values():
            assert set(tail) == set(PRIOR.names or ())
            assert tail["rate"] > 0
            assert tail["excess"] > 0
            assert tail["shape"] < 0.5


def test_the_command_writes_priors(tmp_path: Path, cmu_folder: Path):
    out, nothing = tmp_path / "priors.json", tmp_path / "no-gestures"
    nothing.mkdir()
    arguments = ["anomaly-priors", str(out), "--cmu", str(cmu_folder), "--gestures", str(nothing), "--made", "1"]
    result = CliRunner().invoke(app, [*arguments, "--quiet"])
    assert result.exit_code == 0, result.output
    assert set(json.loads(out.read_text())["tails"]) == set(GROUPS)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    result = CliRunner().invoke(app, ["anomaly-priors", str(tmp_path / "no" / "priors.json")])
    assert result.exit_code == 1
    assert "there is no folder" in result.output
