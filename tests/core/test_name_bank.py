"""The pieces of naming alone: whatever a file holds, whatever a recogniser said, wherever a point lies."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.errors import BadBank, InvalidRequest
from kineseg_core.naming import UNKNOWN, Example, KnownNames, NameBank, NamingSettings
from kineseg_core.naming.class_probabilities import ClassProbabilities

NAMES = st.text(min_size=1, max_size=64).filter(lambda name: name.isprintable() and name == name.strip())
POINTS = st.lists(st.floats(-1e9, 1e9, width=32), min_size=3, max_size=3)
EXAMPLES = st.lists(st.tuples(NAMES, st.sampled_from(["a", "b"]), st.sampled_from(["0", "1"]), POINTS), max_size=12)
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["models", "model", "sha256", "names", "point", "source"]), inner)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("banks") / "bank.json"


@given(EXAMPLES)
def test_a_bank_survives_its_file(path: Path, examples: list[tuple[str, str, str, list[float]]]) -> None:
    bank = NameBank()
    for name, model, sha256, point in examples:
        bank = bank.teach(name, model, sha256, Example.of(point, "somewhere"))
    bank.save(path)
    assert NameBank.load(path).entries == bank.entries
    # Every point has the name that it was given last, once.
    last = {(model, sha256, Example.of(point).point): name for name, model, sha256, point in examples}
    kept = {
        (taught.model, taught.sha256, example.point): taught.name
        for taught in bank.entries
        for example in taught.examples
    }
    assert kept == last
    assert sum(len(taught.examples) for taught in bank.entries) == len(last)
    for name in {taught.name for taught in bank.entries}:
        left, gone = bank.forget(name)
        assert gone == sum(len(taught.examples) for taught in bank.entries if taught.name == name)
        assert name not in {taught.name for taught in left.entries}


@settings(max_examples=300)
@given(st.binary() | WILD.map(lambda value: json.dumps({"schema_version": 1, "models": value}).encode()))
def test_a_wild_file_is_read_or_refused_with_its_name(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        bank = NameBank.load(path)
    except BadBank as error:
        assert str(path) in str(error)  # noqa: PT017 - either way is right
    else:
        assert all(taught.examples for taught in bank.entries)


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("[1e999]", "finite"),
        ("[NaN]", "finite"),
        ("[]", "at least one"),
        ("[true]", "must be numbers"),
        ('["1"]', "must be numbers"),
        ("[1" + "0" * 400 + "]", "not JSON"),
        ("[1" + "0" * 5000 + "]", "not JSON"),
    ],
)
def test_points_of_a_file_are_finite_numbers(path: Path, point: str, reason: str) -> None:
    entry = f'{{"model": "m", "sha256": "0", "names": {{"walking": [{{"point": {point}}}]}}}}'
    path.write_text(f'{{"schema_version": 1, "models": [{entry}]}}')
    with pytest.raises(BadBank, match=reason):
        NameBank.load(path)


def test_there_are_only_so_many_names_of_a_model() -> None:
    bank = NameBank()
    for i in range(256):
        bank = bank.teach(f"name {i}", "m", "0", Example((float(i),)))
    bank.teach("name 7", "m", "0", Example((0.5,)))
    bank.teach("another", "n", "0", Example((0.5,)))
    with pytest.raises(InvalidRequest, match="256 names already"):
        bank.teach("another", "m", "0", Example((0.5,)))


@given(
    points=st.lists(st.tuples(st.sampled_from("abc"), POINTS), max_size=8),
    point=POINTS,
    radius=st.floats(0, 1e9),
    ratio=st.floats(0, 1),
)
def test_a_name_is_near_and_clearly_nearer(
    points: list[tuple[str, list[float]]], point: list[float], radius: float, ratio: float
) -> None:
    known: KnownNames = pickle.loads(pickle.dumps(KnownNames(points)))
    name = known.nearest(np.array(point), NamingSettings(radius=radius, ratio=ratio))
    if name is UNKNOWN or not name.name:
        assert name == UNKNOWN
        return
    distances: dict[str, float] = {}
    for other, place in points:
        distance = float(np.linalg.norm(np.array(place) - point))
        distances[other] = min(distance, distances.get(other, np.inf))
    own = distances.pop(name.name)
    assert own <= radius * (1 + 1e-9)
    assert all(own <= ratio * distance * (1 + 1e-9) for distance in distances.values())
    assert 0.5 <= name.confidence <= 1.0


@given(
    frames=st.integers(0, 120), start=st.integers(0, 120), length=st.integers(0, 120), lag=st.integers(0, 20),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_probabilities_are_averaged_over_whole_blocks(
    frames: int, start: int, length: int, lag: int, seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (frames, 4))
    scores = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    probabilities = ClassProbabilities(4, rate_hz=30.0, block_s=0.1, horizon_s=2.0)  # blocks of 3 frames, 20 of them
    for row in scores:
        probabilities.update(row)
    got = probabilities.mean(start, start + length, lag)
    kept = frames // 3 * 3
    first = -(-(start + min(lag, length // 2)) // 3) * 3
    inside = np.arange(max(first, kept - 60), min(start + length, frames) // 3 * 3)
    if not len(inside):
        assert got is None
    else:
        assert got is not None
        np.testing.assert_allclose(got, np.exp(scores[inside]).mean(axis=0), rtol=1e-5)
        assert got.sum() == pytest.approx(1.0, abs=1e-4)
