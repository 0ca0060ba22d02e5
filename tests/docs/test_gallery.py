"""The examples of the gallery run, draw, and show what they say that they show."""

from __future__ import annotations

import runpy
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kineseg
import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "gallery").glob("[0-9]*.py"))
Names = dict[str, Any]


def _phone(names: Names) -> bool:
    starts = [segment.start_time_s for segment in names["found"].segments]
    return len(starts) == 7 and len({segment.label for segment in names["found"].segments[1:]}) == 3


def _arm(names: Names) -> bool:
    return any(isinstance(event, kineseg.AnomalyCleared) and event.channels == ("axis 4",) for event in names["events"])


def _alertmanager(names: Names) -> bool:
    return names["PROGRAM"] is None or any(texts for _, texts in names["seen"])


SHOWN: dict[str, Callable[[Names], bool]] = {
    "01_phone_accelerometer": _phone,
    "02_repetitions": lambda names: [len(peaks) for _, peaks in names["counted"]] == [4, 0, 10, 0, 4, 0, 10],
    "03_robot_arm": _arm,
    "04_same_move_twice": lambda names: len({segment.label for segment in names["found"].segments}) == 5,
    "05_teach_names": lambda names: {"walk", "squat", "jumping_jacks"} <= {s.name for s in names["found"].segments},
    "06_alertmanager": _alertmanager,
    "07_archive_search": lambda names: {names["done_in"](names["table"][i]) for i in names["nearest"]} == {"kick"},
    "08_two_performers": lambda names: names["far"].shape == (6, 6),
    "09_your_own_model": lambda names: [segment.label for segment in names["found"].segments] == [0, 1, 2, 0, 2, 1],
    "10_your_own_sink": lambda names: [on for _, on, _ in names["lamp"].history] == [True, False, True, False],
}


@pytest.fixture(autouse=True)
def _no_traces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No windows are opened, and no files are left behind."""
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_shows_what_it_says(example: Path) -> None:
    names = runpy.run_path(str(example), run_name="gallery")
    assert plt.get_fignums()
    assert SHOWN[example.stem](names)


def test_every_example_is_here() -> None:
    assert {example.stem for example in EXAMPLES} == set(SHOWN)
