"""The loop: what it leaves behind, that a resumed run comes to the same, and what it refuses."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch
from kineseg_training.errors import CheckpointError, SettingsError, TrainingError
from kineseg_training.loop import LAST, CourseRow, LoopSettings, load_saved, train

from tests.training.loop.line import Line


def parameters(task: Line) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in task.network.parameters()])


def test_it_learns_and_leaves_checkpoint_course_and_plot(tmp_path: Path) -> None:
    rows: list[CourseRow] = []
    saved = train(Line(), LoopSettings(60, 20), tmp_path / "run", progress=False, on_validation=rows.append)
    assert [row.iteration for row in saved.course] == [0, 20, 40, 60] == [row.iteration for row in rows]
    assert "train_loss" not in saved.course[0].figures  # it is evaluated before any training
    assert saved.course[-1].figures["validation_loss"] < 0.1 * saved.course[0].figures["validation_loss"]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {LAST, "recipe.json", "course.csv", "course.png"}
    assert (tmp_path / "run/course.csv").read_text().splitlines()[0] == "iteration,validation_loss,train_loss"


def test_equal_seeds_are_equal_and_others_are_not(tmp_path: Path) -> None:
    runs = []
    for number, seed in enumerate((1, 1, 2)):
        task = Line()
        train(task, LoopSettings(10, 5, seed=seed), tmp_path / str(number), progress=False)
        runs.append(parameters(task))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("after", [7, 10])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path: Path, after: int) -> None:
    usual = signal.getsignal(signal.SIGINT)
    whole = Line()
    train(whole, LoopSettings(20, 5), tmp_path / "whole", progress=False)
    cut = Line(interrupt_after=after)
    with pytest.raises(TrainingError, match=r"interrupted after iteration \d+; go on with --resume"):
        train(cut, LoopSettings(20, 5), tmp_path / "cut", progress=False)
    resumed = Line()
    saved = train(resumed, LoopSettings(20, 5), tmp_path / "cut", resume=True, progress=False)
    assert torch.equal(parameters(whole), parameters(resumed))
    assert saved.course == load_saved(tmp_path / "whole" / LAST).course
    assert signal.getsignal(signal.SIGINT) is usual  # which in the background is to ignore it


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path: Path) -> None:
    train(Line(), LoopSettings(10, 5), tmp_path / "run", progress=False)
    saved = train(Line(), LoopSettings(20, 5), tmp_path / "run", resume=True, progress=False)
    assert [row.iteration for row in saved.course] == [0, 5, 10, 15, 20]


def test_the_best_parameters_are_kept_and_patience_ends_a_run(tmp_path: Path) -> None:
    task = Line(rate=-0.05)  # climbs the loss instead of descending it
    saved = train(task, LoopSettings(100, 5, patience=2), tmp_path / "run", progress=False)
    assert [row.iteration for row in saved.course] == [0, 5, 10]
    assert torch.equal(parameters(task), parameters(Line()))


def test_a_run_that_patience_ended_is_over(tmp_path: Path) -> None:
    settings = LoopSettings(100, 5, patience=2)
    done = train(Line(rate=-0.05), settings, tmp_path / "run", progress=False)
    resumed = train(Line(rate=-0.05), settings, tmp_path / "run", resume=True, progress=False)
    assert resumed.course == done.course
    more = train(Line(rate=-0.05), LoopSettings(100, 5, patience=4), tmp_path / "run", resume=True, progress=False)
    assert [row.iteration for row in more.course] == [0, 5, 10, 15, 20]


def test_notes_are_kept_but_need_not_be_the_same(tmp_path: Path) -> None:
    for words in ("first", "second"):
        task = Line()
        task.notes = {"said": words}
        saved = train(task, LoopSettings(10, 5), tmp_path / "run", resume=True, progress=False)
    assert saved.notes == load_saved(tmp_path / "run" / LAST).notes == {"said": "first"}
    assert json.loads((tmp_path / "run" / "recipe.json").read_text()) == {"rate": 0.05}


def test_a_loss_that_is_no_number_ends_the_run_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train(Line(rate=1e30), LoopSettings(50, 10), tmp_path / "run", progress=False)


def test_a_run_is_not_overwritten_nor_gone_on_with_by_another_recipe(tmp_path: Path) -> None:
    train(Line(), LoopSettings(2, 1), tmp_path / "run", progress=False)
    with pytest.raises(CheckpointError, match="holds a run already"):
        train(Line(), LoopSettings(2, 1), tmp_path / "run", progress=False)
    with pytest.raises(CheckpointError, match=r"trained with rate = 0.05, not 0.1"):
        train(Line(rate=0.1), LoopSettings(2, 1), tmp_path / "run", resume=True, progress=False)
    (tmp_path / "run" / LAST).write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        train(Line(), LoopSettings(2, 1), tmp_path / "run", resume=True, progress=False)


def test_mixed_precision_learns_too_and_keeps_float32_parameters(tmp_path: Path) -> None:
    task = Line()
    saved = train(task, LoopSettings(60, 20, precision="bfloat16"), tmp_path / "run", progress=False)
    assert saved.course[-1].figures["validation_loss"] < 0.1 * saved.course[0].figures["validation_loss"]
    assert all(p.dtype == torch.float32 for p in task.network.parameters())


def test_tensorboard_events_are_written_when_asked_for(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(Line(), LoopSettings(10, 5, tensorboard=True), tmp_path / "run", progress=False)
    events = accumulator.EventAccumulator(str(tmp_path / "run/tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("validation_loss")] == [0, 5, 10]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"iterations": 0}, "iterations"),
        ({"validate_every": 0}, "validate_every"),
        ({"patience": -1}, "patience"),
        ({"precision": "float64"}, "precision"),
        ({"precision": "float16"}, "CUDA"),
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        LoopSettings(**{"iterations": 1} | wrong)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="device"):
        train(Line(), LoopSettings(1, device="cuda:99"), tmp_path, progress=False)
