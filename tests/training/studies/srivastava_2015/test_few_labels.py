"""Few labels: where the classifier starts, which windows are labelled, and that the experiment is whole and resumes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg_training.errors import CheckpointError, DataError, SettingsError
from kineseg_training.models.classifier import ClassifierSettings, LSTMClassifier
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.studies.exhibit import Exhibit, RunContext
from kineseg_training.studies.srivastava_2015.commands import app
from kineseg_training.studies.srivastava_2015.few_labels.data import (
    Recognition,
    bvh_recognition,
    cmu_recognition,
    draw_labelled,
)
from kineseg_training.studies.srivastava_2015.few_labels.optimiser import few_labels_optimiser, held_out
from kineseg_training.studies.srivastava_2015.few_labels.report import conclude
from kineseg_training.studies.srivastava_2015.few_labels.results import (
    RANDOM,
    Key,
    Pair,
    Results,
    Scores,
    interval,
    score,
)
from kineseg_training.studies.srivastava_2015.few_labels.run import RESULTS_FILE, classifier, few_labels, nearest
from kineseg_training.studies.srivastava_2015.few_labels.task import (
    ALL,
    PRESETS,
    WINDOW,
    FewLabelsSettings,
    TrainingSettings,
    train_classifier,
)
from scipy.stats import ttest_rel
from typer.testing import CliRunner

TINY = PRESETS["tiny"]
ACTIONS = 8


@pytest.fixture(scope="module")
def cmu(cmu_folder: Path) -> Recognition:
    """Windows of the eight CMU actions."""
    return cmu_recognition(cmu_folder, WINDOW)


@pytest.fixture(scope="module")
def context(cmu_folder: Path, bvh_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    """Where `exhibit` was made."""
    return RunContext(tmp_path_factory.mktemp("few_labels"), "tiny", cmu_folder, bvh_folder, progress=False)


@pytest.fixture(scope="module")
def exhibit(context: RunContext) -> Exhibit:
    """The whole experiment, as small as can be."""
    return few_labels(context)


def encoder(inputs: int, hidden: int, data: Recognition) -> CompositeLSTM:
    """With weights and a normalisation of its own."""
    torch.manual_seed(7)
    model = CompositeLSTM(CompositeSettings(inputs, hidden))
    mean, scale = data.unlabelled.normalisation()
    model.set_normalisation(mean + 0.3, 2.5 * scale)
    return model


def test_a_pretrained_classifier_starts_as_the_encoder_and_differs_from_a_random_one_in_nothing_else(
    cmu: Recognition,
) -> None:
    frames = torch.from_numpy(cmu.test.frames[::50])
    model = encoder(frames.shape[2], TINY.hidden, cmu)
    pretrained, random = (classifier(cmu, start, TINY, seed=3) for start in (model, None))
    with torch.no_grad():
        expected, _ = model.encode(model.normalise(frames))
        torch.testing.assert_close(pretrained.states(frames), expected, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(random.states(frames), expected, atol=0.01)
    assert torch.equal(pretrained.readout.weight, random.readout.weight)
    assert torch.equal(pretrained.mean, random.mean)
    other = classifier(cmu, None, TINY, seed=4)
    assert not torch.equal(*(made.lstm.state_dict()["weight_hh_l0"] for made in (random, other)))


def test_an_encoder_of_another_shape_is_refused(cmu: Recognition) -> None:
    model = encoder(cmu.pool.frames.shape[2], 5, cmu)
    with pytest.raises(SettingsError, match=r"\(inputs, hidden, layers\) = \(59, 5, 1\), the classifier \(59, 8, 1\)"):
        classifier(cmu, model, TINY, seed=0)


def test_it_learns_and_a_readout_alone_leaves_the_lstm_as_it_is(cmu: Recognition) -> None:
    rows = draw_labelled(cmu.pool, cmu.clips.actions, 4, seed=0)
    labelled = cmu.pool.rows(rows)
    test = torch.from_numpy(cmu.test.frames)
    for readout_only in (False, True):
        made = classifier(cmu, None, replace(TINY, hidden=32), seed=0)
        before = {name: value.clone() for name, value in made.lstm.named_parameters()}
        how = TrainingSettings(iterations=60, learning_rate=1e-2, readout_only=readout_only)
        train_classifier(made, labelled.frames, labelled.labels, how, seed=0)
        kept = [torch.equal(before[name], value) for name, value in made.lstm.named_parameters()]
        assert all(kept) if readout_only else not any(kept)
        probabilities = made.probabilities(test)
        assert torch.allclose(probabilities.sum(dim=1), torch.ones(len(test)))
        named = probabilities.argmax(dim=1).numpy()
        assert score(cmu.test.labels, named, cmu.own_take).balanced > 3 / ACTIONS


@pytest.mark.parametrize("per_class", [1, 4, 16])
def test_as_many_windows_of_every_class_are_labelled_and_none_of_a_test_take(cmu: Recognition, per_class: int) -> None:
    rows = draw_labelled(cmu.pool, cmu.clips.actions, per_class, seed=2)
    drawn = cmu.pool.rows(rows)
    assert np.bincount(drawn.labels).tolist() == [per_class] * ACTIONS
    assert len(set(rows)) == len(rows)
    for frames, label, clip, start in zip(drawn.frames, drawn.labels, drawn.clip, drawn.start, strict=True):
        source = cmu.clips.clips[clip]
        assert source.action == cmu.clips.actions[label]
        np.testing.assert_array_equal(frames, source.frames[start : start + WINDOW].astype(np.float32))


def test_test_windows_are_of_other_takes_but_for_the_action_that_has_one_only(cmu: Recognition) -> None:
    takes = [{(clip.action, clip.name.split("#")[0]) for clip in part.clips} for part in (cmu.clips, cmu.test_clips)]
    assert {action for action, _ in takes[0] & takes[1]} == {"washwindow"}
    washed = cmu.clips.actions.index("washwindow")
    assert np.array_equal(cmu.own_take, cmu.test.labels != washed)
    assert not cmu.own_take.all()


def test_fewer_labels_are_among_more_and_depend_on_the_seed(cmu: Recognition) -> None:
    one, four, other = (
        set(draw_labelled(cmu.pool, cmu.clips.actions, n, seed).tolist()) for n, seed in ((1, 0), (4, 0), (4, 1))
    )
    assert one < four
    assert four != other
    assert len(draw_labelled(cmu.pool, cmu.clips.actions, None, 0)) == len(cmu.pool)


def test_more_labels_than_there_are_windows_says_how_many_there_are(cmu: Recognition) -> None:
    running = int((cmu.pool.labels == cmu.clips.actions.index("running")).sum())
    with pytest.raises(SettingsError, match=f"{running + 1} labelled windows .* of running there are {running}"):
        draw_labelled(cmu.pool, cmu.clips.actions, running + 1, 0)


def test_one_class_only_is_refused(cmu: Recognition) -> None:
    made = classifier(cmu, None, TINY, seed=0)
    one = cmu.pool.rows(cmu.pool.labels == 0)
    with pytest.raises(DataError, match=r"all \d+ labelled windows are of one class"):
        train_classifier(made, one.frames, one.labels, TrainingSettings(), 0)
    with pytest.raises(SettingsError, match="at least two are needed"):
        LSTMClassifier(ClassifierSettings(inputs=59, classes=1))


def test_windows_longer_than_the_clips_are_refused(cmu_folder: Path, bvh_folder: Path) -> None:
    with pytest.raises(DataError, match="running: every clip is shorter than a window of 100 frames"):
        _ = cmu_recognition(cmu_folder, 100).pool
    with pytest.raises(SettingsError, match="window: 3000 frames leave 0 content"):
        bvh_recognition(bvh_folder, 3000)


def test_the_nearest_neighbour_knows_what_is_labelled(cmu: Recognition) -> None:
    same = Recognition(cmu.name, cmu.clips, cmu.clips, cmu.length)
    assert np.array_equal(nearest(same, same.pool), same.test.labels)


def test_scores_weigh_windows_or_classes_and_leave_out_shared_takes() -> None:
    truth, named = np.array([0, 0, 0, 0, 1, 2]), np.array([0, 0, 0, 1, 1, 0])
    found = score(truth, named, truth != 2)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.balanced == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert found.accuracy_own_take == pytest.approx(4 / 5)
    assert found.balanced_own_take == pytest.approx((3 / 4 + 1) / 2)


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    random = rng.normal(0.5, 0.1, 7)
    pretrained = random + rng.normal(0.05, 0.04, 7)
    found, expected = interval(pretrained - random), ttest_rel(pretrained, random)
    ends = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    assert found.mean / found.error == pytest.approx(expected.statistic)
    assert found.sign == (1 if expected.pvalue < 0.05 else 0)


def _pair(recognised: str, source: str, few: float, shrinkage: float) -> Pair:
    values = np.array([-0.001, 0.0, 0.001])
    return Pair(recognised, source, (), interval(few + values), interval(values), interval(shrinkage + values))


@pytest.mark.parametrize(
    ("own", "shrinkage", "other", "expected"),
    [
        (0.1, 0.1, 0.1, "agrees"),
        (0.1, 0.0, 0.1, "partly"),
        (0.1, 0.1, 0.0, "partly"),
        (0.1, 0.1, -0.1, "partly"),
        (0.0, 0.0, 0.0, "disagrees"),
        (-0.1, 0.1, 0.0, "disagrees"),
    ],
)
def test_the_verdict_follows_from_the_differences(own: float, shrinkage: float, other: float, expected: str) -> None:
    pairs = [_pair("A", "A", own, shrinkage), _pair("A", "B", other, 0.0)]
    agreement, verdict = conclude(pairs)
    assert agreement == expected
    assert ("harmed" in verdict) == (min(own, other) < 0)


def test_settings_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(SettingsError, match="compare few with many"):
        FewLabelsSettings(labels=(1, 2))
    with pytest.raises(SettingsError, match="at least two"):
        FewLabelsSettings(seeds=1)
    assert FewLabelsSettings(labels=(ALL, 16, 1)).ordered == (1, 16, ALL)


def test_the_exhibit_is_whole(context: RunContext, exhibit: Exhibit) -> None:
    exhibit.save(context.out)
    assert Exhibit.load(context.out) == exhibit
    pairs = [(data, source) for data in ("CMU", "BVH") for source in ("CMU", "BVH", "generated")]
    labels = ["all" if n == ALL else str(n) for n in TINY.ordered]
    summary, balanced, plain, without, _ = exhibit.tables
    assert [row[:2] for row in summary.rows] == pairs
    for table in (balanced, plain):
        assert [row[:3] for row in table.rows] == [(*pair, n) for pair in pairs for n in labels]
        assert all(0 <= float(cell) <= 100 for row in table.rows for cell in (row[3], row[5], *row[9:]))
        assert all(float(row[7]) == pytest.approx(float(row[5]) - float(row[3])) for row in table.rows)
    assert "washwindow" in without.caption
    assert len(without.rows) == 3 * len(labels)
    assert set(exhibit.figures) >= {f"{data} from {source}, few labels" for data, source in pairs}


def test_an_interrupted_experiment_goes_on_and_comes_to_the_same(
    context: RunContext, exhibit: Exhibit, tmp_path: Path
) -> None:
    cut = tmp_path / context.out.name
    shutil.copytree(context.out, cut)
    lines = (context.out / RESULTS_FILE).read_text().splitlines(keepends=True)
    (cut / RESULTS_FILE).write_text("".join(lines[:-9]) + lines[-9][:25])
    resumed = few_labels(replace(context, out=cut))
    assert (cut / RESULTS_FILE).read_text() == "".join(lines)
    assert resumed == exhibit


def test_results_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    path, key = tmp_path / RESULTS_FILE, Key("CMU", RANDOM, "all", 1, 0)
    Results(path, {"seeds": 2}).add(key, Scores(0.5, 0.4, 0.3, 0.2))
    assert Results(path, {"seeds": 2}).over_seeds("balanced", "CMU", RANDOM, 1, 1).tolist() == [0.4]
    with pytest.raises(CheckpointError, match="of other settings or data"):
        Results(path, {"seeds": 3})
    path.write_text(path.read_text().replace('"seed": 0', '"sed": 0'))
    with pytest.raises(CheckpointError, match="line 2: not a result"):
        Results(path, {"seeds": 2})


def test_the_optimiser_is_chosen_without_the_test_clips(cmu: Recognition, context: RunContext, tmp_path: Path) -> None:
    inner = held_out(cmu)
    known = {clip.name for clip in cmu.clips.clips}
    assert {clip.name for clip in (*inner.clips.clips, *inner.test_clips.clips)} <= known
    assert inner.clips.actions == cmu.clips.actions
    (table,) = few_labels_optimiser(replace(context, out=tmp_path)).tables
    assert [row[0] for row in table.rows] == ["all"] * 4 + ["readout"] * 4
    assert [row[2] for row in table.rows] == [1, 2] * 4


def test_the_command_says_what_is_wrong(context: RunContext, tmp_path: Path) -> None:
    arguments = ["few-labels", str(tmp_path), "--preset", "tiny", "--quiet", "--cmu", str(context.cmu)]
    arguments += ["--bvh", str(context.bvh), "--labels", "1", "--labels", "18", "--labels", "0"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "error: labels: 18 labelled windows of a class asked for, but of running there are 17" in done.output
