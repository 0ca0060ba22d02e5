"""The whole command on a tiny selection, with the real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.quality.__main__ import main
from evaluation.quality.measure import FINAL, PROVISIONAL, MethodResult, SetResult
from evaluation.quality.scores import StreamScore
from evaluation.quality.targets import DELAY, outcomes


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_a_table_and_pictures_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--sets", "generated", "--streams", "2", "--peers", "none"]
    assert main([*chosen, "--out", str(tmp_path / "out"), "--docs", str(tmp_path / "docs")]) == 0
    printed = capsys.readouterr().out
    assert FINAL in printed
    assert "generated" in printed
    figures = json.loads((tmp_path / "out" / "quality.json").read_text())
    found = figures["sets"]["generated"]
    rows = {row["method"]: row for row in found["rows"]}
    assert set(rows) == {
        FINAL, PROVISIONAL, "ORACLE: true boundaries + our labels", "ORACLE: true boundaries + nearest centroid",
        "blind cut every 7 s", "one label, no boundary",
    }  # fmt: skip
    assert rows[FINAL]["bf1"] > rows["blind cut every 7 s"]["bf1"] > rows["one label, no boundary"]["bf1"] == 0.0
    assert rows[FINAL]["frames_per_s"] > 0
    assert rows[FINAL]["delay_s"] < 5.0
    assert len(found["streams"]) == 2
    page = (tmp_path / "docs" / "quality.md").read_text()
    assert page == (tmp_path / "out" / "quality.md").read_text()
    assert "tuned on what" in page
    for name in ("generated.png", *(f"generated-{stream}.png" for stream in found["streams"])):
        assert (tmp_path / "out" / "quality" / name).stat().st_size > 1000
    assert (tmp_path / "docs" / "quality" / "generated.png").is_file()
    assert not list((tmp_path / "docs" / "quality").glob("generated-*.png"))


def test_a_missing_bundle_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--sets", "generated", "--streams", "1", "--peers", "none", "--out", str(tmp_path)]
    assert main([*arguments, "--bundle", str(tmp_path / "nothing")]) == 1
    assert "nothing" in capsys.readouterr().err


def test_targets_are_met_missed_or_not_measured() -> None:
    result = SetResult("takes", [MethodResult(FINAL, StreamScore({"bf1": 0.96, "mof": 0.5}, ()), 6)])
    result.rows.append(MethodResult(PROVISIONAL, StreamScore({"bf1": 0.8}, (0.5, 0.6, 2.0)), 6))
    by_name = {(each.target.method, each.target.figure): each for each in outcomes([result])}
    assert by_name[FINAL, "bf1"].met
    assert not by_name[FINAL, "mof"].met
    assert by_name[FINAL, "ari"].value is None
    assert not by_name[FINAL, "ari"].met
    assert by_name[PROVISIONAL, DELAY].met
    assert {each.target.set_name for each in by_name.values()} == {"takes"}
