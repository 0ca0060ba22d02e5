"""The experiments at their smallest, by their commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kineseg_training.commands import app
from kineseg_training.loop import LAST
from kineseg_training.studies.exhibit import Exhibit
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a report: experiments side by side share a network."""
    return tmp_path_factory.mktemp("report")


def run(name: str, out: Path, cmu: Path, bvh: Path) -> Exhibit:
    arguments = ["recognition", name, str(out), "--preset", "tiny", "--cmu", str(cmu), "--bvh", str(bvh), "--quiet"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return Exhibit.load(out)


def test_recognise_tells_accuracy_calibration_and_what_is_unknown(
    folder: Path, cmu_folder: Path, bvh_folder: Path
) -> None:
    found = run("recognise", folder / "recognise", cmu_folder, bvh_folder)
    assert all((folder / "recognise" / picture.file).stat().st_size > 10_000 for picture in found.pictures)
    assert 0.0 <= found.figures["balanced_accuracy"] <= 1.0
    # Not the network's doing, and so the same whatever it learnt.
    assert found.figures["nearest_neighbour_balanced_accuracy"] > 0.6
    assert [row[0] for row in found.tables[0].rows][:2] == ["basketball", "basketball_signal"]
    assert {row[0] for row in found.tables[1].rows} == {
        "probability of the chosen action",
        "cosine with the nearest training window",
    }
    assert "washwindow there is one take only" in found.findings[0]


def test_transfer_measures_every_number_of_blocks_and_goes_on_where_it_was(
    folder: Path, cmu_folder: Path, bvh_folder: Path
) -> None:
    out = folder / "transfer"
    found = run("transfer", out, cmu_folder, bvh_folder)
    assert [row[0] for row in found.tables[0].rows] == [
        "classifier alone",
        "last 2",
        "all 3 blocks",
        "all, from random weights",
    ]
    results = {path.parent.name: json.loads(path.read_text()) for path in (out / "runs").glob("*/result.json")}
    assert set(results) == {"last0-seed0", "last2-seed0", "last3-seed0", "random-seed0"}
    frozen, late, all_ = (results[f"last{n}-seed0"]["smoothness"] for n in (0, 2, 3))
    assert frozen["block1"] == late["block1"] != all_["block1"]
    assert frozen["block3"] != late["block3"]
    trained = {path: path.stat().st_mtime_ns for path in out.glob(f"runs/*/{LAST}")}
    (out / "runs/last2-seed0/result.json").unlink()
    assert run("transfer", out, cmu_folder, bvh_folder) == found
    assert {path: path.stat().st_mtime_ns for path in trained} == trained


def test_a_wrong_action_is_an_error_of_one_line(tmp_path: Path, cmu_folder: Path) -> None:
    arguments = ["recognition", "train", str(tmp_path / "run"), "--preset", "tiny", "--cmu", str(cmu_folder)]
    done = CliRunner().invoke(app, [*arguments, "--actions", "walking,flying"])
    assert done.exit_code == 1
    assert "error: actions: there is no flying here; there are basketball" in done.output
    done = CliRunner().invoke(app, [*arguments, "--data", "nonsense"])
    assert done.exit_code == 1
    assert "expected cmu or bvh" in done.output
