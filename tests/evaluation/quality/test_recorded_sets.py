"""Real streams with annotation by people: scored as the shared script does, and what no one labelled counts nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording

from evaluation.quality.errors import QualityError
from evaluation.quality.peers import blind
from evaluation.quality.places import eval_folder
from evaluation.quality.scores import Prediction, mean, score_stream
from evaluation.quality.sets import SETS, load
from evaluation.quality.sets.recorded import LABELS
from evaluation.quality.stream import AnnotatedStream

RECORDED = {"mocap6": "", "utkinect": "", "gesturephase": "scratch", "hapt": "scratch", "actrectut": "scratch",
            "skab": "scratch"}  # fmt: skip
COLUMNS = {"bf1@0.5s": "bf1", "bp@0.5s": "precision", "br@0.5s": "recall"}
FACTS = {
    "fps": 10.0, "n_frames": 40, "segments": [[0, 10, "a"], [10, 25, "(unlabelled)"], [25, 40, "b"]],
    "transitions": [[8, 10, 12], [23, 25, 27]], "ignore": [[10, 25]],
}  # fmt: skip


@pytest.mark.data
@pytest.mark.usefixtures("real_data", "scoring_scripts")
@pytest.mark.parametrize("name", RECORDED)
def test_scores_are_those_of_the_shared_script(name: str, tmp_path: Path) -> None:
    scores = []
    for stream in load(name):
        assert stream.model == RECORDED[name]
        found = blind(stream)
        later = found.emitted + round(stream.rate)
        rows = [{"frame": int(a), "emitted_frame": int(b)} for a, b in zip(found.boundaries, later, strict=True)]
        assert found.labels is not None
        said = {"fps": stream.rate, "n_frames": stream.n_frames, "boundaries": rows, "labels": found.labels.tolist()}
        (tmp_path / f"{stream.name}.json").write_text(json.dumps(said))
        scores.append(score_stream(stream, Prediction(found.boundaries, later, found.labels)))
    script = [sys.executable, str(eval_folder() / "score_more.py"), name, str(tmp_path), "--json"]
    printed = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    by_script = json.loads(printed)["mean"]
    ours = mean(scores).shares
    for column, value in by_script.items():
        if (figure := COLUMNS.get(column, column)) in ours:
            assert ours[figure] == pytest.approx(value), column
    assert set(ours) == {COLUMNS.get(column, column) for column in by_script} - {"nmi", "delay_ms"}


def write(folder: Path, facts: dict[str, object], frames: int = 40) -> None:
    folder.mkdir(exist_ok=True)
    (folder / LABELS).write_text(json.dumps({"streams": {"one": facts}}))
    np.savez(folder / "one.npz", frames=np.zeros((frames, 2)), channels=np.array(["x", "y"]), rate=10.0)


def test_a_stream_has_what_its_labels_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(tmp_path))
    write(tmp_path / "skab", FACTS)
    (stream,) = load("skab")
    assert stream.truth.tolist() == [[8, 10, 12], [23, 25, 27]]
    assert stream.ignore == ((10, 25),)
    assert stream.labels is not None
    assert [stream.actions[label] for label in stream.labels[[0, 9, 10, 24, 25, 39]]] == [
        "a", "a", "(unlabelled)", "(unlabelled)", "b", "b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({**FACTS, "n_frames": 41}, "41 at 10 were annotated"),
        ({**FACTS, "fps": 30.0}, "40 at 30 were annotated"),
        ({**FACTS, "segments": [[0, 10, "a"], [12, 40, "b"]]}, "do not follow one another"),
        ({**FACTS, "segments": [[0, 10, "a"], [10, 30, "b"]]}, "do not follow one another"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, object], said: str
) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(tmp_path))
    write(tmp_path / "skab", facts)
    with pytest.raises(QualityError, match=said):
        load("skab")


def test_missing_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(tmp_path))
    (tmp_path / "skab").mkdir()
    with pytest.raises(QualityError, match=r"labels\.json"):
        load("skab")
    write(tmp_path / "skab", FACTS)
    (tmp_path / "skab" / "one.npz").unlink()
    with pytest.raises(QualityError, match=r"one\.npz"):
        load("skab")


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_what_no_one_labelled_counts_nowhere() -> None:
    recording = Recording(np.zeros((400, 1)), 10.0, ("value",), name="made")
    labels = np.repeat([0, 1, 2], [100, 150, 150])
    truth = np.array([[98.0, 100, 102], [248, 250, 252]])
    stream = AnnotatedStream("made", "made", recording, truth, labels, ("a", "?", "b"), ignore=((100, 250),))
    said = np.repeat([0, 7, 8, 2], [100, 50, 100, 150])
    score = score_stream(stream, Prediction.of([(100, 100), (150, 150), (250, 250)], 400, said))
    assert all(share == pytest.approx(1.0) for share in score.shares.values())


def test_sets_have_families() -> None:
    together = [{name for name, each in SETS.items() if each.family == SETS[one].family} for one in ("takes", "hapt")]
    assert together[0] == {"takes", "tempo-0.6", "tempo-0.8", "tempo-1.25", "tempo-1.6", "mocap6"}
    assert together[1] == {"gesturephase", "hapt", "actrectut"}
