"""Training the tied predictor: it learns, the adversaries matter, runs are repeatable, one command does it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg_training.commands import app
from kineseg_training.errors import CheckpointError, DataError, SettingsError
from kineseg_training.loop import LAST, LoopSettings, Saved, load_saved, train
from kineseg_training.models.su_shlizerman import FIDELITY_WEIGHT, Adversaries
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.su_shlizerman_2019.task import PRESETS, BaselineSettings, TiedTask, normalisation
from kineseg_training.studies.su_shlizerman_2019.trained import CANONICAL_PRESETS, FAMILY, load_su, trained_su
from numpy.typing import NDArray
from typer.testing import CliRunner

TINY = PRESETS["tiny"]


def waves(length: int = 120, channels: int = 5) -> NDArray[np.float64]:
    time = np.arange(length)[:, None]
    return np.sin(time / (3 + np.arange(channels))) + 10


def run(folder: Path, settings: BaselineSettings, seed: int = 0) -> tuple[TiedTask, Saved]:
    task = TiedTask([waves(), waves(90)], settings, seed=seed)
    return task, train(task, LoopSettings(settings.iterations, 30, seed=seed), folder, progress=False)


def parameters(task: TiedTask) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in task.predictor.parameters()])


@pytest.mark.parametrize(("adversarial", "iterations", "rate"), [(False, 30, 1e-2), (True, 60, 3e-3)])
def test_it_learns_to_predict(tmp_path: Path, adversarial: bool, iterations: int, rate: float) -> None:
    _, saved = run(tmp_path, replace(TINY, iterations=iterations, adversarial=adversarial, learning_rate=rate))
    first, last = saved.course[0].figures, saved.course[-1].figures
    assert last["validation_loss"] < 0.9 * first["validation_loss"]
    assert ("adversary_loss" in last) == adversarial


def test_adversaries_change_what_is_learnt(tmp_path: Path) -> None:
    plain, _ = run(tmp_path / "plain", replace(TINY, iterations=2))
    adversarial_run, _ = run(tmp_path / "adversarial_run", replace(TINY, iterations=2, adversarial=True))
    assert not torch.equal(parameters(plain), parameters(adversarial_run))


def test_equal_seeds_give_equal_parameters_and_others_do_not(tmp_path: Path) -> None:
    runs = [
        run(tmp_path / str(n), replace(TINY, iterations=5, adversarial=True), seed)[0]
        for n, seed in enumerate((1, 1, 2))
    ]
    assert torch.equal(parameters(runs[0]), parameters(runs[1]))
    assert not torch.equal(parameters(runs[0]), parameters(runs[2]))


def test_the_predictor_is_drawn_to_what_the_adversaries_call_real() -> None:
    torch.manual_seed(0)
    adversaries = Adversaries(3, 8)
    source, target = torch.randn(4, 6, 3), torch.randn(4, 5, 3)
    predicted = torch.randn(4, 5, 3, requires_grad=True)
    adversaries.loss(source, predicted, target).backward()
    assert predicted.grad is None  # the adversaries' loss does not train the predictor
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in adversaries.parameters())

    (with_adversaries,) = torch.autograd.grad(adversaries.predictor_loss(source, predicted, target), predicted)
    (error_alone,) = torch.autograd.grad(FIDELITY_WEIGHT * ((predicted - target) ** 2).mean(), predicted)
    pull = with_adversaries - error_alone
    assert pull.abs().max() > 1e-6
    moved = predicted - 0.5 * pull / pull.norm()
    with torch.no_grad():
        called = [
            FIDELITY_WEIGHT * adversaries.fidelity(p) + adversaries.continuity(torch.cat([source, p], dim=1))
            for p in (predicted, moved)
        ]
    assert called[1].mean() > called[0].mean()


def test_a_channel_that_never_changes_keeps_its_scale() -> None:
    frames = np.c_[waves(), np.full(120, 3.0)]
    mean, scale = normalisation([frames])
    assert mean[-1] == 3.0
    assert scale[-1] == 1.0
    np.testing.assert_allclose(scale[:-1], frames[:, :-1].std(axis=0))


def test_clips_shorter_than_a_window_are_refused_and_one_long_enough_will_do() -> None:
    with pytest.raises(DataError, match=r"shorter than a window of 24 frames \(the longest has 20\)"):
        TiedTask([waves(20), waves(10)], TINY)
    task = TiedTask([waves(20), waves(24)], TINY)
    with torch.no_grad():
        assert task.validate()["validation_loss"] > 0


def test_senseless_settings_are_refused() -> None:
    for wrong in ({"source": 1}, {"target": 0}, {"iterations": 0}, {"learning_rate": 0.0}, {"clip_norm": -1.0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            BaselineSettings(**wrong)  # type: ignore[arg-type]


def test_the_papers_settings_are_a_preset() -> None:
    paper = PRESETS["full"]
    assert (paper.source, paper.target, paper.hidden, paper.batch) == (25, 25, 1024, 16)
    assert (paper.learning_rate, paper.clip_norm, paper.iterations) == (1e-4, 1.0, 10_000)


def test_a_trained_predictor_is_found_again(few_clips: Path, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    context = RunContext(tmp_path / "experiment", "tiny", few_clips, progress=False)
    trained = trained_su(context)
    loaded = load_su(context.models / FAMILY)
    assert loaded.settings == trained.settings
    assert (loaded.settings.channels, loaded.settings.source) == (59, 16)
    clip = np.random.default_rng(0).standard_normal((40, 59))
    for name, states in trained.layer_sequences(clip).items():
        np.testing.assert_array_equal(states, loaded.layer_sequences(clip)[name])
    saved = load_saved(context.models / FAMILY / LAST)
    assert saved.iteration == CANONICAL_PRESETS["tiny"].iterations
    assert saved.course[-1].figures["validation_loss"] < saved.course[0].figures["validation_loss"]
    torch.save({"format": 1}, tmp_path / LAST)
    with pytest.raises(CheckpointError):
        load_su(tmp_path)


def command(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["baseline", "train", *map(str, arguments), "--preset", "tiny", "--quiet"])
    assert result.exit_code == status, result.output
    return result.output


def test_the_command_trains_and_goes_on_and_does_not_overwrite(few_clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = (out, "--cmu", few_clips, "--adversarial")
    assert "best validation loss" in command(*words, "--iterations", 4, "--precision", "bfloat16")
    command(*words, "--iterations", 6, "--resume")
    assert [row.iteration for row in load_saved(out / LAST).course] == [0, 4, 6]
    assert "--resume" in command(*words, status=1)
    assert "adversarial" in command(out, "--cmu", few_clips, "--resume", status=1)
    assert "--cmu" in command(tmp_path / "other", "--cmu", tmp_path / "nothing", status=1)
