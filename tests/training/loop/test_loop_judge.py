"""By which figure a run is judged: the best parameters and the end of patience follow it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from kineseg_training.errors import CheckpointError, SettingsError
from kineseg_training.loop import LAST, LoopSettings, load_saved, train

from tests.training.loop.line import Line


class Judged(Line):
    """Tells also how long the weights are, which training makes worse: it begins with short ones."""

    def validate(self) -> Mapping[str, float]:
        weight = next(iter(self.network.parameters()))
        return {**super().validate(), "length": float(weight.norm())}


def test_another_figure_decides_which_parameters_are_the_best_and_when_to_stop(tmp_path: Path) -> None:
    by_loss, by_length = Judged(), Judged()
    long = train(by_loss, LoopSettings(60, 5, patience=3), tmp_path / "loss", progress=False)
    short = train(by_length, LoopSettings(60, 5, patience=3, judge="length"), tmp_path / "length", progress=False)
    assert long.course[-1].iteration == 60
    best = min(short.course, key=lambda row: row.figures["length"])
    assert short.course[-1].iteration == best.iteration + 3 * 5 < 60
    assert best.figures["validation_loss"] > long.course[-1].figures["validation_loss"]
    assert float(by_length.network.state_dict()["weight"].norm()) == pytest.approx(best.figures["length"])


def test_the_judge_is_remembered_and_a_resumed_run_has_to_have_the_same(tmp_path: Path) -> None:
    train(Judged(), LoopSettings(10, 5, judge="length"), tmp_path, progress=False)
    assert load_saved(tmp_path / LAST).judge == "length"
    with pytest.raises(CheckpointError, match="best by length, not by validation_loss"):
        train(Judged(), LoopSettings(20, 5), tmp_path, resume=True, progress=False)
    saved = train(Judged(), LoopSettings(20, 5, judge="length"), tmp_path, resume=True, progress=False)
    assert saved.iteration == 20


def test_a_figure_that_the_task_does_not_tell_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no figure 'accuracy'; this task tells validation_loss, length"):
        train(Judged(), LoopSettings(10, 5, judge="accuracy"), tmp_path, progress=False)
    assert not (tmp_path / LAST).exists()
