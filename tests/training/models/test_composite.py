"""The composite LSTM: what its decoders are given, the order of what they give, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from torch import Tensor

C, H = 5, 12
SIX = [
    {"reconstruct": reconstruct, "predict": predict, "conditional": conditional}
    for reconstruct, predict in ((True, False), (False, True), (True, True))
    for conditional in (False, True)
]


def model(**settings: object) -> CompositeLSTM:
    torch.manual_seed(0)
    return CompositeLSTM(CompositeSettings(C, H, **settings)).eval()  # type: ignore[arg-type]


def frames(batch: int, length: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, length, C, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("variant", SIX, ids=str)
@torch.no_grad()
def test_each_variant_has_its_decoders_and_treats_a_sequence_alike_in_any_batch(
    variant: dict[str, bool], layers: int
) -> None:
    made = model(layers=layers, **variant)
    batch = frames(4, 7)
    together = made(batch, 3)
    assert {name: tuple(value.shape) for name, value in together.items()} == {
        name: (4, length, C)
        for name, length, wanted in (("past", 7, variant["reconstruct"]), ("future", 3, variant["predict"]))
        if wanted
    }
    for row in range(4):
        alone = made(batch[row : row + 1], 3)
        for name, value in together.items():
            torch.testing.assert_close(alone[name][0], value[row], rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_a_stream_read_in_pieces_ends_in_the_state_of_one_read_whole() -> None:
    made = model(layers=2)
    whole, state = made.encode(frames(2, 9))
    first, half = made.encode(frames(2, 9)[:, :4])
    second, end = made.encode(frames(2, 9)[:, 4:], half)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(end, state)


@torch.no_grad()
def test_only_a_conditional_decoder_sees_its_own_output() -> None:
    batch = frames(2, 6)
    for conditional in (False, True):
        made = model(predict=False, conditional=conditional)
        _, state = made.encode(batch)
        before = made.reconstruct(state, 4)
        assert made.reconstruction is not None
        # Another readout changes the first frame, and what follows only where the frame is read.
        states_before = made.reconstruction(state, 4)[1]
        made.reconstruction.readout.bias += 1.0
        states_after = made.reconstruction(state, 4)[1]
        assert not torch.allclose(made.reconstruct(state, 4), before)
        assert torch.equal(states_before[:, 0], states_after[:, 0])
        assert torch.equal(states_before[:, 1:], states_after[:, 1:]) is not conditional


@torch.no_grad()
def test_in_a_composite_model_only_the_future_is_conditional() -> None:
    made = model(conditional=True)
    assert made.reconstruction is not None
    assert made.future is not None
    assert (made.reconstruction.conditional, made.future.conditional) == (False, True)
    batch = frames(1, 6)
    _, state = made.encode(batch)
    assert not torch.allclose(made.predict(state, 1, batch[:, -1]), made.predict(state, 1, batch[:, 0]))
    with pytest.raises(SettingsError, match="has to be given the last frame"):
        made.predict(state, 3)


@torch.no_grad()
def test_true_frames_in_place_of_its_own_are_given_one_late() -> None:
    made = model(reconstruct=False, conditional=True)
    batch, target = frames(2, 6), frames(2, 4, seed=1)
    _, state = made.encode(batch)
    other = target.clone()
    other[:, 2] += 1.0
    forced, changed = (made.predict(state, 4, batch[:, -1], inputs=inputs) for inputs in (target, other))
    assert torch.equal(forced[:, :3], changed[:, :3])  # frame 2 is given when frame 3 is decoded
    assert not torch.allclose(forced[:, 3], changed[:, 3])
    own = made.predict(state, 4, batch[:, -1])
    torch.testing.assert_close(made.predict(state, 4, batch[:, -1], inputs=own), own)


def test_what_was_read_is_learnt_in_reversed_order() -> None:
    made = model(predict=False).train()
    batch = frames(2, 5)
    adam = torch.optim.Adam(made.parameters(), lr=4e-2)
    for _ in range(150):
        loss = made.error(made(batch, 0)["past"], batch.flip(1))
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        given_back = made.reconstruct(made.encode(batch)[1], 5)
    as_read, reversed_ = ((given_back - truth).square().mean().item() for truth in (batch, batch.flip(1)))
    assert reversed_ < 0.1 < as_read


@torch.no_grad()
def test_a_logistic_readout_gives_pixels_and_is_judged_by_cross_entropy() -> None:
    made = model(output="logistic")
    films = torch.rand(3, 6, C, generator=torch.Generator().manual_seed(0))
    _, state = made.encode(films)
    given_back = made.reconstruct(state, 6)
    assert given_back.min() > 0
    assert given_back.max() < 1
    outputs, truth = made(films, 2)["past"], films.flip(1)
    entropy = -(truth * given_back.log() + (1 - truth) * (1 - given_back).log()).mean()
    torch.testing.assert_close(made.error(outputs, truth), entropy)


def test_layers_of_a_clip_longer_than_the_window() -> None:
    made = model(layers=2, window=4)
    made.set_normalisation(np.full(C, 2.0), np.full(C, 4.0))
    clip = np.random.default_rng(0).standard_normal((10, C))
    torch.manual_seed(3)
    found = made.layer_sequences(clip)
    random = torch.rand(1)
    assert list(found) == ["input", "encoder 1", "encoder 2", "reconstruction", "future"]
    assert {name: value.shape for name, value in found.items()} == {"input": (10, C)} | dict.fromkeys(
        list(found)[1:], (10, H)
    )
    np.testing.assert_allclose(found["input"], (clip - 2.0) / 4.0, rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        last, state = made.encode(torch.from_numpy(found["input"][None, 8:]))
        past = made.past_decoder()(state, 2)[1].flip(1)
    np.testing.assert_allclose(found["encoder 2"][8:], last[0].numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["reconstruction"][8:], past[0].numpy(), rtol=1e-5, atol=1e-6)
    torch.manual_seed(3)
    assert torch.rand(1) == random  # asking costs no random numbers


def test_what_is_not_there_is_named() -> None:
    _, state = model().encode(frames(1, 3))
    with pytest.raises(SettingsError, match="made to predict only; make it with reconstruct=True"):
        model(reconstruct=False).reconstruct(state, 3)
    with pytest.raises(SettingsError, match="made to reconstruct only; make it with predict=True"):
        model(predict=False).predict(state, 3)
    with pytest.raises(DataError, match=r"expected \(at least 1, 5\), got \(4, 6\)"):
        model().layer_sequences(np.zeros((4, 6)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"inputs": 0}, "inputs must be at least 1"),
        ({"hidden": 0}, "hidden"),
        ({"layers": 0}, "layers"),
        ({"window": 0}, "window"),
        ({"output": "softmax"}, "output must be one of linear, logistic"),
        ({"reconstruct": False, "predict": False}, "one decoder at least"),
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        CompositeSettings(**{"inputs": 3} | wrong)  # type: ignore[arg-type]
