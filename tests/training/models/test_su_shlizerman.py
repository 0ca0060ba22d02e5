"""The tied predictor: rows do not mix, the decoder hears itself, the same GRU reads and goes on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings

CHANNELS, HIDDEN = 7, 11


def model(**options: int) -> TiedSeq2Seq:
    torch.manual_seed(0)
    return TiedSeq2Seq(TiedSettings(CHANNELS, HIDDEN, **options)).eval()


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(2, 9), st.integers(1, 9), st.booleans(), st.booleans(), st.integers(0, 2**16))
def test_a_batch_gives_what_its_rows_give_alone(
    rows: int, source: int, n: int, residual: bool, reread: bool, seed: int
) -> None:
    network = model(residual=residual, reread=reread)
    frames = torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, source, CHANNELS), dtype=np.float32))
    with torch.no_grad():
        predictions, states = network(frames, n)
        alone = [network(frames[row : row + 1], n) for row in range(rows)]
    torch.testing.assert_close(predictions, torch.cat([p for p, _ in alone]), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(states, torch.cat([s for _, s in alone]), rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_the_decoder_goes_on_from_its_own_predictions() -> None:
    network = model()
    frames = torch.randn(2, 6, CHANNELS)
    _, state = network.encode(frames)
    frame = frames[:, -1]
    predictions, states = network.decode(frame, state, 4)
    for n in range(4):
        frame, state = network.step(frame, state)
        torch.testing.assert_close(predictions[:, n], frame)
        torch.testing.assert_close(states[:, n], state)
    torch.testing.assert_close(network.readout(states), predictions)


@torch.no_grad()
def test_reading_a_prediction_and_decoding_it_are_the_same_step() -> None:
    network = model()
    frames = torch.randn(3, 5, CHANNELS)
    _, state = network.encode(frames[:, :-1])
    _, decoded = network.decode(frames[:, -1], state, 1)
    encoded, last = network.encode(frames)
    torch.testing.assert_close(decoded[:, 0], encoded[:, -1])
    torch.testing.assert_close(last, encoded[:, -1])


@torch.no_grad()
def test_the_last_frame_is_read_twice_or_once() -> None:
    frames = torch.randn(1, 5, CHANNELS)
    twice, once = model()(frames, 1)[1], model(reread=False)(frames, 1)[1]
    read, _ = model().encode(frames)
    torch.testing.assert_close(once[:, 0], read[:, -1])
    torch.testing.assert_close(twice[:, 0], model().encode(torch.cat([frames, frames[:, -1:]], dim=1))[0][:, -1])


@torch.no_grad()
def test_a_residual_predictor_adds_to_the_frame() -> None:
    frames = torch.randn(1, 5, CHANNELS)
    change, frame = model()(frames, 1)[0][:, 0], model(residual=True)(frames, 1)[0][:, 0]
    torch.testing.assert_close(frame, frames[:, -1] + change)


@pytest.mark.parametrize("length", [3, 4, 20, 21, 50])
def test_layer_sequences_follow_the_clip(length: int) -> None:
    network = model(source=8, target=5)
    network.set_normalisation(np.full(CHANNELS, 2.0), np.full(CHANNELS, 4.0))
    clip = np.random.default_rng(0).standard_normal((length, CHANNELS))
    layers = network.layer_sequences(clip)
    assert list(layers) == ["input", "encoder", "decoder"]
    read = min(8, length - 1)
    assert [layer.shape for layer in layers.values()] == [(length, CHANNELS), (length, HIDDEN), (length - read, HIDDEN)]
    np.testing.assert_allclose(layers["input"], (clip - 2) / 4, rtol=1e-5, atol=1e-6)
    normalised = torch.from_numpy(layers["input"])[None]
    with torch.no_grad():
        first = network(normalised[:, :read], 5)[1][0].numpy()
    shared = min(5, length - read)
    np.testing.assert_allclose(layers["decoder"][:shared], first[:shared], rtol=1e-5, atol=1e-6)


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in ({"channels": 0}, {"channels": 3, "hidden": 0}, {"channels": 3, "source": 1}):
        with pytest.raises(SettingsError, match=list(wrong)[-1]):
            TiedSettings(**wrong)
    with pytest.raises(DataError, match="2 frames"):
        model().layer_sequences(np.zeros((2, CHANNELS)))
