"""Training: what it leaves behind, when it stops, that it can be resumed, and what it refuses."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from kineseg_training.data import Corpus, Source, load_corpus
from kineseg_training.default.checkpoint import Checkpoint, load_checkpoint
from kineseg_training.default.fit import LAST, FitSettings, fit
from kineseg_training.default.history import Epoch
from kineseg_training.errors import CheckpointError, DataError, SettingsError
from kineseg_training.models import Seq2SeqSettings


class InterruptedRunError(Exception):
    """Stands for whatever ends a run early."""


def same_parameters(a: Checkpoint, b: Checkpoint) -> bool:
    pairs = [(a.model, b.model), (a.best_model, b.best_model)]
    return all(one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one) for one, two in pairs)


def test_a_run_leaves_checkpoint_csv_plot_and_settings(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    checkpoint = fit(corpus, tiny, tmp_path / "run", progress=False)
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [LAST, "loss.png", "metrics.csv", "settings.json"]
    with (tmp_path / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["validation_loss"]) for row in rows] == [e.validation_loss for e in checkpoint.epochs]
    assert (tmp_path / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert same_parameters(load_checkpoint(tmp_path / "run" / LAST), checkpoint)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_it_learns(corpus: Corpus, tiny: FitSettings, tmp_path: Path, cell: str) -> None:
    settings = replace(tiny, cell=cell, epochs=5, steps=12, learning_rate=1e-2, hidden=24)  # type: ignore[arg-type]
    epochs = fit(corpus, settings, tmp_path, progress=False).epochs
    assert epochs[-1].train_loss < 0.7 * epochs[0].train_loss
    assert epochs[-1].validation_loss < epochs[0].validation_loss


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

    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        fit(corpus, tiny, tmp_path / "parts", progress=False, on_epoch=interrupt)
    resumed = fit(corpus, tiny, tmp_path / "parts", progress=False, resume=True)
    assert resumed.epochs == whole.epochs
    assert same_parameters(resumed, whole)
    for name in ("metrics.csv", "loss.png"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_resuming_a_finished_run_changes_nothing(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    done = fit(corpus, tiny, tmp_path, progress=False)
    assert same_parameters(fit(corpus, tiny, tmp_path, progress=False, resume=True), done)


def test_it_stops_when_validation_gets_no_better(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    # A learning rate at which nothing can be learned: whatever comes first stays best for long.
    settings = replace(tiny, epochs=30, patience=2, steps=1, learning_rate=5.0)
    epochs = fit(corpus, settings, tmp_path, progress=False).epochs
    best = min(epochs, key=lambda epoch: epoch.validation_loss).epoch
    assert len(epochs) == best + 2 < 30
    assert len(fit(corpus, settings, tmp_path, progress=False, resume=True).epochs) == len(epochs)


def test_the_best_epoch_is_kept_apart_from_the_last(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    settings = replace(tiny, epochs=30, patience=2, steps=1, learning_rate=5.0)
    best: list[dict[str, torch.Tensor]] = []

    def remember(epoch: Epoch) -> None:
        checkpoint = load_checkpoint(tmp_path / LAST)
        if epoch.validation_loss == min(e.validation_loss for e in checkpoint.epochs):
            best[:] = [dict(checkpoint.model)]

    checkpoint = fit(corpus, settings, tmp_path, progress=False, on_epoch=remember)
    assert all(torch.equal(checkpoint.best_model[k], best[0][k]) for k in best[0])
    assert not torch.equal(checkpoint.best_model["velocity.weight"], checkpoint.model["velocity.weight"])


def test_a_run_is_not_overwritten(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    fit(corpus, replace(tiny, epochs=1), tmp_path, progress=False)
    with pytest.raises(CheckpointError, match="--resume"):
        fit(corpus, tiny, tmp_path, progress=False)


def test_resume_wants_the_same_settings_and_data(corpus: Corpus, tiny: FitSettings, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        fit(corpus, tiny, tmp_path / "none", progress=False, resume=True)
    fit(corpus, tiny, tmp_path, progress=False)
    with pytest.raises(CheckpointError, match="hidden = 12, not 13"):
        fit(corpus, replace(tiny, hidden=13), tmp_path, progress=False, resume=True)
    with pytest.raises(CheckpointError, match="other data"):
        fit(load_corpus(Source(synthetic=2)), tiny, tmp_path, progress=False, resume=True)


def test_a_file_that_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / LAST).write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="not a checkpoint of kineseg-train"):
        load_checkpoint(tmp_path / LAST)


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
