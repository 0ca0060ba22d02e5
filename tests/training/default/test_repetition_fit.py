"""Fitting the odds of a repetition: on made segments, on streams without recordings, by the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from kineseg_core.segmenter.labels import SegmentPoint
from kineseg_core.segmenter.labels.repetition import FEATURES, Weights, probabilities
from kineseg_training.default.boundary_network.streams.library import SOURCES, load_library
from kineseg_training.default.repetition.choices import Choice, choices
from kineseg_training.default.repetition.command import repetition
from kineseg_training.default.repetition.fit import fit
from kineseg_training.default.repetition.segments import Found, FoundStream, found_streams
from kineseg_training.default.repetition.streams import made_streams
from kineseg_training.errors import DataError

DIM = 6


def made(seed: int, *, actions: int = 5, visits: int = 12) -> FoundStream:
    """Actions that differ more than their visits do."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((actions, DIM))
    segments = []
    for action in rng.integers(actions, size=visits).tolist():
        mean = centres[action] + 0.2 * rng.standard_normal(DIM)
        point = SegmentPoint(mean, 0.05, np.full(DIM, 0.1), 0.05, int(rng.integers(10, 60)))
        segments.append(Found(point, 1.0, action, 1.0))
    return FoundStream("actions", tuple(segments))


def many(seeds: range) -> list[Choice]:
    return [choice for seed in seeds for choice in choices(made(seed))]


def test_the_right_action_is_probable_in_streams_that_were_not_fitted_to() -> None:
    weights = Weights.of(fit(many(range(60))))
    right = []
    for choice in many(range(100, 130)):
        found = probabilities(weights.log_odds(choice.rows))
        right.append(1.0 - found.sum() if choice.right is None else found[choice.right])
    assert np.mean(right) > 0.9
    assert set(fit(many(range(60)))) == {*FEATURES, "bias"}


def test_a_segment_of_two_actions_has_no_right_label() -> None:
    stream = made(0)
    mixed = Found(stream.segments[4].point, 1.0, stream.segments[4].action, 0.6)
    changed = FoundStream("actions", (*stream.segments[:4], mixed, *stream.segments[5:]))
    assert len(list(choices(changed))) == len(list(choices(stream))) - 1


def test_too_little_is_refused() -> None:
    with pytest.raises(DataError, match="make more streams"):
        fit(many(range(2)))


def test_segments_are_those_that_the_service_finds() -> None:
    library = load_library(None, frozenset(SOURCES))
    stream = next(each for each in made_streams(library, 3, "actions") if len(each.truth.boundaries) >= 3)
    (found,) = found_streams([stream])
    assert found.kind == "actions"
    assert len(found.segments) >= 2
    assert sum(each.point.length for each in found.segments) == pytest.approx(stream.seconds * 10.0, abs=3.0)
    for each in found.segments:
        assert each.action in stream.truth.actions
        assert 0.0 < each.purity <= 1.0 + 1e-6


def test_patterns_are_of_few_channels() -> None:
    streams = made_streams(load_library(None, frozenset(SOURCES)), 3, "patterns")
    counts = {next(streams).frames.shape[1] for _ in range(12)}
    assert counts <= {1, 2, 3, 4}
    assert len(counts) > 1


def test_the_command_refuses_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        repetition(tmp_path / "no" / "file.json", streams=1, patterns=1, quiet=True)
    assert "out: there is no folder" in capsys.readouterr().err


def test_the_shipped_weights_say_that_distance_speaks_against_a_repetition() -> None:
    from kineseg_training.default.repetition.command import SHIPPED

    content = json.loads(SHIPPED.read_text())
    for kind in ("actions", "patterns"):
        assert set(content[kind]) == {*FEATURES, "bias"}
        assert all(content[kind][name] < 0.0 for name in FEATURES if name.endswith("distance over scatter"))
