"""Training a composite LSTM: what it learns from, that it learns, and resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg.motion import CANONICAL_CHANNELS
from kineseg_training.data import mirrored
from kineseg_training.errors import CheckpointError, DataError, SettingsError, TrainingError
from kineseg_training.loop import LAST, LoopSettings, train
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.srivastava_2015.commands import app
from kineseg_training.studies.srivastava_2015.moving_shapes import ShapesSettings
from kineseg_training.studies.srivastava_2015.sequences import PoseSequences, ShapeSequences, cmu_poses
from kineseg_training.studies.srivastava_2015.task import CompositeTask, CompositeTraining
from kineseg_training.studies.srivastava_2015.trained import load_composite, trained_composite
from typer.testing import CliRunner

TRAINING = CompositeTraining(source=5, target=4, iterations=6, batch=4)
CHANNELS = len(CANONICAL_CHANNELS)


@pytest.fixture(scope="module")
def poses(cmu_folder: Path) -> PoseSequences:
    """Of the CMU training clips."""
    return cmu_poses(cmu_folder)[0]


def task(
    sequences: PoseSequences | ShapeSequences, training: CompositeTraining = TRAINING, **settings: bool
) -> CompositeTask:
    model = CompositeSettings(sequences.inputs, 16, output=sequences.output, window=training.source, **settings)
    return CompositeTask(model, sequences, training, seed=1)


def parameters(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.detach().reshape(-1) for value in model.state_dict().values()])


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.output


@pytest.mark.parametrize("conditional", [False, True])
def test_it_learns_motion(poses: PoseSequences, tmp_path: Path, conditional: bool) -> None:
    training = replace(TRAINING, iterations=60, batch=8, learning_rate=3e-2)
    made = task(poses, training, conditional=conditional)
    saved = train(made, LoopSettings(60, 60), tmp_path / "run", progress=False)
    before, after = saved.course[0].figures, saved.course[-1].figures
    assert after["validation_loss"] < 0.9 * before["validation_loss"]
    assert after["validation_loss"] == pytest.approx(after["past_loss"] + after["future_loss"])
    again = load_composite(tmp_path / "run")
    assert again.settings == made.network.settings
    assert torch.equal(parameters(again), parameters(made.network))


def test_interrupted_and_resumed_it_comes_to_the_same(tmp_path: Path) -> None:
    shapes = ShapeSequences(patch=16)
    whole, half, rest = (task(shapes, conditional=True) for _ in range(3))
    train(whole, LoopSettings(6, 3, seed=1), tmp_path / "whole", progress=False)

    def stop(row: object) -> None:
        raise KeyboardInterrupt

    stopping = iter([lambda row: None, stop])
    with pytest.raises(KeyboardInterrupt):
        train(
            half,
            LoopSettings(6, 3, seed=1),
            tmp_path / "cut",
            progress=False,
            on_validation=lambda r: next(stopping)(r),
        )
    train(rest, LoopSettings(6, 3, seed=1), tmp_path / "cut", resume=True, progress=False)
    assert torch.equal(parameters(whole.network), parameters(rest.network))
    other = task(shapes, replace(TRAINING, forced=True), conditional=True)
    with pytest.raises(CheckpointError, match="trained with training"):
        train(other, LoopSettings(6, 3, seed=1), tmp_path / "cut", resume=True, progress=False)


def test_teacher_forcing_only_matters_to_conditional_decoders(tmp_path: Path) -> None:
    shapes = ShapeSequences(patch=16)
    for conditional in (False, True):
        found = []
        for forced in (False, True):
            made = task(shapes, replace(TRAINING, forced=forced), conditional=conditional)
            train(made, LoopSettings(6), tmp_path / f"{conditional}{forced}", progress=False)
            found.append(parameters(made.network))
        assert torch.equal(*found) is not conditional


def test_a_frozen_encoder_stays_what_it_was(tmp_path: Path) -> None:
    shapes = ShapeSequences(patch=16)
    first = task(shapes, predict=False)
    train(first, LoopSettings(6), tmp_path / "first", progress=False)
    model = replace(first.network.settings, reconstruct=False, predict=True)
    second = CompositeTask(model, shapes, TRAINING, seed=2, frozen=first.network)
    before = parameters(second.network.future_decoder())
    train(second, LoopSettings(6), tmp_path / "second", progress=False)
    assert torch.equal(parameters(second.network.encoder), parameters(first.network.encoder))
    assert not torch.equal(parameters(second.network.future_decoder()), before)
    with pytest.raises(SettingsError, match="another number of inputs, units or layers"):
        CompositeTask(replace(model, hidden=17), shapes, TRAINING, frozen=first.network)


def test_windows_are_of_training_clips_varied_and_mirrored() -> None:
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal((30, CHANNELS)) for _ in range(3)]
    plain = PoseSequences(clips[:2], clips[2:], CANONICAL_CHANNELS, mirror=True)
    drawn = plain.draw(50, 7, np.random.default_rng(1))
    assert np.array_equal(drawn, plain.draw(50, 7, np.random.default_rng(1)))
    there = [
        clip.astype(np.float32)[start : start + 7].tobytes()
        for one in clips[:2]
        for clip in (one, mirrored(one, CANONICAL_CHANNELS))
        for start in range(24)
    ]
    which = {there.index(window.tobytes()) // 24 for window in drawn}
    assert which == {0, 1, 2, 3}
    assert {window.tobytes() for window in plain.held_out(100, 7)} == {
        clips[2].astype(np.float32)[start : start + 7].tobytes() for start in range(24)
    }
    assert len(plain.held_out(5, 7)) == 5
    varied = PoseSequences(clips[:2], clips[2:], CANONICAL_CHANNELS, mirror=True, vary=True)
    changed = varied.draw(50, 7, np.random.default_rng(1)) - drawn
    assert (np.abs(changed).mean(axis=(1, 2)) > 1e-3).all()
    assert np.array_equal(
        varied.held_out(9, 7), plain.held_out(9, 7)
    )  # measured against what was, not by what was made of it
    assert varied.fingerprint != plain.fingerprint
    with pytest.raises(DataError, match="every clip is shorter than a window of 31 frames"):
        plain.draw(1, 31, rng)


def test_films_come_as_patches_and_are_judged_by_others_than_trained_on() -> None:
    shapes = ShapeSequences(ShapesSettings(count=1), patch=8)
    assert (shapes.inputs, shapes.output) == (64, "logistic")
    held_out = shapes.held_out(5, 6)
    assert held_out.shape == (5, 6, 64)
    assert np.array_equal(held_out, shapes.held_out(5, 6))
    assert shapes.fingerprint != ShapeSequences(ShapesSettings(count=2), patch=8).fingerprint
    with pytest.raises(SettingsError, match="do not fill a frame"):
        ShapeSequences(patch=7)
    with pytest.raises(SettingsError, match="made for 3 inputs"):
        CompositeTask(CompositeSettings(3, 4), shapes, TRAINING)


def test_the_shared_model_is_trained_once_and_read_then(cmu_folder: Path, tmp_path: Path) -> None:
    context = RunContext(tmp_path / "one", "tiny", cmu_folder, progress=False)
    context.out.mkdir()
    made = trained_composite(context)
    assert isinstance(made, CompositeLSTM)
    assert not made.training
    written = (context.models / "composite" / LAST).stat().st_mtime_ns
    again = trained_composite(replace(context, out=tmp_path / "two"))
    assert torch.equal(parameters(made), parameters(again))
    assert (context.models / "composite" / LAST).stat().st_mtime_ns == written
    clip = cmu_poses(cmu_folder)[1].clips[0].frames
    assert {len(value) for value in made.layer_sequences(clip).values()} == {len(clip)}
    with pytest.raises(CheckpointError, match="seed"):
        trained_composite(replace(context, seed=5))
    with pytest.raises(DataError, match="--cmu"):
        trained_composite(replace(context, cmu=tmp_path))


def test_another_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_composite(tmp_path)
    made = task(ShapeSequences(patch=16))
    made.recipe = {"model": {"hidden": 3}}
    train(made, LoopSettings(1), tmp_path / "run", progress=False)
    with pytest.raises(CheckpointError, match="not a run of a composite LSTM"):
        load_composite(tmp_path / "run")


FILMS = ("--data", "shapes", "--preset", "tiny", "--patch", "16", "--quiet")


def test_the_command_trains_resumes_and_says_what_it_found(tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = (*FILMS, "--variant", "predict", "--no-conditional", "--layers", "2", "--validate-every", "2")
    said = run("train", out, *options)
    assert "best after 4 iterations" in said
    assert "past loss" not in said
    settings = load_composite(out).settings
    assert (settings.reconstruct, settings.predict, settings.conditional, settings.layers) == (False, True, False, 2)
    assert settings.inputs == 16
    assert "--resume" in run("train", out, *options, status=1)
    assert "best after 4 iterations" in run("train", out, *options, "--resume")
    assert "past loss" in run("train", tmp_path / "mixed", *FILMS, "--precision", "bfloat16", "--forced")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--variant", "both"), "variant must be reconstruct, predict or composite"),
        (("--data", "digits"), "data must be poses or shapes"),
        (("--patch", "7"), "do not fill a frame"),
        (("--precision", "float16"), "needs a CUDA device"),
        (("--layers", "0"), "layers must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    assert says in " ".join(run("train", tmp_path / "run", *FILMS, *arguments, status=1).split())


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(TrainingError, match="batch must be at least 1"):
        CompositeTraining(batch=0)
    with pytest.raises(TrainingError, match="learning_rate must be above zero"):
        CompositeTraining(learning_rate=float("nan"))
