"""Rules through the SDK: both clients and the segmenter in this process raise the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg import AnomalyCleared, AnomalyKind, AnomalyRaised, Segmenter
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.core.tiny_bundle import TinyModel, write_tiny_bundle
from tests.event_schema import check_events
from tests.same_events import content

RULES = '[[name]]\nname = "walking"\n[[absence]]\nname = "walking"\nfor_s = 10\n'
LEVELS = {"walking": (3.0, -1.0, -1.0), "running": (-1.0, 3.0, -1.0), "": (-3.0, -3.0, -3.0)}
ACTS = ("walking", "running", "", "walking")


@pytest.fixture(scope="module")
def knows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recogniser of two actions."""
    model = TinyModel(name="knows", classes=("walking", "running"))
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "knows", model)


@pytest.fixture(scope="module")
def recogniser(knows: Path) -> Iterator[str]:
    with BackgroundServer(
        Settings(port=0, metrics_port=None, bundles=(knows,), packaged_bundle=False, log_level="error")
    ) as server:
        yield server.address


@pytest.fixture(scope="module")
def acts() -> np.ndarray[Any, np.dtype[np.float32]]:
    levels = np.repeat([LEVELS[name] for name in ACTS], 180, axis=0)
    return (levels + np.random.default_rng(0).normal(0, 0.2, levels.shape)).astype(np.float32)


def ruled(items: Any) -> list[Any]:
    found = [item for item in items if isinstance(item, AnomalyRaised | AnomalyCleared)]
    return [event for event in found if event.anomaly_kind is AnomalyKind.RULE]


def test_rules_hold_in_one_stream_and_events_say_which(recogniser: str, connect: Any, acts: Any) -> None:
    client = connect(recogniser)
    assert ruled(client.segment(acts, rate=30).events) == []
    found = client.segment(acts, rate=30, rules=RULES)
    rules = [event.rule for event in ruled(found.events)]
    assert sorted(rules) == ["absence:walking"] * 2 + ["name:walking"] * 4
    check_events([event.to_dict() for event in found.events])
    assert kineseg.event_from_dict(ruled(found.events)[0].to_dict()) == ruled(found.events)[0]


def test_in_this_process_as_on_a_server(recogniser: str, knows: Path, acts: Any, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    with kineseg.Client(recogniser) as client, client.stream(rate=30, rules=path) as stream:
        stream.send(acts)
        stream.end_input()
        theirs = list(stream)
    assert stream.config.rules == RULES
    ours = kineseg.segment(acts, rate=30, model=knows, rules=path)
    assert ruled(ours.events)
    assert content(ours.events) == content(theirs)


def test_an_absence_goes_on_in_a_segmenter_that_was_pickled(knows: Path, acts: Any) -> None:
    whole = Segmenter.load(knows, rate=30, rules=RULES)
    expected = [*whole.update(acts), *whole.finish()]
    first = Segmenter.load(knows, rate=30, rules=RULES)
    found = first.update(acts[:400])
    second = pickle.loads(pickle.dumps(first))
    found += [*second.update(acts[400:]), *second.finish()]
    assert content(found) == content(expected)
    assert ruled(expected)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ('[[name]]\nnmae = "fall"', "did you mean name"),
        (Path("no such rules.toml"), "no such rules.toml cannot be read .*name another file"),
        (3, "got int"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_by_both_alike(
    recogniser: str, knows: Path, acts: Any, rules: Any, says: str
) -> None:
    with pytest.raises(kineseg.InvalidRequest, match=says) as refused:
        Segmenter.load(knows, rate=30, rules=rules)
    assert refused.value.field == "rules"
    with kineseg.Client(recogniser) as client, pytest.raises(kineseg.InvalidRequest, match=says) as refused:
        client.segment(acts, rate=30, rules=rules)
    assert refused.value.field.endswith("rules")


def test_a_model_without_names_has_no_use_for_rules() -> None:
    with pytest.raises(kineseg.InvalidRequest, match="name a trained model") as refused:
        Segmenter.load("scratch", rate=30, channels=("x",), rules=RULES)
    assert refused.value.field == "rules"
