"""Training the predictor: what it leaves behind, when it stops, that it can be resumed, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from kineseg_training.data import Corpus, Source, load_corpus
from kineseg_training.default.task import FitSettings
from kineseg_training.default.trained import Trained, fit, load_trained
from kineseg_training.errors import CheckpointError, DataError, SettingsError
from kineseg_training.loop import LAST, CourseRow, LoopSettings, load_saved, train
from kineseg_training.models import Seq2SeqSettings

from tests.training.loop.line import Line


class InterruptedRunError(Exception):
    """Stands for whatever ends a run early."""


def same_parameters(a: Trained, b: Trained) -> bool:
    one, two = a.model.state_dict(), b.model.state_dict()
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


def test_a_run_leaves_all_that_is_known_of_it(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    trained = fit(corpus, tiny, tmp_path / "run", progress=False)
    assert trained.epochs == 4
    assert [row.iteration for row in trained.course] == [0, 4, 8, 12, 16]
    assert 0 < trained.best_epoch <= 4
    assert trained.best.figures["validation_loss"] < trained.course[0].figures["validation_loss"]
    first = trained.course[0].figures
    assert first["rollout_loss"] == pytest.approx(first["standing_still_loss"])  # it begins with "nothing moves"
    again = load_trained(tmp_path / "run")
    assert same_parameters(again, trained)
    assert (again.settings, again.channels, again.held_out) == (tiny, corpus.channels, trained.held_out)
    assert (again.fingerprint, again.source) == (corpus.fingerprint, trained.source)
    assert set(again.held_out) < {clip.name for clip in corpus.clips}


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_it_learns(corpus: Corpus, tiny: FitSettings, tmp_path: Path, cell: str) -> None:
    settings = replace(tiny, cell=cell, epochs=5, steps=12, learning_rate=1e-2, hidden=24)  # type: ignore[arg-type]
    first, *_, last = [row.figures for row in fit(corpus, settings, tmp_path, progress=False).course[1:]]
    assert last["train_loss"] < 0.7 * first["train_loss"]
    assert last["validation_loss"] < first["validation_loss"]


def test_equal_runs_are_equal_to_the_bit_and_seeds_matter(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    runs = [
        fit(corpus, replace(tiny, seed=seed), tmp_path / name, progress=False)
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    assert same_parameters(runs[0], runs[1])
    assert not same_parameters(runs[0], runs[2])


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    corpus: Corpus, tiny: FitSettings, tmp_path: Path
) -> None:
    whole = fit(corpus, tiny, tmp_path / "whole", progress=False)

    def interrupt(row: CourseRow) -> None:
        if row.iteration == 2 * tiny.steps:
            raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        fit(corpus, tiny, tmp_path / "parts", progress=False, on_validation=interrupt)
    resumed = fit(corpus, tiny, tmp_path / "parts", progress=False, resume=True)
    assert resumed.course == whole.course
    assert same_parameters(resumed, whole)
    for name in ("course.csv", "course.png", "recipe.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_it_stops_when_validation_gets_no_better(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    # A learning rate at which nothing can be learned: whatever comes first stays best for long.
    settings = replace(tiny, epochs=30, patience=2, steps=1, learning_rate=5.0)
    trained = fit(corpus, settings, tmp_path, progress=False)
    assert trained.epochs == trained.best_epoch + 2 < 30
    resumed = fit(corpus, settings, tmp_path, progress=False, resume=True)
    assert resumed.course == trained.course
    assert same_parameters(resumed, trained)
    last = load_saved(tmp_path / LAST).network
    assert not torch.equal(trained.model.velocity.weight, last["velocity.weight"])


def test_a_run_is_not_overwritten(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    fit(corpus, replace(tiny, epochs=1), tmp_path, progress=False)
    with pytest.raises(CheckpointError, match="--resume"):
        fit(corpus, tiny, tmp_path, progress=False)


def test_resume_wants_the_same_settings_and_data(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    fit(corpus, tiny, tmp_path, progress=False)
    with pytest.raises(CheckpointError, match="hidden = 12, not 13"):
        fit(corpus, replace(tiny, hidden=13), tmp_path, progress=False, resume=True)
    with pytest.raises(CheckpointError, match=r"trained with data = \w+, not \w+; resume with the same"):
        fit(load_corpus(Source(synthetic=2)), tiny, tmp_path, progress=False, resume=True)


def test_what_is_no_run_of_the_predictor(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint; train first"):
        load_trained(tmp_path)
    (tmp_path / LAST).write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="not a checkpoint of kineseg-train"):
        load_trained(tmp_path)
    train(Line(), LoopSettings(1), tmp_path / "line", progress=False)
    with pytest.raises(CheckpointError, match="not a run of the predictor"):
        load_trained(tmp_path / "line")


def test_clips_shorter_than_a_window(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="use longer clips or smaller windows"):
        fit(corpus, replace(tiny, source=5000, shortest_source=5000), tmp_path, progress=False)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be a positive number"),
        ({"rate": float("nan")}, "rate must be a positive number"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
        ({"shortest_source": 51}, "shortest_source .51. must not be longer than source"),
    ],
)
def test_settings_that_make_no_sense(change: dict[str, float], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        FitSettings(**change)  # type: ignore[arg-type]


def test_models_that_make_no_sense() -> None:
    with pytest.raises(SettingsError, match="cell must be 'gru' or 'lstm'"):
        Seq2SeqSettings(5, cell="transformer")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="hidden"):
        Seq2SeqSettings(5, hidden=0)


def test_a_device_that_is_not_there(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="device: 'nonsense' cannot be used here"):
        fit(corpus, tiny, tmp_path, device="nonsense", progress=False)
