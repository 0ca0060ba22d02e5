"""Which figure a run goes by: the best parameters and the end of patience follow it; or none, and the last are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from kineseg_training.errors import CheckpointError, SettingsError
from kineseg_training.loop import LAST, LoopSettings, load_saved, train

from tests.training.loop.line import Line


class Measured(Line):
    """Reports also how long the weights are, which training makes worse: it begins with short ones."""

    def validate(self) -> Mapping[str, float]:
        weight = next(iter(self.network.parameters()))
        return {**super().validate(), "length": float(weight.norm())}


def test_another_figure_decides_which_parameters_are_the_best_and_when_to_stop(tmp_path: Path) -> None:
    by_loss, by_length = Measured(), Measured()
    long = train(by_loss, LoopSettings(60, 5, patience=3), tmp_path / "loss", progress=False)
    short = train(by_length, LoopSettings(60, 5, patience=3, monitor="length"), tmp_path / "length", progress=False)
    assert long.course[-1].iteration == 60
    best = min(short.course, key=lambda row: row.figures["length"])
    assert short.course[-1].iteration == best.iteration + 3 * 5 < 60
    assert best.figures["validation_loss"] > long.course[-1].figures["validation_loss"]
    assert float(by_length.network.state_dict()["weight"].norm()) == pytest.approx(best.figures["length"])


def test_the_monitored_figure_is_remembered_and_a_resumed_run_has_to_have_the_same(tmp_path: Path) -> None:
    train(Measured(), LoopSettings(10, 5, monitor="length"), tmp_path, progress=False)
    assert load_saved(tmp_path / LAST).monitor == "length"
    with pytest.raises(CheckpointError, match="best by length, not by validation_loss"):
        train(Measured(), LoopSettings(20, 5), tmp_path, resume=True, progress=False)
    saved = train(Measured(), LoopSettings(20, 5, monitor="length"), tmp_path, resume=True, progress=False)
    assert saved.iteration == 20


def test_a_figure_that_the_task_does_not_have_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no figure 'accuracy'; this task has validation_loss, length"):
        train(Measured(), LoopSettings(10, 5, monitor="accuracy"), tmp_path, progress=False)
    assert not (tmp_path / LAST).exists()


class Unvalidated(Line):
    """Has nothing held out."""

    def validate(self) -> Mapping[str, float]:
        return {}


def test_without_a_figure_the_last_parameters_are_kept(tmp_path: Path) -> None:
    climbs, last = Unvalidated(rate=-0.05), Line(rate=-0.05)  # it gets worse with every step
    saved = train(climbs, LoopSettings(20, 10, monitor=None), tmp_path / "run", progress=False)
    train(last, LoopSettings(20, 10), tmp_path / "last", progress=False)
    best = load_saved(tmp_path / "last" / LAST).network
    assert all(torch.equal(value, best[name]) for name, value in climbs.network.state_dict().items())
    assert [sorted(row.figures) for row in saved.course] == [[], ["train_loss"], ["train_loss"]]
    assert saved.best_row is saved.course[-1]
    with pytest.raises(SettingsError, match="patience: without a figure to monitor"):
        LoopSettings(20, patience=2, monitor=None)
    with pytest.raises(SettingsError, match="no figure 'validation_loss'; this task has none"):
        train(Unvalidated(), LoopSettings(20, 10), tmp_path / "none", progress=False)


def test_without_a_folder_a_run_comes_to_the_same_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, unkept = Line(), Line()
    train(kept, LoopSettings(20, 5), tmp_path / "run", progress=False)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    saved = train(unkept, LoopSettings(20, 5), None, progress=False)
    assert saved.course == load_saved(tmp_path / "run" / LAST).course
    assert torch.equal(unkept.network.weight, kept.network.weight)
    assert not list(empty.iterdir())
