"""The comparison of embeddings: its figures, its corpora, its command."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from kineseg_core.segmenter import SegmenterSettings

from evaluation.quality.embeddings.__main__ import main
from evaluation.quality.embeddings.corpus import SEEN_KINDS, UNSEEN_KINDS, generated_material, unseen_streams
from evaluation.quality.embeddings.report import EmbeddingResult, paired, table
from evaluation.quality.embeddings.score import EmbeddingStream, figures, towards_truth
from evaluation.quality.metrics import metrics_module


@pytest.fixture(scope="module")
def metrics(scoring_scripts: Path) -> ModuleType:
    """The module of metrics."""
    assert scoring_scripts.is_dir()
    return metrics_module()


@pytest.fixture(scope="module")
def scene() -> EmbeddingStream:
    return EmbeddingStream.of(unseen_streams(1)[0])


def _informative(scene: EmbeddingStream, noise: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """An embedding that shows the true action, and noise."""
    rng = np.random.default_rng(0)
    return np.eye(8)[scene.labels] + noise * rng.standard_normal((len(scene.labels), 8))


@pytest.mark.data
def test_an_embedding_that_shows_the_action_scores_high(scene: EmbeddingStream, metrics: ModuleType) -> None:
    clear = figures(scene, _informative(scene, 0.1), SegmenterSettings(), metrics)
    assert clear["bf1"] > 90.0
    assert clear["mof"] > 95.0
    assert clear["mof_true_cuts"] > 99.0
    assert clear["scatter"] < 15.0
    assert abs(clear["settling_s"]) < 0.3
    noise = figures(
        scene, np.random.default_rng(1).standard_normal((len(scene.labels), 8)), SegmenterSettings(), metrics
    )
    # Boundaries are found all the same, by the other two views; labels go by the embedding alone.
    assert noise["mof"] < clear["mof"] - 30.0
    assert noise["mof_true_cuts"] < clear["mof_true_cuts"] - 30.0
    assert noise["scatter"] > 90.0


@pytest.mark.data
def test_moving_towards_the_truth_shrinks_scatter(scene: EmbeddingStream, metrics: ModuleType) -> None:
    embedding = _informative(scene, 0.5)
    np.testing.assert_array_equal(towards_truth(embedding, scene, 0.0), embedding)
    start, stop = scene.segments()[0]
    whole = towards_truth(embedding, scene, 1.0)[start:stop]
    np.testing.assert_allclose(whole, np.broadcast_to(whole[0], whole.shape), atol=1e-12)
    before, after = (
        figures(scene, each, SegmenterSettings(), metrics)["scatter"]
        for each in (embedding, towards_truth(embedding, scene, 0.5))
    )
    assert after < 0.6 * before


@pytest.mark.data
def test_a_late_embedding_settles_late(scene: EmbeddingStream, metrics: ModuleType) -> None:
    late = np.concatenate([np.repeat(_informative(scene, 0.1)[:1], 30, axis=0), _informative(scene, 0.1)[:-30]])
    measured = figures(scene, late, SegmenterSettings(), metrics)["settling_s"]
    assert measured == pytest.approx(1.0, abs=0.3)


def test_the_unseen_kinds_are_in_no_corpus(scene: EmbeddingStream) -> None:
    assert not set(SEEN_KINDS) & set(UNSEEN_KINDS)
    material = generated_material(2)
    assert {clip.name.split("/")[1] for clip in material.clips} <= set(SEEN_KINDS)
    assert len(set(scene.labels.tolist())) > 1


def test_differences_are_paired() -> None:
    def row(name: str, plus: float) -> EmbeddingResult:
        places = [("takes", "1"), ("tempo-0.6", "1"), ("tempo-1.6", "1"), ("bvh", "a"), ("bvh", "b")]
        return EmbeddingResult(name, {place: {"bf1": 50.0 + 10.0 * n + plus} for n, place in enumerate(places)})

    difference, error = paired(row("first", 0.0), row("second", 3.0))
    assert difference == pytest.approx(3.0)
    assert error == pytest.approx(0.0)
    assert row("first", 0.0).groups() == ["takes", "slower", "faster", "bvh"]
    assert row("first", 0.0).unseen("bf1") == pytest.approx((60.0 + 70.0 + 85.0) / 3)


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_the_command_prints_a_table(
    cmu_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(cmu_folder.parent))
    out = tmp_path / "table.md"
    asked = ["--sets", "generated-unseen", "--streams", "1", "--seeds", "2", "--steps", "1", "--minutes", "1"]
    assert main([*asked, "--only", "ahead", "contrastive projection", "--out", str(out)]) == 0
    written = out.read_text()
    assert capsys.readouterr().out == written
    names = [line.split(" | ")[0].removeprefix("| ") for line in written.splitlines()[2:]]
    assert names[0].startswith("bundle motion ")
    assert names[1] == "pose + speed, CMU clips alone"
    assert "pose + speed + prediction 0.5 s ahead" in names
    assert sum(name.startswith("oracle") for name in names) == 2
    assert len(names) == 8


def test_the_command_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KINESEG_EVAL", str(tmp_path / "nowhere"))
    assert main(["--sets", "takes"]) == 1
    assert "set KINESEG_EVAL" in capsys.readouterr().err


def test_a_table_has_a_line_for_each_row() -> None:
    figure = dict.fromkeys(
        ("bf1", "precision", "recall", "mof", "mof_true_cuts", "scatter", "uneven", "settling_s"), 1.0
    )
    rows = [EmbeddingResult(name, {("bvh", "a"): figure}) for name in ("one", "two")]
    lines = table(rows).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert "+0.0" in lines[3]
