"""Evaluating a bundle through the real server, on a take made up for the purpose."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from kineseg_training.data import Augmentation, Corpus
from kineseg_training.default.export import ExportSettings, export
from kineseg_training.default.recipe import default_corpora
from kineseg_training.default.task import FitSettings
from kineseg_training.default.trained import fit
from kineseg_training.errors import BundleError, EvaluationError
from kineseg_training.export.metric import MetricSettings
from kineseg_training.files import find_beside
from kineseg_training.studies.service.evaluate import evaluate
from scipy.io import savemat

N_FRAMES = 2400


@pytest.fixture(scope="module")
def unscored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as that of the scoring scripts, with the annotation of our own take, whose scripts only fail."""
    folder = tmp_path_factory.mktemp("eval")
    for name in ("score.py", "metrics.py"):
        (folder / name).write_text("raise SystemExit('cannot score')\n")
    take = {"n_frames": N_FRAMES, "transitions": [[1150, 1200, 1250]], "label_ids": [0, 1], "names": ["small", "large"]}
    (folder / "cmu86_dev.json").write_text(json.dumps({"fps": 120, "takes": {"01": take}}))
    return folder


@pytest.fixture(scope="module")
def eval_dir(unscored: Path, scoring_scripts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scoring scripts, with the annotation of our own take instead of the real ones."""
    folder = tmp_path_factory.mktemp("eval")
    shutil.copy(unscored / "cmu86_dev.json", folder)
    for name in ("score.py", "metrics.py"):
        shutil.copy(scoring_scripts / name, folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One take in the 96-column layout: small movements for ten seconds, then large ones of another tempo for ten."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "subject_86").mkdir()
    t = np.arange(N_FRAMES)[:, None] / 120.0
    channels = 0.1 * np.sin(2 * np.pi * 0.8 * t + np.arange(96.0))
    channels[1200:, 3:] = 0.5 * np.sin(2 * np.pi * 1.2 * t[1200:] + np.arange(93.0) % 7)
    channels[:, 1] += 17.0
    savemat(folder / "subject_86" / "01.mat", {"expmapchannels": channels})
    return folder


@pytest.fixture(scope="module")
def bundle(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    settings = FitSettings(
        hidden=8, source=12, target=6, shortest_source=4, batch=4, steps=2, epochs=1, augmentation=Augmentation()
    )
    checkpoint = fit(corpus, settings, folder / "run", progress=False)
    return export(checkpoint, corpus, folder / "b", ExportSettings(metric=MetricSettings(dimensions=8)))


@pytest.mark.data
def test_a_clear_change_is_found_and_scored(bundle: Path, data: Path, eval_dir: Path, tmp_path: Path) -> None:
    result = evaluate(bundle, data, eval_dir, tmp_path / "predictions")
    assert set(result.takes) == {"01", "mean"}
    assert result.takes["01"]["bf1@0.5s"] > 0.5
    assert result.takes["01"]["mof"] > 0.6  # one label for everything has 0.5
    assert result.prediction is None  # there are no held-out clips in this data

    prediction = json.loads((tmp_path / "predictions" / "01.json").read_text())
    assert (prediction["fps"], prediction["n_frames"], prediction["online"]) == (120, N_FRAMES, True)
    assert len(prediction["labels"]) == N_FRAMES
    assert min(abs(boundary["frame"] - 1200) for boundary in prediction["boundaries"]) <= 110
    late = [boundary["emitted_frame"] - boundary["frame"] for boundary in prediction["boundaries"]]
    assert min(late) >= 0
    assert result.takes["mean"]["max_delay_s"] == pytest.approx(max(late) / 120)
    assert result.plain()["takes"]["01"]["mof"] == result.takes["01"]["mof"]
    lines = result.table().splitlines()
    assert [line.split()[0] for line in lines] == ["take", "01", "mean"]
    assert f"{100 * result.takes['01']['mof']:.1f}" == lines[1].split()[1]


@pytest.mark.data
def test_prediction_is_measured_where_there_are_clips(
    bundle: Path, data: Path, eval_dir: Path, cmu_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "subject_86").symlink_to(data / "subject_86")
    (tmp_path / "test" / "walking").mkdir(parents=True)
    (tmp_path / "test" / "walking" / "1.txt").symlink_to(cmu_folder / "test" / "walking" / "walking_1.txt")
    result = evaluate(bundle, tmp_path, eval_dir, tmp_path / "predictions")
    assert result.prediction is not None
    assert 0.0 < result.prediction.zero_velocity_one_step < result.prediction.zero_velocity_rollout
    assert "nothing moves" in result.table()


def test_what_is_missing_is_named(bundle: Path, data: Path, unscored: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"cmu86_dev\.json.*--eval-dir"):
        evaluate(bundle, data, tmp_path, tmp_path)
    with pytest.raises(BundleError, match="not a bundle"):
        evaluate(tmp_path, data, unscored, tmp_path)
    with pytest.raises(EvaluationError, match=r"01\.mat"):
        evaluate(bundle, tmp_path, unscored, tmp_path / "out")
    with pytest.raises(EvaluationError, match="cannot score"):
        evaluate(bundle, data, unscored, tmp_path / "out")


def test_another_take_than_was_annotated(bundle: Path, data: Path, unscored: Path, tmp_path: Path) -> None:
    shutil.copytree(unscored, tmp_path / "eval")
    facts = json.loads((unscored / "cmu86_dev.json").read_text())
    facts["takes"]["01"]["n_frames"] += 1
    (tmp_path / "eval" / "cmu86_dev.json").write_text(json.dumps(facts))
    with pytest.raises(EvaluationError, match="has 2400 frames, but 2401 were annotated"):
        evaluate(bundle, data, tmp_path / "eval", tmp_path / "out")


def test_a_server_that_does_not_start_is_quoted(bundle: Path, data: Path, unscored: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bundle, broken)
    (broken / "README.md").write_text("not what was hashed")
    with pytest.raises(EvaluationError, match=r"(?s)server did not start.*README\.md"):
        evaluate(broken, data, unscored, tmp_path / "out")


def test_folders_are_found_beside_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KINESEG_EVAL", raising=False)
    inside = tmp_path / "checkout" / "package" / "module.py"
    with pytest.raises(EvaluationError, match="set KINESEG_EVAL"):
        find_beside(inside, "no-such-folder", "KINESEG_EVAL")
    (tmp_path / "shared" / "eval").mkdir(parents=True)
    assert find_beside(inside, "eval", "KINESEG_EVAL") == tmp_path / "shared" / "eval"
    monkeypatch.setenv("KINESEG_EVAL", "elsewhere")
    assert find_beside(inside, "eval", "KINESEG_EVAL") == Path("elsewhere")


def test_the_shipped_recipe_reads_no_take_of_subject_86(cmu_folder: Path) -> None:
    training, held_out = default_corpora(cmu_folder)
    names = [clip.name for corpus in (training, held_out) for clip in corpus.clips]
    assert len(training.clips) == len(list((cmu_folder / "train").rglob("*.txt")))
    assert not [name for name in names if "86" in name]
    assert not {clip.name for clip in training.clips} & {clip.name for clip in held_out.clips}
