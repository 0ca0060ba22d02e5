"""Exhibits are kept whole, and refuse what a page could not show."""

from __future__ import annotations

from pathlib import Path

import pytest
from kineseg_training.errors import SettingsError
from kineseg_training.report.contents import ENTRIES, PARTS, chosen
from kineseg_training.studies.exhibit import Exhibit, Picture, Table

EXHIBIT = Exhibit(
    title="A title",
    paper="Somebody 2015",
    command="kineseg-train something",
    findings=("One.", "Two."),
    agreement="partly",
    verdict="It does, a little.",
    pictures=(Picture("one.png", "What it shows."),),
    tables=(Table(("a", "b"), (("x", 0.12345), ("y", 2)), "What it holds."),),
    figures={"accuracy": 0.5},
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"one\.png was not made"):
        EXHIBIT.save(tmp_path)
    (tmp_path / "one.png").write_bytes(b"\x89PNG")
    EXHIBIT.save(tmp_path)
    assert Exhibit.load(tmp_path) == EXHIBIT


def test_the_terminal_sees_findings_tables_and_verdict() -> None:
    text = EXHIBIT.text()
    for said in ("A title", "Two.", "x  0.123", "What it holds.", "Somebody 2015: partly. It does, a little."):
        assert said in text


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(SettingsError, match="a row of 1 cells under 2 columns"):
        Table(("a", "b"), (("x",),), "")


def test_experiments_are_chosen_by_key_and_family() -> None:
    assert chosen((), (), ()) == ENTRIES
    assert {entry.part for entry in ENTRIES} == {part.letter for part in PARTS}
    assert [entry.key for entry in chosen(("gradcam", "clips"), (), ())] == ["clips", "gradcam"]
    assert "clips" not in [entry.key for entry in chosen((), ("clips",), ())]
    assert all(set(entry.families) <= {"stgcn"} for entry in chosen((), (), ("stgcn",)))
    with pytest.raises(SettingsError, match="only: there is no dance; there are clips"):
        chosen(("dance",), (), ())
    with pytest.raises(SettingsError, match="leave no experiment"):
        chosen(("clips",), ("clips",), ())
