"""The command `kineseg-train`, from recordings to a bundle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kineseg_training.commands import app
from kineseg_training.export.step import read_bundle
from typer.testing import CliRunner

SMALL = (
    *("--hidden", "8", "--source", "12", "--target", "6", "--shortest-source", "4", "--batch", "4", "--steps", "2"),
    *("--epochs", "2", "--tempo", "0.9", "1.1", "--quiet"),
)


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_from_recordings_to_a_bundle(recordings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert "best epoch" in run("fit", folder, "--data", recordings, *SMALL)
    assert json.loads((folder / "recipe.json").read_text())["augmentation"]["tempo"] == [0.9, 1.1]
    assert "--resume" in run("fit", folder, "--data", recordings, *SMALL, status=1)
    assert "best epoch" in run("fit", folder, "--data", recordings, *SMALL, "--resume")

    out = tmp_path / "mine.zip"
    words = ("--name", "mine", "--description", "Our own.", "--licence", "Ours.", "--segmenter", "penalty=2.5")
    assert "wrote" in run("export", folder, out, "--dimensions", 5, "--block", "speed", "--block", "pose", *words)
    manifest = read_bundle(out).manifest
    assert (manifest.name, manifest.embedding_dim, manifest.licence) == ("mine", 5, "Ours.")
    assert dict(manifest.calibration.segmenter) == {"penalty": 2.5}


def test_data_that_has_moved(recordings: Path, tmp_path: Path) -> None:
    before = tmp_path / "before" / "takes"
    before.mkdir(parents=True)
    for path in recordings.glob("legs/*.npz"):
        (before / path.name).write_bytes(path.read_bytes())
    run("fit", tmp_path / "run", "--data", before, *SMALL)
    after = tmp_path / "after" / "takes"
    after.parent.mkdir()
    before.rename(after)
    message = run("export", tmp_path / "run", tmp_path / "b", "--dimensions", 4, status=1)
    assert "no such folder" in message
    run("export", tmp_path / "run", tmp_path / "b", "--dimensions", 4, "--data", after)
    assert (tmp_path / "b" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--epochs", "0"], "epochs must be at least 1"),
        (["--cell", "transformer"], "cell must be 'gru' or 'lstm'"),
        (["--tempo", "2", "1"], "slower first"),
        (["--device", "nonsense"], "device: 'nonsense'"),
        (["--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_bad_options_end_with_a_sentence(recordings: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    data = [] if "--data" in arguments else ["--data", str(recordings)]
    output = run("fit", tmp_path / "run", *SMALL, *data, *arguments, status=1)
    assert says in " ".join(output.split())
    assert "Traceback" not in output


def test_errors_of_the_other_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "train first" in run("export", tmp_path, tmp_path / "b", status=1)
    monkeypatch.chdir(tmp_path)
    assert "run in the root of the checkout" in " ".join(run("default", status=1).split())
    assert "has no folder 'train'" in run("default", tmp_path / "b", "--data", tmp_path, status=1)
    output = run("evaluate", "--bundle", tmp_path, "--data", tmp_path, "--eval-dir", tmp_path, status=1)
    assert "has no cmu86_dev.json" in output


@pytest.mark.parametrize(
    "command",
    [
        ("composite", "variants"),
        ("composite", "extrapolation"),
        ("composite", "few-labels-optimiser"),
        ("interpret", "layers"),
        ("recognition", "recognise"),
        ("recognition", "transfer"),
    ],
    ids=" ".join,
)
def test_an_experiment_without_clips_says_where_to_name_them(command: tuple[str, str], tmp_path: Path) -> None:
    # What such a command runs is known by name alone and imported late: here it is found and begins.
    output = run(*command, tmp_path / "out", "--preset", "tiny", "--cmu", tmp_path, "--quiet", status=1)
    assert "name the folder of the CMU clips with --cmu" in " ".join(output.split())
    assert "expected one of tiny, small, full" in run(*command, tmp_path / "out", "--preset", "huge", status=2)


def test_a_setting_of_the_segmenter_is_a_number(recordings: Path, tmp_path: Path) -> None:
    run("fit", tmp_path / "run", "--data", recordings, *SMALL)
    assert "NAME=NUMBER" in run("export", tmp_path / "run", tmp_path / "b", "--segmenter", "penalty", status=2)


@pytest.mark.parametrize("missing", ["torch", "tqdm"])
def test_a_plain_install_names_the_extra(missing: str) -> None:
    # A name that stands for None in sys.modules cannot be imported, as if it were not installed.
    program = f"import sys; sys.modules[{missing!r}] = None; from kineseg_training.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert 'pip install "kineseg[training]"' in line
