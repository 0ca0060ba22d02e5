"""The comparison of clusterers: its figures, its scenes, its command."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmenterSettings

from evaluation.quality.clusterers.__main__ import main
from evaluation.quality.clusterers.scenes import ClusteringStream, scenes
from evaluation.quality.clusterers.score import LabelScore, contenders, score
from evaluation.quality.metrics import metrics_module
from evaluation.quality.stream import from_truth

ACTIONS = [0, 1, 2, 0, 1, 3, 2]
SETTINGS = SegmenterSettings()


@pytest.fixture(scope="module")
def scene() -> ClusteringStream:
    """Actions that are easily distinguished, 6 s each."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((4, 16)) / 4.0
    blocks = centres[np.repeat(ACTIONS, 60)] + 0.05 * rng.standard_normal((60 * len(ACTIONS), 16))
    spans = tuple(pairwise(range(0, 180 * len(ACTIONS) + 1, 180)))
    return ClusteringStream("made", "up", blocks, 3, np.repeat(ACTIONS, 180).astype(np.int64), spans, spans)


def scored(scene: ClusteringStream, name: str) -> LabelScore:
    return score(scene, scene.true, contenders(SETTINGS)[name](scene, scene.true), metrics_module())


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_clear_actions_are_distinguished_and_known_again(scene: ClusteringStream) -> None:
    assert scored(scene, "prototypes") == LabelScore(100.0, 100.0, 1.0)
    assert scored(scene, "dbstream").mof > 90.0


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts")
def test_ceiling_and_floors_are_where_they_must_be(scene: ClusteringStream) -> None:
    ceiling, *between, one, new = contenders(SETTINGS)
    assert scored(scene, ceiling) == LabelScore(100.0, 100.0, 1.0)
    assert scored(scene, one) == LabelScore(pytest.approx(200 / 7), 0.0, 0.25)
    assert scored(scene, new).labels_per_action == 7 / 4
    assert between[:5] == ["prototypes", "dbstream", "denstream", "clustream", "kmeans"]


def test_a_scene_holds_the_truth_and_what_the_service_finds() -> None:
    path = packaged_bundle()
    if path is None:
        pytest.skip("no bundle comes with this checkout")
    bundle = load_bundle(path)
    streams = [from_truth("made", generate(seed, 12.0 + 4.0 * seed, 60.0)) for seed in (0, 1)]
    short, long = scenes(streams, bundle, SETTINGS)
    alone = scenes(streams[:1], bundle, SETTINGS)[0]
    np.testing.assert_allclose(alone.blocks, short.blocks, atol=1e-5)
    assert len(long.labels) > len(short.labels)
    for scene, stream in ((short, streams[0]), (long, streams[1])):
        assert scene.labels[0] == stream.labels[0]
        assert len(scene.true) == len(stream.truth) + 1
        for spans in (scene.true, scene.found):
            assert (spans[0][0], spans[-1][1]) == (0, len(scene.labels))
            assert all(a[1] == b[0] for a, b in pairwise(spans))


@pytest.mark.data
@pytest.mark.usefixtures("scoring_scripts", "real_data")
def test_the_command_prints_both_tables_and_puts_them_into_a_page(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = tmp_path_factory.mktemp("docs") / "page.md"
    page.write_text("# Labels\n<!-- tables -->\nold\n<!-- end of tables -->\nthe rest\n")
    assert main(["--sets", "takes", "--streams", "1", "--into", str(page)]) == 0
    text = capsys.readouterr().out
    assert text.count("| prototypes |") == text.count("| clustream |") == 2
    assert text.index("Boundaries: true.") < text.index("Boundaries: found.")
    tables = text[text.index("Boundaries: true.") :]
    assert page.read_text() == f"# Labels\n<!-- tables -->\n\n{tables}\n<!-- end of tables -->\nthe rest\n"
    page.write_text("# Labels\n")
    assert main(["--sets", "takes", "--streams", "1", "--into", str(page)]) == 1
    assert "<!-- tables -->" in capsys.readouterr().err


def test_missing_data_is_said_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KINESEG_EVAL", str(tmp_path_factory.mktemp("empty")))
    assert main(["--sets", "takes"]) == 1
    assert "KINESEG_EVAL" in capsys.readouterr().err
