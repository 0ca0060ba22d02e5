"""Class activation: on a made-up problem of one joint, its sanity checks, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kineseg.motion import CANONICAL_CHANNELS, CANONICAL_JOINTS
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.stgcn import STGCN, STGCNSettings
from kineseg_training.studies.das_2023.gradcam.maps import Activation, class_activations
from numpy.typing import NDArray
from scipy.stats import spearmanr

WRIST = CANONICAL_JOINTS.index("right_wrist")
ARM = [CANONICAL_JOINTS.index(f"right_{joint}") for joint in ("wrist", "elbow", "shoulder")]


def motion(rng: np.random.Generator, *, wave: bool, n: int = 32) -> NDArray[np.float32]:
    """``(n, 59)``: all joints drift about; the right wrist waves in the second half, or does not."""
    drift = np.cumsum(rng.normal(0.0, 0.02, (n, len(CANONICAL_CHANNELS))), axis=0)
    drift += np.linspace(-0.5, 0.5, len(CANONICAL_CHANNELS))
    if wave:
        phase = np.arange(n - n // 2) * 1.2 + rng.uniform(0.0, 6.0)
        drift[n // 2 :, 3 * (WRIST - 1) : 3 * WRIST] += 0.3 * np.sin(phase)[:, None]
    return drift.astype(np.float32)


def untrained(seed: int = 0) -> STGCN:
    torch.manual_seed(seed)
    settings = STGCNSettings(
        ("still", "wave"), widths=(8, 8, 12, 12), strides=(1, 1, 2, 1), temporal_kernel=5, dropout=0.0
    )
    return STGCN(settings).eval()


@pytest.fixture(scope="module")
def trained() -> STGCN:
    """Separates waving from not waving."""
    model = untrained()
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    rng = np.random.default_rng(0)
    for _ in range(90):
        labels = torch.from_numpy(rng.integers(0, 2, 16))
        windows = torch.from_numpy(np.stack([motion(rng, wave=bool(label)) for label in labels]))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(windows), labels).backward()
        optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def waves(trained: STGCN) -> list[NDArray[np.float32]]:
    """Clips that the network calls waving."""
    rng = np.random.default_rng(1)
    clips = [motion(rng, wave=True) for _ in range(16)]
    sure = [clip for clip in clips if class_activations(trained, clip, "wave", ["block4"])[0].probability > 0.8]
    assert len(sure) >= 8
    return sure[:8]


def at_layer(model: STGCN, clips: list[NDArray[np.float32]], layer: str) -> NDArray[np.float64]:
    """Mean map ``(T, V)`` over clips."""
    return np.mean([class_activations(model, clip, "wave", [layer])[0].values for clip in clips], axis=0)


def test_the_last_layer_highlights_the_joint_that_tells_and_when(
    trained: STGCN, waves: list[NDArray[np.float32]]
) -> None:
    late = at_layer(trained, waves, "block4")
    by_joint = late[18:].mean(axis=0)
    assert int(by_joint.argmax()) in ARM
    others = np.delete(by_joint, ARM)
    assert by_joint[ARM].mean() > 3 * others.mean()
    assert late[20:, ARM].mean() > 2 * late[:12, ARM].mean()  # it waves in the second half


def test_at_the_last_layer_the_map_adds_up_to_the_score(trained: STGCN, waves: list[NDArray[np.float32]]) -> None:
    """By hand, from features and weights: the classifier is linear in the mean over time and joints."""
    features = trained.features(torch.from_numpy(waves[0])[None])["block4"][0].detach()
    by_hand = torch.relu(torch.einsum("ctv,c->tv", features, trained.classifier.weight[1])) / features[0].numel()
    found = class_activations(trained, waves[0], "wave", ["block4"])[0].values
    np.testing.assert_allclose(found[::2], by_hand.detach().numpy(), rtol=1e-4, atol=1e-7)


def test_other_weights_give_other_maps(trained: STGCN, waves: list[NDArray[np.float32]]) -> None:
    """The sanity check for saliency of Adebayo et al. 2018: a map that does not depend on the weights explains none."""
    late = at_layer(trained, waves, "block4")
    others = [at_layer(untrained(seed), waves, "block4") for seed in (1, 2, 3, 4)]
    assert np.mean([spearmanr(late.ravel(), other.ravel()).statistic for other in others]) < 0.4


def test_another_action_has_another_map(trained: STGCN, waves: list[NDArray[np.float32]]) -> None:
    for clip in waves:
        waving, still = (class_activations(trained, clip, action, ["block4"])[0].values for action in ("wave", "still"))
        assert spearmanr(waving.ravel(), still.ravel()).statistic < 0.2
        assert waving[18:, ARM].sum() > still[18:, ARM].sum()


def test_every_layer_has_a_map_in_the_frames_of_the_clip(trained: STGCN) -> None:
    clip = motion(np.random.default_rng(2), wave=True, n=37)
    trained.zero_grad()
    found = class_activations(trained, clip, "wave")
    assert [activation.layer for activation in found] == list(trained.layers)
    for activation in found:
        assert isinstance(activation, Activation)
        assert activation.values.shape == (37, len(CANONICAL_JOINTS))
        assert (activation.values >= 0.0).all()
        assert activation.relative().max() in (0.0, 1.0)
    assert all(parameter.grad is None for parameter in trained.parameters())  # nothing is left to train with


def test_what_it_does_not_know_is_refused_with_what_it_knows(trained: STGCN) -> None:
    clip = motion(np.random.default_rng(0), wave=True)
    with pytest.raises(SettingsError, match="no 'walk'; it knows still, wave"):
        class_activations(trained, clip, "walk")
    with pytest.raises(SettingsError, match="no 'block9'; it has input, block1, block2, block3, block4"):
        class_activations(trained, clip, "wave", ["block9"])
    with pytest.raises(DataError, match=r"at least 2, 59\), got shape \(1, 59\)"):
        class_activations(trained, clip[:1], "wave")
    with pytest.raises(DataError, match="finite"):
        class_activations(trained, np.full((8, 59), np.nan), "wave")
