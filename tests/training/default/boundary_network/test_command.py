"""`kineseg-train boundary-network`, trained on very little."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnxruntime as ort
import pytest
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_training.commands import app
from kineseg_training.default.boundary_network.export import INPUTS
from kineseg_training.default.boundary_network.streams.library import SOURCES
from typer.testing import CliRunner


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["boundary-network", *map(str, arguments), "--quiet"])
    assert result.exit_code == status, result.output
    return result.output


def test_the_command_writes_a_network_and_again_the_same_one(recordings_folder: Path, tmp_path: Path) -> None:
    first, second, other = (tmp_path / f"{name}.onnx" for name in ("first", "second", "other"))
    few = ("--data", recordings_folder, "--streams", 3, "--steps", 4, "--leave-out", "generated")
    words = run(first, *few)
    assert "of 3 streams" in words
    assert f"wrote {first}" in words
    session = ort.InferenceSession(first, providers=["CPUExecutionProvider"])
    assert tuple(one.name for one in session.get_inputs()) == INPUTS
    run(second, *few)
    assert second.read_bytes() == first.read_bytes()
    run(other, *few, "--leave-out", "clips", "--seed", 1)
    assert other.read_bytes() != first.read_bytes()


def test_without_recordings_their_folder_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(tmp_path))
    out = tmp_path / "a.onnx"
    assert "name their folder with --data" in run(out, "--streams", 1, "--steps", 2, status=1)
    without = [word for source in SOURCES for word in ("--leave-out", source)]
    run(out, "--streams", 1, "--steps", 2, *without)
    assert out.is_file()


def test_what_cannot_be_trained_is_said(recordings_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.onnx"
    unknown = run(out, "--leave-out", "music", status=1)
    assert (
        "error: leave-out: there is no source music; choose from clips, generated, takes, mocap6, gesturephase"
        in unknown
    )
    assert "has no clips" in run(out, "--data", tmp_path, "--streams", 1, "--steps", 2, status=1)
    assert "streams must be at least 1" in run(out, "--data", recordings_folder, "--streams", 0, status=1)
    assert "steps must be at least 2" in run(out, "--data", recordings_folder, "--steps", 1, status=1)
    assert "seed must not be negative" in run(out, "--data", recordings_folder, "--seed", -1, status=1)
    assert "there is no folder" in run(tmp_path / "no" / "a.onnx", status=1)
    assert not out.exists()


def test_a_network_put_into_a_bundle_has_its_hash_and_its_credit(recordings_folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    path = packaged_bundle()
    assert path is not None
    shutil.copytree(path, bundle)
    before = (bundle / "README.md").read_text()
    few = ("--data", recordings_folder, "--streams", 2, "--steps", 2, "--leave-out", "generated")
    run(bundle, *few)
    loaded = load_bundle(bundle)  # checks all hashes
    network = loaded.boundary_network
    assert network is not None
    assert network.graph == (bundle / "boundary_network.onnx").read_bytes()
    assert network.graph != (path / "boundary_network.onnx").read_bytes()
    card = (bundle / "README.md").read_text()
    assert card.count("## Boundary network") == 1
    assert "CC BY 4.0" in card
    assert before.split("## Boundary network")[0].strip() in card
    assert "is no bundle" in run(tmp_path, *few, status=1)
