"""The embedding through training: the criterion without labels, stopping by it, and the experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg_training.commands import app as trainers
from kineseg_training.data.labelled import cmu_actions
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.loop import LAST, Course, CourseRow, LoopSettings, load_saved, train
from kineseg_training.studies.commands import interpret
from kineseg_training.studies.early_stop import CROWDING, crowding, spread_windows, stopped_by
from kineseg_training.studies.exhibit import Exhibit, RunContext
from kineseg_training.studies.su_shlizerman_2019.optimality.results import SWEEPS, Watch
from kineseg_training.studies.su_shlizerman_2019.optimality.run import optimality, set_aside
from kineseg_training.studies.su_shlizerman_2019.task import TiedTask
from kineseg_training.studies.su_shlizerman_2019.trained import CANONICAL_PRESETS
from typer.testing import CliRunner

from tests.training.studies.su_shlizerman_2019.few_clips import few_clips

SETTINGS = CANONICAL_PRESETS["tiny"]


@pytest.fixture(scope="module")
def cmu(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few clips of each action."""
    return few_clips(cmu_folder, tmp_path_factory.mktemp("clips") / "cmu")


def test_trajectories_are_crowded_when_they_lie_in_one_another() -> None:
    rng = np.random.default_rng(0)
    round_one_place = rng.standard_normal((6, 10, 4))
    apart = 0.01 * round_one_place + 10.0 * np.eye(6, 4)[:, None] + np.arange(6)[:, None, None]
    assert crowding(apart) < 0.05
    assert crowding(round_one_place) > 1.0
    # Neither scale nor place matters, and labels are not asked for.
    assert crowding(3.0 * apart - 7.0) == pytest.approx(crowding(apart))


@pytest.mark.parametrize("shape", [(1, 5, 3), (5, 1, 3)])
def test_crowding_of_too_little_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="at least two of two"):
        crowding(np.zeros(shape))


def test_windows_are_spread_over_the_clips() -> None:
    clips = [np.arange(10.0)[:, None], np.arange(100.0, 103.0)[:, None], np.arange(200.0, 230.0)[:, None]]
    windows = spread_windows(clips, 4, 5)
    assert windows.shape == (5, 4, 1)
    assert (np.diff(windows[:, :, 0], axis=1) == 1.0).all()  # none across two clips
    assert windows[0, 0, 0] == 0.0
    assert windows[-1, -1, 0] == 229.0
    with pytest.raises(DataError, match="shorter than a window of 40 frames"):
        spread_windows(clips, 40, 5)


@pytest.fixture(scope="module")
def tied(cmu: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    kept, held_out = set_aside(cmu_actions(cmu)[0])
    return [clip.frames for clip in kept.clips], [clip.frames for clip in held_out.clips]


def trained(
    clips: tuple[list[np.ndarray], list[np.ndarray]], out: Path, stop_by: str, patience: int, iterations: int = 60
) -> tuple[TiedTask, Course]:
    task = TiedTask(clips[0], SETTINGS, validation=clips[1], seed=0)
    windows = spread_windows(clips[1], SETTINGS.source, 24)
    loop = LoopSettings(iterations, 5, patience)
    watched, loop = stopped_by(stop_by, task, loop, task.predictor, windows, SETTINGS.target)
    return task, train(watched, loop, out, progress=False).course


def test_a_training_stops_by_the_embedding_where_its_whole_course_says(
    tied: tuple[list[np.ndarray], list[np.ndarray]], tmp_path: Path
) -> None:
    _, whole = trained(tied, tmp_path / "whole", "embedding", 0)
    watch = Watch(SETTINGS.hidden, whole, ())
    kept, last = watch.stop(CROWDING, 1)
    assert last < len(whole) - 1  # so that there is something to stop
    task, stopped = trained(tied, tmp_path / "stopped", "embedding", 1)
    assert stopped == whole[: last + 1]
    # What is kept is the model of the row that the embedding was best in.
    windows = spread_windows(tied[1], SETTINGS.source, 24)
    with torch.no_grad():
        _, states = task.predictor(task.predictor.normalise(torch.from_numpy(windows)), SETTINGS.target)
    assert crowding(states.numpy()) == pytest.approx(stopped[kept].figures[CROWDING], rel=1e-4)


def test_stopping_by_the_loss_changes_nothing(tied: tuple[list[np.ndarray], list[np.ndarray]], tmp_path: Path) -> None:
    _, course = trained(tied, tmp_path, "loss", 0, 5)
    assert CROWDING not in course[-1].figures


def test_other_ways_to_stop_and_too_few_windows_are_refused(tied: tuple[list[np.ndarray], list[np.ndarray]]) -> None:
    task = TiedTask(tied[0], SETTINGS)
    one = spread_windows(tied[1], SETTINGS.source, 1)
    with pytest.raises(SettingsError, match="stop_by must be one of loss, embedding, got 'accuracy'"):
        stopped_by("accuracy", task, LoopSettings(1), task.predictor, one, 4)
    with pytest.raises(DataError, match="at least two are needed"):
        stopped_by("embedding", task, LoopSettings(1), task.predictor, one, 4)


def test_where_a_course_would_have_been_stopped() -> None:
    losses = [5.0, 3.0, 4.0, 2.0, 2.5, 2.2, 2.1, 1.0]
    watch = Watch(8, tuple(CourseRow(10 * i, {"loss": loss}) for i, loss in enumerate(losses)), ())
    assert watch.stop("loss", 3) == (3, 6)
    assert watch.stop("loss", 2) == (3, 5)
    assert watch.stop("loss", 1) == (1, 2)
    assert watch.stop("loss", 9) == (7, 7)
    assert watch.best("loss") == 7


def test_clips_set_aside_leave_every_action_to_train_on(cmu: Path) -> None:
    training, _ = cmu_actions(cmu)
    kept, held_out = set_aside(training)
    assert {clip.action for clip in kept.clips} == set(training.actions)
    assert len(kept.clips) + len(held_out.clips) == len(training.clips)
    assert not {clip.name for clip in kept.clips} & {clip.name for clip in held_out.clips}
    assert len({clip.action for clip in held_out.clips}) == len(held_out.clips) >= 3


def test_sizes_are_watched_through_training(cmu: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "optimality", "tiny", cmu, progress=False)
    context.out.mkdir()
    exhibit = optimality(context)
    exhibit.save(context.out)
    assert Exhibit.load(context.out) == exhibit
    sizes = SWEEPS["tiny"].hidden
    assert len(sizes) >= 3
    optima, correlations, stops = exhibit.tables
    assert [row[0] for row in optima.rows] == [size for size in sizes for _ in range(4)]
    for loss, embedding, hindsight, last in (optima.rows[i : i + 4] for i in range(0, len(optima.rows), 4)):
        assert loss[3] <= min(embedding[3], hindsight[3], last[3])  # type: ignore[type-var]
        assert embedding[4] >= max(loss[4], hindsight[4], last[4])  # type: ignore[type-var]
        assert hindsight[7] >= max(loss[7], embedding[7], last[7])  # type: ignore[type-var]
        assert last[2] == SWEEPS["tiny"].iterations
    assert all(-1.0 <= row[2] <= 1.0 for row in correlations.rows)  # type: ignore[operator]
    assert [row[1] for row in stops.rows] == ["loss", "embedding"] * len(sizes)
    assert all(row[3] <= row[2] for row in stops.rows)  # type: ignore[operator]
    # Trainings that are finished are read, not done again.
    before = {path: path.read_bytes() for path in context.out.rglob("*.npy")}
    assert len(before) == 5 * len(sizes)
    assert optimality(context) == exhibit
    assert {path: path.read_bytes() for path in context.out.rglob("*.npy")} == before


def test_the_trainers_stop_by_the_embedding_where_they_are_asked_to(cmu: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    for family, sizes in (("baseline", []), ("composite", ["--validate-every", "2"])):
        options = ["--preset", "tiny", "--iterations", "4", "--cmu", str(cmu), "--quiet", *sizes]
        done = run(trainers, [family, "train", str(tmp_path / family), "--stop-by", "embedding", *options])
        assert done.exit_code == 0, done.output
        saved = load_saved(tmp_path / family / LAST)
        assert saved.monitor == CROWDING
        assert all(0.0 <= row.figures[CROWDING] <= 2.0 for row in saved.course)
    wrong = run(trainers, ["baseline", "train", str(tmp_path / "new"), "--stop-by", "mood", *options[:-2]])
    assert wrong.exit_code == 1
    assert "stop_by must be one of loss, embedding" in wrong.output


def test_the_command_takes_sizes(cmu: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    options = ["--preset", "tiny", "--iterations", "5", "--quiet", "--cmu", str(cmu)]
    right = run(interpret, ["optimality", str(tmp_path / "out"), "--hidden", "3,5", *options])
    assert right.exit_code == 0, right.output
    assert "3 units" in right.output
    assert "5 units" in right.output
    assert (tmp_path / "out/optimality.png").stat().st_size > 10_000
    assert "whole numbers" in run(interpret, ["optimality", str(tmp_path), "--hidden", "3,big", *options]).output
    wrong = run(interpret, ["optimality", str(tmp_path), "--hidden", "3,3", *options])
    assert wrong.exit_code == 1
    assert "different numbers of units" in wrong.output
