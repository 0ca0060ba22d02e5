"""The experiments with the composite LSTM, at the smallest size: whole, resumable, and what they say of numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg_training.errors import DataError
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.studies.exhibit import Exhibit, RunContext
from kineseg_training.studies.srivastava_2015.commands import app
from kineseg_training.studies.srivastava_2015.extrapolation.results import (
    BACK,
    after_longer_inputs,
    decoded,
    length_needed,
    reach,
    rhythm,
)
from kineseg_training.studies.srivastava_2015.extrapolation.run import extrapolation
from kineseg_training.studies.srivastava_2015.scores import (
    GOES_ON,
    MEAN,
    STAYS,
    baseline_errors,
    evaluation_windows,
    model_errors,
)
from kineseg_training.studies.srivastava_2015.sequences import cmu_poses
from kineseg_training.studies.srivastava_2015.task import SIZES, CompositeTraining
from kineseg_training.studies.srivastava_2015.trained import VARIANTS
from kineseg_training.studies.srivastava_2015.variants.run import VariantError, agreement_and_verdict, variants
from typer.testing import CliRunner

TRAINING = CompositeTraining(source=5, target=4)


@pytest.fixture(scope="module")
def context(cmu_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunContext:
    """Where the experiments are made, sharing their trained models."""
    out = tmp_path_factory.mktemp("composite") / "variants"
    out.mkdir()
    return RunContext(out, "tiny", cmu_folder, progress=False)


@pytest.fixture(scope="module")
def compared(context: RunContext) -> Exhibit:
    """The six variants."""
    return variants(context)


def model(**settings: object) -> CompositeLSTM:
    torch.manual_seed(0)
    return CompositeLSTM(CompositeSettings(3, 6, **settings)).eval()  # type: ignore[arg-type]


def test_all_variants_are_in_the_table_beside_what_needs_no_model(context: RunContext, compared: Exhibit) -> None:
    compared.save(context.out)
    assert Exhibit.load(context.out) == compared
    table, by_action = compared.tables
    names = [str(row[0]) for row in table.rows]
    assert all(any(name.startswith(variant) for name in names) for variant in VARIANTS)
    assert names[-4:] == [STAYS, GOES_ON, MEAN, "mean of the frames read"]
    assert [row[0] for row in by_action.rows] == list(cmu_poses(context.needs_cmu())[1].actions)
    still = [float(row[3]) for row in by_action.rows]
    assert np.mean(still) == pytest.approx(compared.figures[f"error, {STAYS}"])
    assert compared.figures["future error, composite"] > 0
    # Those that do not reconstruct have no such error; of those that do not predict, a decoder on their encoder does.
    assert "past error, predict" not in compared.figures
    assert "future error, reconstruct" in compared.figures
    assert compared.command.startswith("kineseg-train composite variants")


def test_what_is_trained_is_not_trained_again(context: RunContext, compared: Exhibit) -> None:
    before = {path: path.stat().st_mtime_ns for path in context.out.parent.rglob("last.pt")}
    runs = SIZES["tiny"].seeds * (
        len(VARIANTS) + 3 + 2
    )  # teacher forcing, plain takes, depth; decoders on two encoders
    assert len(before) == runs
    assert variants(context) == compared
    assert before == {path: path.stat().st_mtime_ns for path in context.out.parent.rglob("last.pt")}


def test_beyond_the_trained_length(context: RunContext, compared: Exhibit) -> None:
    there = replace(context, out=context.out.parent / "extrapolation")
    there.out.mkdir()
    exhibit = extrapolation(there)
    exhibit.save(there.out)
    assert {picture.file for picture in exhibit.pictures} == {path.name for path in there.out.glob("*.png")}
    table, longer = exhibit.tables
    assert [row[0] for row in table.rows] == ["motion"] * 5 + ["shapes"] * 5
    assert [row[0] for row in longer.rows] == [6, 12, 18, 24]


def test_the_commands_print_what_was_found(context: RunContext, compared: Exhibit) -> None:
    arguments = ["variants", str(context.out), "--preset", "tiny", "--cmu", str(context.cmu), "--quiet"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert compared.findings[0] in result.output
    wrong = CliRunner().invoke(app, ["extrapolation", str(context.out), "--preset", "huge"])
    assert wrong.exit_code == 2


def test_errors_are_those_of_the_frames_they_are_named_by() -> None:
    made = model()
    frames = np.random.default_rng(0).standard_normal((4, 9, 3)).astype(np.float32)
    errors = model_errors(made, frames, 5)
    with torch.no_grad():
        window = torch.from_numpy(frames)
        _, state = made.encode(window[:, :5])
        back = made.reconstruct(state, 5)
        ahead = made.predict(state, 4)
    np.testing.assert_allclose(errors["past"][1], ((back[:, 1] - window[:, 3]) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(errors["future"][2], ((ahead[:, 2] - window[:, 7]) ** 2).mean(), rtol=1e-5)
    straight = np.cumsum(np.ones((2, 9, 3), np.float32), axis=1)
    simple = baseline_errors(made, straight, 5)
    np.testing.assert_allclose(simple[STAYS], [1, 4, 9, 16])
    np.testing.assert_allclose(simple[GOES_ON], 0)
    np.testing.assert_allclose(simple[MEAN], np.arange(6, 10) ** 2)
    made.set_normalisation(np.ones(3), np.full(3, 2.0))
    np.testing.assert_allclose(baseline_errors(made, straight, 5)[STAYS], np.array([1, 4, 9, 16]) / 4)


def test_the_axis_of_time_has_its_zero_at_the_last_frame_read() -> None:
    made = model()
    sequences = torch.randn(3, length_needed(TRAINING), 3, generator=torch.Generator().manual_seed(0))
    found = reach(made, sequences, torch.zeros(3), TRAINING)
    assert found.first == 1 - BACK * TRAINING.source
    assert found.parts()["what was read"] == (-4, 0)
    zero = -found.first
    with torch.no_grad():
        read = sequences[:, zero - 4 : zero + 1]
        _, state = made.encode(read)
        expected = torch.cat([made.reconstruct(state, 1), made.predict(state, 1)], dim=1)
    torch.testing.assert_close(decoded(made, sequences, TRAINING)[:, zero : zero + 2], expected)
    assert np.isnan(found.baselines[STAYS][zero - 4 : zero + 1]).all()
    now, then = (sequences[:, zero + n] for n in (0, 3))
    assert found.baselines[STAYS][zero + 3] == pytest.approx(((now - then) ** 2).mean().item(), rel=1e-5)
    assert list(after_longer_inputs(made, sequences[:, :24], TRAINING)) == [5, 10, 15, 20]


def test_rhythm_is_found_where_there_is_one() -> None:
    time = np.arange(90)
    waves = np.sin(2 * np.pi * time / 15 + np.arange(20)[:, None]).T[None]
    heard = rhythm(waves)
    assert heard.moving == 1
    assert heard.strength > 0.95
    assert heard.period == pytest.approx(15, abs=1)
    noise = np.random.default_rng(0).standard_normal((4, 90, 30))
    assert rhythm(noise).strength < 0.4
    assert rhythm(np.exp(-time / 20)[None, :, None]).strength < 0.4
    still = rhythm(np.full((1, 90, 5), 0.7))
    assert (still.moving, still.strength) == (0, 0)


def score(future: float) -> VariantError:
    return VariantError(np.full((2, 3), future), None, {})


@pytest.mark.parametrize(
    ("errors", "agreement"),
    [
        ({"predict": 4, "predict, conditional": 3, "composite": 2, "composite, conditional": 1}, "agrees"),
        ({"predict": 1, "predict, conditional": 2, "composite": 3, "composite, conditional": 4}, "disagrees"),
        ({"predict": 4, "predict, conditional": 3, "composite": 1, "composite, conditional": 2}, "partly"),
    ],
)
def test_the_verdict_follows_from_the_numbers(errors: dict[str, float], agreement: str) -> None:
    scores = {name: score(value) for name, value in errors.items()}
    best = min(errors, key=lambda name: errors[name])
    found, words = agreement_and_verdict(scores, best)
    assert found == agreement
    assert f"(best: {best})" in words


def test_clips_that_are_too_short_are_refused(context: RunContext) -> None:
    _, test = cmu_poses(context.needs_cmu())
    assert "running" not in evaluation_windows(test, 50, 60)
    with pytest.raises(DataError, match="every test clip is shorter than 5000 frames"):
        evaluation_windows(test, 50, 5000)
