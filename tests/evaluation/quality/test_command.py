"""The whole command on a tiny selection, with the real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kineseg_core.inference.bundle import packaged_bundle

from evaluation.quality.__main__ import main
from evaluation.quality.options import parse, with_alerts
from evaluation.quality.results import FINAL, PROVISIONAL


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_tables_and_pictures_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--sets", "generated", "--streams", "2", "--peers", "none"]
    assert main([*chosen, "--out", str(tmp_path / "out"), "--docs", str(tmp_path / "docs")]) == 0
    printed = capsys.readouterr().out
    assert FINAL in printed
    assert "* not left out: generated: the generator's actions are in the training streams" in printed
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
    assert page.index("## Leave one set out") < page.index("## Targets") < page.index("## All figures")
    for name in ("generated.png", *(f"generated-{stream}.png" for stream in found["streams"])):
        assert (tmp_path / "out" / "quality" / name).stat().st_size > 1000
    assert (tmp_path / "docs" / "quality" / "generated.png").is_file()
    assert not list((tmp_path / "docs" / "quality").glob("generated-*.png"))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["generated bf1"] == {
        "value": rows[FINAL]["bf1"], "asked": 0.95, "holds": rows[FINAL]["bf1"] >= 0.95
    }  # fmt: skip
    assert summary["takes bf1"] == {"value": None, "asked": 0.92, "holds": False}


@pytest.mark.data
@pytest.mark.usefixtures("real_data", "scoring_scripts")
def test_a_family_runs_with_the_bundle_that_was_made_without_it_and_peers_are_remembered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = packaged_bundle()
    assert bundle is not None
    (tmp_path / "without").symlink_to(bundle)
    arguments = [
        "--sets", "generated", "gesturephase", "--streams", "1", "--peers", "fast", "--no-pictures", "--left-out",
        f"generated={tmp_path / 'without'}", "--out", str(tmp_path),
    ]  # fmt: skip
    assert main(arguments) == 0
    first = json.loads((tmp_path / "quality.json").read_text())
    found = first["sets"]["generated"]
    assert (found["left_out"], found["bundle"], found["seen"]) == (True, "without", "")
    assert first["sets"]["gesturephase"]["left_out"] is False
    assert first["verdict"]["sets"] == 2
    assert "not left out: generated" not in capsys.readouterr().out
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "peers-cache").rglob("*.npz")}
    assert len(kept) == 6  # three peers on a stream of either set
    assert main([*arguments, "--sets", "generated"]) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    again = json.loads((tmp_path / "quality.json").read_text())["sets"]["generated"]
    peers = [[row for row in rows if row["kind"] == "peer"] for rows in (found["rows"], again["rows"])]
    assert peers[0] == peers[1]


def test_alerts_are_measured_with_all_sets_or_where_they_are_asked_for() -> None:
    assert with_alerts(parse([]))
    assert not with_alerts(parse(["--no-alerts"]))
    assert not with_alerts(parse(["--sets", "takes"]))
    assert with_alerts(parse(["--sets", "takes", "--alerts"]))


@pytest.mark.parametrize("text", ["generated", "generated=", "nothing=bundle"])
def test_a_family_that_there_is_not_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--left-out", text])
    assert "expected FAMILY=BUNDLE" in capsys.readouterr().err


def test_a_missing_bundle_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--sets", "generated", "--streams", "1", "--peers", "none", "--out", str(tmp_path)]
    assert main([*arguments, "--bundle", str(tmp_path / "nothing")]) == 1
    assert "nothing" in capsys.readouterr().err


def test_a_budget_that_the_server_does_not_offer_is_refused_in_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--sets", "generated", "--streams", "1", "--peers", "none", "--no-pictures", "--out", str(tmp_path)]
    assert main([*chosen, "--latency", "60"]) == 1
    assert "generated/synthetic-300: the server refused" in capsys.readouterr().err
