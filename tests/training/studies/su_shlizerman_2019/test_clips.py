"""Case (i) as a user runs it, at tiny size: on clips in the CMU layout, and on files in the Human3.6M layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kineseg_training.commands import app
from kineseg_training.studies.exhibit import EXHIBIT_FILE, Exhibit, RunContext
from kineseg_training.studies.su_shlizerman_2019.clips.run import Case, clips
from typer.testing import CliRunner

PICTURES = {"clips_cuts.png", "clips_states.png", "clips_scores.png"}


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["baseline", "clips", *map(str, arguments), "--quiet"])
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def h36m(tmp_path: Path) -> Path:
    """Two actions that differ in posture and rhythm, two takes of each."""
    time = np.arange(160)[:, None]
    for number, action in enumerate(("sitting", "walking")):
        for take in (1, 2):
            rng = np.random.default_rng((number, take))
            posture, phase = np.random.default_rng(number).normal(size=(1, 99)), rng.uniform(0, 6, size=(1, 99))
            file = tmp_path / "h36m" / f"S{take}" / f"{action}_1.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savetxt(file, posture + 0.1 * np.sin(time / (3 + 5 * number) + phase), delimiter=",", fmt="%.5f")
    return tmp_path / "h36m"


def test_clips_of_the_cmu_actions(cmu_folder: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path, "tiny", cmu_folder, progress=False)
    case = {"two": Case(("running", "walking"), adversarial=True, root=False)}
    exhibit = clips(context, case)
    exhibit.save(tmp_path)
    assert Exhibit.load(tmp_path) == exhibit
    assert {picture.file for picture in exhibit.pictures} == PICTURES
    assert all((tmp_path / name).stat().st_size > 10_000 for name in PICTURES)
    clusters, simpler, cuts = exhibit.tables
    assert [row[:3] for row in clusters.rows] == [("two", "single", 2), ("two", "average", 2)]
    assert exhibit.figures["two_single_ari"] == clusters.rows[0][3]
    assert cuts.rows[0][1] == 1
    assert all(-1 <= cell <= 1 for cell in simpler.rows[0][1:] if isinstance(cell, float))
    assert "given" in clusters.caption
    again = clips(context, case)  # what is trained there is read
    assert again == exhibit


def test_the_command_on_the_human36m_layout(h36m: Path, tmp_path: Path) -> None:
    words = ("--clips", h36m, "--preset", "tiny", "--iterations", 60, "--learning-rate", 0.01)
    out = tmp_path / "out"
    said = run(out, *words, "--num-actions", 2, "--total-num-actions", 4)
    assert "Concatenated Human3.6M clips" in said
    exhibit = Exhibit.load(out)
    assert (out / EXHIBIT_FILE).is_file()
    assert exhibit.tables[2].rows[0][1] == 3  # four stretches, three true boundaries
    # Actions so unlike are separated by their poses, and by the states too.
    assert exhibit.tables[1].rows[0][5] == 1.0
    assert exhibit.figures["2_actions_drawn_average_ari"] > 0.8
    other = tmp_path / "other"
    run(other, *words, "--num-actions", 2, "--total-num-actions", 4)
    assert Exhibit.load(other).figures == exhibit.figures


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--actions", "walking,flying"), "there is no flying here; there are sitting, walking"),
        (("--actions", "walking"), "at least two"),
        (("--num-actions", 5), "2 actions only"),
        (("--actions", "walking,sitting", "--num-actions", 3), "give one of the two"),
        (("--actions", "walking,sitting", "--total-num-actions", 1), "total_num_actions"),
        (("--actions", "walking,sitting", "--source", 70), "shorter than a window of 82"),
        (("--actions", "walking,sitting", "--target", 0), "target"),
    ],
)
def test_what_cannot_be_done_is_said(h36m: Path, tmp_path: Path, words: tuple[object, ...], said: str) -> None:
    common = ("--clips", h36m, "--preset", "tiny", "--iterations", 1)
    assert said in " ".join(run(tmp_path / "out", *common, *words, status=1).split())
