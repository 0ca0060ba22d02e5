"""The normalisation that every model carries: where it is kept in a checkpoint, and that it goes there and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from kineseg_training.models.classifier import ClassifierSettings, LSTMClassifier
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.models.normalised import Normalised
from kineseg_training.models.seq2seq import Seq2Seq, Seq2SeqSettings
from kineseg_training.models.stgcn import STGCN, STGCNSettings
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, TiedSettings

C, H, K, JOINTS = 4, 3, 2, 19


def recurrent(name: str, inputs: int, gates: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of one layer, as torch has them."""
    rows = gates * H
    return {
        f"{name}.weight_ih_l0": (rows, inputs),
        f"{name}.weight_hh_l0": (rows, H),
        f"{name}.bias_ih_l0": (rows,),
        f"{name}.bias_hh_l0": (rows,),
    }


def linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def batch_norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    of_a_feature = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (width,) for part in of_a_feature} | {f"{name}.num_batches_tracked": ()}


# What the checkpoints written so far hold. A name that changes makes them unreadable.
MODELS: dict[str, tuple[Callable[[], Normalised], dict[str, tuple[int, ...]]]] = {
    "seq2seq": (
        lambda: Seq2Seq(Seq2SeqSettings(C, H)),
        {"mean": (C,), "scale": (C,)} | recurrent("rnn", 2 * C, 3) | linear("velocity", H, C),
    ),
    "su": (
        lambda: TiedSeq2Seq(TiedSettings(C, H)),
        {"mean": (C,), "scale": (C,)} | recurrent("rnn", C, 3) | linear("readout", H, C),
    ),
    "composite": (
        lambda: CompositeLSTM(CompositeSettings(C, H)),
        {"mean": (C,), "scale": (C,)}
        | recurrent("encoder.lstm", C, 4)
        | recurrent("reconstruction.lstm", 1, 4)
        | linear("reconstruction.readout", H, C)
        | recurrent("future.lstm", 1, 4)
        | linear("future.readout", H, C),
    ),
    "stgcn": (
        lambda: STGCN(STGCNSettings(("jump", "walk"), (H,), (1,))),
        {"mean": (59,), "scale": (59,), "temperature": (), "unknown_below": ()}
        | {"blocks.0.importance": (3, JOINTS, JOINTS), "blocks.0.spatial.weight": (H, 3 * 7, 1, 1)}
        | batch_norm("blocks.0.spatial_norm", H)
        | {"blocks.0.temporal.weight": (H, H, 9, 1)}
        | batch_norm("blocks.0.temporal_norm", H)
        | linear("classifier", H, K),
    ),
    "classifier": (
        lambda: LSTMClassifier(ClassifierSettings(C, K, H)),
        {"mean": (C,), "scale": (C,)} | recurrent("lstm", C, 4) | linear("readout", H, K),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_from_before_is_read(name: str, tmp_path: Path) -> None:
    make, shapes = MODELS[name]
    generator = torch.Generator().manual_seed(0)
    before = {
        key: torch.tensor(7) if key.endswith("num_batches_tracked") else torch.rand(shape, generator=generator)
        for key, shape in shapes.items()
    }
    torch.save(before, tmp_path / "checkpoint.pt")
    model = make()
    assert list(model.state_dict()) == list(shapes)
    model.load_state_dict(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


@pytest.mark.parametrize("name", MODELS)
def test_normalisation_is_saved_with_the_weights_and_undone_by_restore(name: str) -> None:
    make, shapes = MODELS[name]
    channels = shapes["mean"][0]
    rng = np.random.default_rng(0)
    mean, scale = rng.normal(size=channels), rng.uniform(0.5, 2.0, channels)
    frames = torch.from_numpy(rng.normal(size=(2, 5, channels)))

    model = make()
    torch.testing.assert_close(model.normalise(frames), frames)  # nothing is changed before it is fitted
    model.set_normalisation(mean, scale)
    again = make()
    again.load_state_dict(model.state_dict())
    normal = again.normalise(frames)
    np.testing.assert_allclose(normal.numpy(), (frames.numpy() - mean) / scale, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(again.restore(normal), frames)
