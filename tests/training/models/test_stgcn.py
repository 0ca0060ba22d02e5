"""The network: what goes in and comes out of every layer, in batches and alone, and as ONNX."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from kineseg.motion import CANONICAL_CHANNELS, CANONICAL_JOINTS, canonical_positions
from kineseg_training.data.labelled import LabelledClips, cut_labelled
from kineseg_training.errors import SettingsError
from kineseg_training.models.stgcn import STGCN, STGCNSettings
from kineseg_training.studies.das_2023.trained import normalisation

CLASSES = ("jumping", "running", "soccer")


@pytest.fixture(scope="module")
def network(few: tuple[LabelledClips, LabelledClips]) -> STGCN:
    torch.manual_seed(3)
    made = STGCN(STGCNSettings(CLASSES, widths=(6, 8, 10), strides=(1, 2, 1), temporal_kernel=3))
    made.set_normalisation(*normalisation(few[0]))
    made.train()
    made(windows(few))  # statistics of the batch norms that are not those of a new one
    return made.eval()


def windows(few: tuple[LabelledClips, LabelledClips]) -> torch.Tensor:
    return torch.from_numpy(cut_labelled(few[1], 30, 20).frames)


def test_shapes_of_all_layers(network: STGCN, few: tuple[LabelledClips, LabelledClips]) -> None:
    x = windows(few)
    found = network.features(x)
    assert tuple(found) == network.layers == ("input", "block1", "block2", "block3")
    assert [tuple(layer.shape[1:]) for layer in found.values()] == [(7, 30, 19), (6, 30, 19), (8, 15, 19), (10, 15, 19)]
    torch.testing.assert_close(network.classify(found["block3"]), network(x))
    torch.testing.assert_close(network.classify(network.continued(found["block1"], 1)), network(x))
    torch.testing.assert_close(found["block3"].mean(dim=(2, 3)), network.pooled(x))
    assert {name: layer.shape for name, layer in network.layer_sequences(few[1].clips[0].frames[:45]).items()} == {
        "input": (45, 7 * 19),
        "block1": (45, 6 * 19),
        "block2": (23, 8 * 19),
        "block3": (23, 10 * 19),
    }


def test_joints_are_where_they_are_drawn(network: STGCN, few: tuple[LabelledClips, LabelledClips]) -> None:
    frames = few[1].clips[0].frames[:40]
    drawn = canonical_positions(frames)
    ours = network.joints(torch.from_numpy(frames)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, drawn)


def test_every_channel_enters_once_at_its_joint(network: STGCN) -> None:
    x = torch.zeros(1, 2, len(CANONICAL_CHANNELS), requires_grad=True)
    network.inputs(x)[0, :, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    torch.testing.assert_close(x.grad[0, 0], 1.0 / network.scale)
    for channel, joint, feature in (("head.y", "head", 1), ("hips.y", "hips", 1), ("root.yaw_rate", "hips", 6)):
        y = torch.zeros(1, 2, len(CANONICAL_CHANNELS))
        y[..., CANONICAL_CHANNELS.index(channel)] = 1.0
        moved = (network.inputs(y) - network.inputs(torch.zeros_like(y))).abs()[0, :, 0] > 0
        assert moved.nonzero().tolist() == [[feature, CANONICAL_JOINTS.index(joint)]]


def test_a_batch_gives_what_its_rows_give(network: STGCN, few: tuple[LabelledClips, LabelledClips]) -> None:
    x = windows(few)
    alone = torch.cat([network(row[None]) for row in x])
    torch.testing.assert_close(network(x), alone, rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_layer_and_parameter(network: STGCN, few: tuple[LabelledClips, LabelledClips]) -> None:
    found = network.features(windows(few))
    for layer in found.values():
        if layer.requires_grad:
            layer.retain_grad()
    network.classify(found["block3"])[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert all(found[name].grad.abs().sum() > 0 for name in ("block1", "block2", "block3"))  # type: ignore[union-attr]
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.zero_grad()


@pytest.mark.filterwarnings("ignore")
def test_onnx_gives_the_same_for_any_batch(
    network: STGCN, few: tuple[LabelledClips, LabelledClips], tmp_path: Path
) -> None:
    x = windows(few)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (x[:2],),
            dynamo=True,
            verbose=False,
            input_names=["frames"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        )
    assert program is not None
    program.save(tmp_path / "stgcn.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "stgcn.onnx", providers=["CPUExecutionProvider"])
    for rows in (x[:1], x):
        (logits,) = session.run(None, {"frames": rows.numpy()})
        np.testing.assert_allclose(logits, network(rows).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_another_number_of_channels_is_refused(network: STGCN) -> None:
    with pytest.raises(SettingsError, match=r"expected windows of canonical poses \(windows, frames, 59\), got"):
        network(torch.zeros(1, 30, 58))
    with pytest.raises(SettingsError, match="59"):
        network.joints(torch.zeros(30, 59))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"classes": ("walking",)}, "at least two"),
        ({"classes": ("walking", "walking")}, "at least two"),
        ({"widths": ()}, "widths"),
        ({"strides": (1,)}, "strides"),
        ({"temporal_kernel": 4}, "odd"),
        ({"dropout": 1.0}, "dropout"),
        ({"window": 0}, "window"),
        ({"rate": 0.0}, "rate"),
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        STGCNSettings(**{"classes": CLASSES} | wrong)  # type: ignore[arg-type]
