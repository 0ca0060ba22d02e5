"""`kineseg segment --rules` and `kineseg serve --rules`: alerts by names and by their absence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import Command
from tests.core.tiny_bundle import TinyModel, write_tiny_bundle

RULES = '[[name]]\nname = "walking"\n[[absence]]\nname = "walking"\nfor_s = 10\ntext = "no one walks"\n'


@pytest.fixture(scope="module")
def knows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = TinyModel(name="knows", classes=("walking", "running"))
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "knows", model)


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Six seconds of walking, then twelve of running."""
    path = tmp_path / "take.csv"
    levels = np.repeat([(3.0, -1.0, -1.0), (-1.0, 3.0, -1.0), (-1.0, 3.0, -1.0)], 180, axis=0)
    values = levels + np.random.default_rng(0).normal(0, 0.2, levels.shape)
    np.savetxt(path, values, delimiter=",", header="c0,c1,c2", comments="")
    return path


def arguments(take: Path, knows: Path, *more: object) -> tuple[object, ...]:
    return ("segment", take, "--rate", "30", "--bundle", knows, "--model", "knows", *more)


def test_alerts_of_rules_are_anomalies_in_the_table_and_in_the_file(
    kineseg: Command, take: Path, knows: Path, tmp_path: Path
) -> None:
    rules, out = tmp_path / "rules.toml", tmp_path / "events.jsonl"
    rules.write_text(RULES)
    outcome = kineseg(*arguments(take, knows, "--rules", rules))
    assert outcome.status == 0, outcome.err
    table = outcome.out.partition("anomalies")[2]
    for words in ("walking for 6.", "no one walks", "rule", "name:walking"):
        assert words in table
    assert "no segment can be called" not in outcome.err
    outcome = kineseg(*arguments(take, knows, "--rules", rules, "--out", out, "--plot", tmp_path / "timeline.png"))
    assert outcome.status == 0, outcome.err
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert {event["rule"] for event in events if event["kind"] == "anomaly"} == {"name:walking", "absence:walking"}


def test_a_name_that_no_segment_can_get_is_said(kineseg: Command, take: Path, knows: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES + '[[name]]\nname = "walkign"')
    outcome = kineseg(*arguments(take, knows, "--rules", rules))
    assert outcome.status == 0, outcome.err
    assert "no segment can be called walkign yet; names are running, walking" in outcome.err


@pytest.mark.parametrize(
    ("content", "says"),
    [('[[name]]\nnmae = "fall"', "rules.toml: [[name]] 1: unknown key 'nmae', did you mean name"), (None, "cannot be")],
)
def test_a_wrong_rules_file_is_refused_before_the_work(
    kineseg: Command, take: Path, knows: Path, tmp_path: Path, content: str | None, says: str
) -> None:
    rules = tmp_path / "rules.toml"
    if content is not None:
        rules.write_text(content)
    for command in (arguments(take, knows, "--rules", rules), ("serve", "--port", 0, "--rules", rules)):
        outcome = kineseg(*command)
        assert (outcome.status, outcome.out) == (2, "")
        assert says in outcome.err


def test_rules_for_a_model_without_names_are_refused(kineseg: Command, take: Path, knows: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    outcome = kineseg("segment", take, "--rate", "30", "--model", "scratch", "--rules", rules)
    assert (outcome.status, outcome.out) == (2, "")
    assert "name a trained model" in outcome.err
