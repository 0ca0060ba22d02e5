"""The embedding in views: components, dimension, separation, states of each family, and the experiment itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kineseg_training.data.labelled import cmu_actions
from kineseg_training.errors import DataError, SettingsError, TrainingError
from kineseg_training.models import Seq2Seq, Seq2SeqSettings
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings
from kineseg_training.studies.colors import action_colours
from kineseg_training.studies.commands import interpret
from kineseg_training.studies.exhibit import Exhibit, RunContext
from kineseg_training.studies.states import (
    DECODER,
    ENCODER,
    balanced_windows,
    participation_ratio,
    principal_components,
    read_states,
    recognised,
    separation,
    umap_projection,
)
from kineseg_training.studies.su_shlizerman_2019.views.run import views
from torch import nn
from typer.testing import CliRunner

from tests.training.studies.su_shlizerman_2019.few_clips import few_clips

C, H = 5, 7


@pytest.fixture(scope="module")
def cmu(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few clips of each action."""
    return few_clips(cmu_folder, tmp_path_factory.mktemp("clips") / "cmu")


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0.0, 1e6)), st.floats(1e-3, 1e3))
def test_the_effective_dimension_is_bounded_and_knows_neither_scale_nor_what_does_not_vary(
    variances: np.ndarray, scale: float
) -> None:
    ratio = participation_ratio(variances)
    if variances.max() == 0.0:
        assert ratio == 0.0
        return
    assert 1.0 - 1e-9 <= ratio <= np.count_nonzero(variances) + 1e-9
    assert participation_ratio(np.append(variances, 0.0)) == pytest.approx(ratio)
    if variances.max() * scale > 1e-290:
        assert participation_ratio(variances * scale) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("variances", "expected"), [([2.0] * 6, 6.0), ([3.0, 0.0, 0.0], 1.0), ([2.0, 1.0, 1.0], 16 / 6)]
)
def test_the_effective_dimension_of_known_spectra(variances: list[float], expected: float) -> None:
    assert participation_ratio(np.array(variances)) == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [[-1.0, 2.0], [np.nan], [np.inf]])
def test_variances_that_are_none_are_refused(wrong: list[float]) -> None:
    with pytest.raises(DataError, match="variances"):
        participation_ratio(np.array(wrong))


@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.integers(1, 6))
def test_components_hold_all_variance_and_lose_nothing(seed: int, count: int, width: int) -> None:
    points = np.random.default_rng(seed).standard_normal((count, width)) * np.arange(1, width + 1)
    found = principal_components(points)
    assert (np.diff(found.variances) <= 1e-9).all()
    assert (np.diff(found.explained) >= 0.0).all()
    assert found.explained[-1] == pytest.approx(1.0)
    assert found.variances.sum() == pytest.approx(points.var(axis=0, ddof=1).sum())
    assert found.explained[found.needed(0.9) - 1] >= 0.9 - 1e-9
    everything = len(found.axes)
    back = found.project(points, everything) @ found.axes + found.mean
    np.testing.assert_allclose(back, points, atol=1e-8)


def test_components_of_a_plane_in_space_are_two() -> None:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((50, 4, 2)) @ rng.standard_normal((2, 9))
    found = principal_components(points)
    assert found.needed(1.0) == 2
    assert found.project(points, 2).shape == (50, 4, 2)
    with pytest.raises(SettingsError, match="dimensions must be from 1 to 9"):
        found.project(points, 10)


def test_states_that_never_change_have_no_dimension_and_bad_ones_are_refused() -> None:
    assert principal_components(np.ones((4, 3))).effective_dimension == 0.0
    with pytest.raises(DataError, match="two at least"):
        principal_components(np.ones((1, 3)))
    with pytest.raises(DataError, match="not finite"):
        principal_components(np.array([[np.nan, 1.0], [0.0, 1.0]]))


def test_separation_tells_clusters_from_a_cloud() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    apart = 10.0 * np.eye(3, 8)[labels] + 0.3 * rng.standard_normal((60, 8))
    good, none = separation(apart, labels), separation(rng.standard_normal((60, 8)), labels)
    assert good.silhouette > 0.8 > 0.1 > none.silhouette
    assert good.davies_bouldin < 0.3 < 3.0 < none.davies_bouldin
    assert good.ari_kmeans == good.ari_agglomerative == 1.0
    assert abs(none.ari_kmeans) < 0.2
    assert recognised(apart, labels, apart + 0.1, labels) == 1.0
    assert recognised(apart, labels, apart, (labels + 1) % 3) == 0.0


def test_recognition_counts_every_action_alike() -> None:
    known, labels = np.array([[0.0], [10.0]]), np.array([0, 1])
    points, truth = np.array([[0.0]] * 9 + [[0.0]]), np.array([0] * 9 + [1])
    assert recognised(known, labels, points, truth) == 0.5


@pytest.mark.parametrize(
    ("labels", "said"), [([0, 0, 0], "two at least"), ([0, 1, 2], "one state each"), ([0, 1], "2 labels for 3")]
)
def test_separation_of_too_little_is_refused(labels: list[int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        separation(np.eye(3), np.array(labels))


def models() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    seq2seq = Seq2Seq(Seq2SeqSettings(C, H))
    nn.init.normal_(seq2seq.velocity.weight, std=0.3)
    return {
        "tied": TiedSeq2Seq(TiedSettings(C, H)),
        "seq2seq": seq2seq,
        "composite": CompositeLSTM(CompositeSettings(C, H)),
        "conditional": CompositeLSTM(CompositeSettings(C, H, layers=2, conditional=True)),
    }


@pytest.mark.parametrize("kind", ["tied", "seq2seq", "composite", "conditional"])
def test_decoder_states_are_those_that_the_predictions_are_read_out_from(kind: str) -> None:
    model = models()[kind].eval()
    model.set_normalisation(np.full(C, 0.5), np.full(C, 2.0))  # type: ignore[operator]
    frames = np.random.default_rng(0).standard_normal((4, 6, C)).astype(np.float32)
    states = read_states(model, frames, 3)
    assert {part: found.shape for part, found in states.items()} == {ENCODER: (4, 6, H), DECODER: (4, 3, H)}
    decoder = torch.from_numpy(states[DECODER])
    with torch.no_grad():
        if isinstance(model, TiedSeq2Seq):
            source = model.normalise(torch.from_numpy(frames))
            torch.testing.assert_close(model.readout(decoder), model(source, 3)[0])
        elif isinstance(model, CompositeLSTM):
            source = model.normalise(torch.from_numpy(frames))
            assert model.future is not None
            predicted = model.predict(model.encode(source)[1], 3, last=source[:, -1])
            torch.testing.assert_close(model.future.readout(decoder), predicted)
        elif isinstance(model, Seq2Seq):
            source = model.normalise(torch.from_numpy(frames))
            _, rollout = model(source, torch.full((4,), 6), 3)
            steps = torch.diff(rollout, dim=1, prepend=source[:, -1:])
            torch.testing.assert_close(model.velocity(decoder), steps, rtol=1e-4, atol=1e-5)


def test_states_of_something_else_or_of_other_windows_are_refused() -> None:
    with pytest.raises(SettingsError, match="Linear has no encoder"):
        read_states(nn.Linear(2, 2), np.zeros((1, 3, 2), dtype=np.float32), 1)
    for shape in ((0, 3, C), (1, 3, C + 1)):
        with pytest.raises(DataError, match="expected"):
            read_states(models()["tied"], np.zeros(shape, dtype=np.float32), 1)


def test_windows_are_balanced(cmu: Path) -> None:
    _, test = cmu_actions(cmu)
    windows = balanced_windows(test, 16, 5)
    assert np.bincount(windows.labels).tolist() == [5] * len(test.actions)
    walking = windows.labels == test.actions.index("walking")
    clips = {clip.name for clip in test.clips if clip.action == "walking"}
    assert {test.clips[clip].name for clip in windows.clip[walking]} == clips  # they are spread over the clips


def test_colours_differ_and_those_of_the_cmu_actions_stay() -> None:
    assert action_colours(["walking", "dance"])["walking"] == action_colours(["running", "walking"])["walking"]
    many = [f"content {number}" for number in range(17)]
    assert len(set(action_colours([*many, "walking"]).values())) == 18


UMAP_TWICE = """
import numpy as np
from kineseg_training.studies.states import umap_projection
states = np.random.default_rng(0).standard_normal((4, 3, 6))
states[:2] += 5.0
for dimensions in (2, 3):
    first, again = (umap_projection(states, dimensions, 1) for _ in range(2))
    assert first.shape == (4, 3, dimensions)
    np.testing.assert_array_equal(first, again)
"""


def test_umap_maps_every_state_and_is_equal_for_a_seed() -> None:
    pytest.importorskip("umap")
    # Of so few states it is done sooner than it is compiled.
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", UMAP_TWICE], env=environment, check=True, timeout=300)


def test_umap_that_is_not_there_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(SettingsError, match=r"pip install 'kineseg\[explore\]'"):
        umap_projection(np.zeros((20, 3)), 2, 0)


def test_the_views_of_all_models_side_by_side(cmu: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "views", "tiny", cmu, progress=False)
    context.out.mkdir()
    exhibit = views(context)
    exhibit.save(context.out)
    assert Exhibit.load(context.out) == exhibit
    assert [picture.file for picture in exhibit.pictures] == [
        "trajectories_2d.png",
        "trajectories_3d.png",
        "variance.png",
        "separation.png",
    ]
    [table] = exhibit.tables
    assert len(table.rows) == 9  # encoder and decoder of four models, and the pose
    by_title = {row[0]: row for row in table.rows}
    assert by_title["pose itself"][1] == 59
    for row in table.rows:
        needed, dimension, silhouette = row[2], row[3], row[5]
        assert 1 <= needed <= row[1]
        assert 1.0 <= dimension <= row[1]
        assert -1.0 <= silhouette <= 1.0
    assert exhibit.figures["pose pose effective dimension"] == by_title["pose itself"][3]
    assert "few dimensions" in exhibit.verdict
    # What was trained is used again, and gives the same.
    trained = {path: path.stat().st_mtime_ns for path in context.models.rglob("last.pt")}
    assert len(trained) == 3
    again = views(context, names=["su", "pose"], dimensions=[2])
    assert {path: path.stat().st_mtime_ns for path in context.models.rglob("last.pt")} == trained
    assert again.tables[0].rows[:2] == table.rows[:2]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"names": ["su", "transformer"]}, "there is no transformer; there are su, seq2seq"),
        ({"names": []}, "one at least"),
        ({"names": ["su", "su"]}, "once"),
        ({"dimensions": [4]}, "2 and 3 can be drawn, got 4"),
    ],
)
def test_views_of_what_is_not_there_are_refused(wrong: dict[str, list[str]], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        views(RunContext(tmp_path, "tiny"), **wrong)  # type: ignore[arg-type]


def test_one_action_only_or_no_clips_are_clear_errors(cmu: Path, tmp_path: Path) -> None:
    (tmp_path / "cmu/train").mkdir(parents=True)
    (tmp_path / "cmu/test").mkdir()
    for part in ("train", "test"):
        (tmp_path / "cmu" / part / "walking").mkdir()
        for clip in (cmu / part / "walking").iterdir():
            (tmp_path / "cmu" / part / "walking" / clip.name).symlink_to(clip)
    with pytest.raises(TrainingError, match="at least two are needed"):
        views(RunContext(tmp_path, "tiny", tmp_path / "cmu"), names=["pose"])
    with pytest.raises(DataError, match="--cmu"):
        views(RunContext(tmp_path, "tiny"), names=["pose"])


def test_the_command_says_what_is_wrong_and_does_it_right(cmu: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    wrong = run(interpret, ["views", str(tmp_path / "out"), "--models", "su,nobody", "--cmu", str(cmu)])
    assert wrong.exit_code == 1
    assert "there is no nobody" in wrong.output
    options = [
        "--preset",
        "tiny",
        "--models",
        "untrained,pose",
        "--dimensions",
        "3",
        "--quiet",
        "--cmu",
        str(cmu),
    ]
    right = run(interpret, ["views", str(tmp_path / "out"), *options])
    assert right.exit_code == 0, right.output
    assert "No trained model was looked at" in right.output
    assert (tmp_path / "out/trajectories_3d.png").stat().st_size > 10_000
    assert not (tmp_path / "out/trajectories_2d.png").exists()
