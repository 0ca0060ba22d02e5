"""The network learns, looks at nothing that is not known, and is the same in its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import BoundaryNetwork, Look, NetworkFile, layout
from kineseg_core.boundary_network.file import METADATA, VERSION
from kineseg_training.default.boundary_network.calibration import Calibration
from kineseg_training.default.boundary_network.examples import ExamplePool, make_examples
from kineseg_training.default.boundary_network.export import INPUTS, NO_DISCREPANCY, OUTPUT, to_bytes
from kineseg_training.default.boundary_network.fit import FitSettings, Fitted, fit, inputs
from kineseg_training.default.boundary_network.network import NetworkSize
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.teacher import probabilities
from kineseg_training.errors import SettingsError
from numpy.typing import NDArray
from torch import Tensor

SIZE = NetworkSize((8, 16, 24), 32)
TINY = FitSettings(SIZE, steps=160, batch=64, seed=2)
UNCALIBRATED = Calibration(1.5, {})


@pytest.fixture(scope="module")
def pool(library: Library) -> ExamplePool:
    return make_examples(library, 16, 1)


@pytest.fixture(scope="module")
def fitted(pool: ExamplePool) -> Fitted:
    return fit(pool, TINY)


def test_fitting_lowers_the_loss_and_finds_boundaries(fitted: Fitted, pool: ExamplePool) -> None:
    assert len(fitted.loss) == 20
    assert np.mean(fitted.loss[-6:]) < 0.75 * fitted.loss[0]
    every = pool.batch(np.arange(len(pool)))
    with torch.no_grad():
        logits = fitted.network(*inputs(every)).numpy()
    assert logits[every.target > 0.5].mean() > logits[every.target < 0.01].mean() + 1.0


def test_equal_examples_and_settings_give_equal_bytes(fitted: Fitted, pool: ExamplePool) -> None:
    few = FitSettings(SIZE, steps=5, batch=16)
    assert to_bytes(fit(pool, few).network, UNCALIBRATED) == to_bytes(fit(pool, few).network, UNCALIBRATED)
    assert to_bytes(fit(pool, few).network, UNCALIBRATED) != to_bytes(fitted.network, UNCALIBRATED)


def test_a_teacher_says_what_its_network_says(fitted: Fitted, pool: ExamplePool) -> None:
    said = probabilities(fitted.network, pool)
    with torch.no_grad():
        expected = torch.sigmoid(fitted.network(*inputs(pool.batch(np.arange(len(pool)))))).numpy()
    np.testing.assert_allclose(said, expected, atol=1e-5)


def test_what_has_a_teacher_comes_nearer_to_it(fitted: Fitted, pool: ExamplePool) -> None:
    contrary = 1.0 - probabilities(fitted.network, pool)  # so that the truth does not lead there

    def away(teacher: NDArray[np.float32] | None) -> float:
        few = FitSettings(SIZE, steps=40, batch=64)
        return float(np.abs(probabilities(fit(pool, few, teacher).network, pool) - contrary).mean())

    assert away(contrary) < 0.8 * away(None)


def wild(seed: int, size: float, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Inputs of any size, with any pieces known."""
    rng = np.random.default_rng(seed)
    views, pieces = layout.VIEWS, layout.PIECES
    lag = rng.integers(len(layout.LAGS), size=count)
    end = np.array([layout.pieces_known(layout.LAGS[i]) for i in lag])
    known = np.stack([rng.integers(layout.PIECES_BEFORE, size=count), end], axis=1)
    patches = size * rng.standard_normal((count, 2 * views, pieces, pieces))
    units = size * rng.standard_normal((count, views))
    far = size * rng.standard_normal((count, 2, pieces, layout.STRETCHES))
    return (
        torch.from_numpy(patches.astype(np.float32)),
        torch.from_numpy(units.astype(np.float32)),
        torch.from_numpy(known),
        torch.from_numpy(lag),
        torch.from_numpy(far.astype(np.float32)),
    )


def as_looks(given_inputs: tuple[Tensor, ...], discrepancies: NDArray[np.float32]) -> list[Look]:
    """The same as the service sees it: 0 where nothing is known, and nothing beyond the ranges."""
    patches, units, known, lag, far = (one.numpy() for one in given_inputs)
    piece = np.arange(layout.PIECES)
    pieces = ((piece >= known[:, :1]) & (piece < known[:, 1:])).astype(np.float32)
    mask = (pieces[:, :, None] * pieces[:, None, :])[:, None]
    maps = np.concatenate([patches.clip(*layout.PATCH_RANGE) * mask, mask], axis=1)
    far = far.clip(*layout.PATCH_RANGE) * pieces[:, None, :, None]
    return [
        Look(0, layout.LAGS[lag[i]], maps[i], units[i], int(known[i, 0]), discrepancies[i], far[i])
        for i in range(len(maps))
    ]


@given(seed=st.integers(0, 10**6), size=st.floats(0.01, 100.0), count=st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_the_file_gives_what_the_network_gives(fitted: Fitted, seed: int, size: float, count: int) -> None:
    given_inputs = wild(seed, size, count)
    with torch.no_grad():
        expected = fitted.network(*given_inputs).numpy()
    discrepancies = np.random.default_rng(seed).random((count, layout.COMPARED)).astype(np.float32)
    expected += UNCALIBRATED.discrepancy_weight * (discrepancies - NO_DISCREPANCY).sum(axis=1)
    file = NetworkFile.read(to_bytes(fitted.network, UNCALIBRATED), Path("bundle"))
    looks = as_looks(given_inputs, discrepancies)
    session = ort.InferenceSession(file.graph, providers=["CPUExecutionProvider"])
    shown = [
        np.stack([one.maps for one in looks]), np.stack([one.context for one in looks]), given_inputs[3].numpy(),
        discrepancies,
    ]  # fmt: skip
    (logits,) = session.run([OUTPUT], dict(zip(INPUTS, shown, strict=True)))
    assert logits.shape == (count,)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)
    assert BoundaryNetwork(file)(looks) == pytest.approx(1.0 / (1.0 + np.exp(-logits.astype(np.float64))), abs=1e-6)


def test_the_file_says_what_it_is(fitted: Fitted) -> None:
    model = onnx.load_model_from_string(to_bytes(fitted.network, UNCALIBRATED))
    described = json.loads({entry.key: entry.value for entry in model.metadata_props}[METADATA])
    assert described["version"] == VERSION
    assert described["operating_point"] == {}
    assert [entry.version for entry in model.opset_import] == [18]


def test_what_is_not_known_does_not_count(fitted: Fitted) -> None:
    patches, units, known, lag, far = wild(3, 1.0, 20)
    piece = torch.arange(layout.PIECES)
    pieces = (piece >= known[:, :1]) & (piece < known[:, 1:])
    pair, row = (pieces[:, :, None] & pieces[:, None, :])[:, None], pieces[:, None, :, None]
    rest = units, known, lag
    with torch.no_grad():
        before = fitted.network(patches, *rest, far)
        outside = fitted.network(torch.where(pair, patches, 7.0), *rest, torch.where(row, far, 7.0))
        near = fitted.network(torch.where(pair, patches + 1.0, patches), *rest, far)
        farther = fitted.network(patches, *rest, torch.where(row, far + 1.0, far))
    assert torch.equal(before, outside)
    assert not torch.allclose(before, near)
    assert not torch.allclose(before, farther)


def test_impossible_settings_are_named() -> None:
    with pytest.raises(SettingsError, match="steps must be at least 2"):
        FitSettings(SIZE, steps=1)
    with pytest.raises(SettingsError, match="batch must be at least 1"):
        FitSettings(SIZE, steps=10, batch=0)
    with pytest.raises(SettingsError, match="taught must be 0 to 1"):
        FitSettings(SIZE, steps=10, taught=1.5)
