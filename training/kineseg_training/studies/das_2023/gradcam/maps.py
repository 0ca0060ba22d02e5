"""L-STG-GradCAM: which joints, and when, speak for an action at any layer of an ST-GCN.

Das, Shekkizhar & Ortega 2023 (arXiv 2312.07777), after Das & Ortega, "Gradient-Weighted Class Activation Mapping for
Spatio Temporal Graph Convolutional Network", ICASSP 2022, and Selvaraju et al., "Grad-CAM", ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import LayerGradCam
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.stgcn import STGCN

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Activation:
    """What one layer sees of an action in a clip.

    Attributes:
        layer: Its name.
        action: The one that is asked about.
        probability: That the network gives it for the whole clip.
        values: ``(T, V)``, not negative, for each frame of the clip and each canonical joint; in units of the score, so
            comparable within a layer only.
    """

    layer: str
    action: str
    probability: float
    values: Array

    def relative(self) -> Array:
        """``(T, V)`` as a share of the largest; zeros where nothing speaks for the action."""
        return self.values / (self.values.max() or 1.0)


def class_activations(
    model: STGCN, frames: NDArray[np.floating], action: str, layers: Sequence[str] | None = None
) -> tuple[Activation, ...]:
    """Class activation of a clip at some layers.

    At layer l with features ``F_k(t, v)``, feature map k counts as much as the score of the action (its logit) grows
    with it on average, ``a_k = mean_{t,v} d score / d F_k(t, v)``, and the map is ``max(0, sum_k a_k F_k(t, v))``. That
    is Captum's ``LayerGradCam``, whose channels are the feature maps and whose space is time and joints. Layers with
    fewer frames than the clip are brought to its frames by linear interpolation.

    At the layer after which the network only averages and weighs (the last block) the map is exact: its mean without
    the ``max`` is the score, but for the bias. The earlier the layer, the more the average gradient is an
    approximation, and at the input, where feature maps are coordinates, it says little.

    Args:
        model: In eval mode.
        frames: ``(T, 59)`` channel units, at least two frames.
        action: One of ``model.settings.classes``.
        layers: Of ``model.layers``; all of them by default.

    Raises:
        SettingsError: The model knows no such action or layer; the message lists those it knows.
        DataError: The clip has another shape, or a number that is not finite.
    """
    known = model.settings.classes
    if action not in known:
        raise SettingsError(f"action: the model knows no {action!r}; it knows {', '.join(known)}")
    wanted = model.layers if layers is None else tuple(layers)
    for layer in wanted:
        if layer not in model.layers:
            raise SettingsError(f"layer: the model has no {layer!r}; it has {', '.join(model.layers)}")
    clip = np.asarray(frames, dtype=np.float32)
    if clip.ndim != 2 or len(clip) < 2 or clip.shape[1] != len(model.mean) or not np.isfinite(clip).all():
        raise DataError(f"frames: expected finite numbers (at least 2, {len(model.mean)}), got shape {clip.shape}")
    window = torch.from_numpy(clip).to(model.mean.device)[None]
    target = known.index(action)
    with torch.no_grad():
        probability = float(torch.softmax(model(window), dim=1)[0, target])
    strides = np.cumprod([1, *model.settings.strides])
    return tuple(
        Activation(
            layer, action, probability, _at_frames(_map(model, window, target, place), int(strides[place]), len(clip))
        )
        for layer, place in ((layer, model.layers.index(layer)) for layer in wanted)
    )


def _map(model: STGCN, window: torch.Tensor, target: int, place: int) -> Array:
    """``(T_l, V)`` at the layer in that place of ``model.layers``."""
    # The input is no module's output; it is what the first block is given.
    module = model.blocks[max(0, place - 1)]
    # Captum asks for gradients at the input of the whole network as well, which ours is free to give.
    found = LayerGradCam(model, module).attribute(
        window.clone().requires_grad_(), target=target, attribute_to_layer_input=place == 0, relu_attributions=True
    )
    return np.asarray(found.detach()[0, 0].double().cpu().numpy())


def _at_frames(values: Array, stride: int, n_frames: int) -> Array:
    """``(T_l, V)`` to ``(T, V)``; a temporal convolution is centred on every stride-th frame."""
    at = np.arange(len(values)) * stride
    return np.stack([np.interp(np.arange(n_frames), at, joint) for joint in values.T], axis=1)
