"""The spatio-temporal graph convolutional network that recognises what a body does from a window of poses.

Yan, Xiong & Lin 2018, "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action Recognition" (AAAI,
arXiv 1801.07455); its layers are what Das, Shekkizhar & Ortega 2023 (arXiv 2312.07777) look into.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from kineseg.motion import CANONICAL_CHANNELS, CANONICAL_JOINTS
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.errors import SettingsError
from kineseg_training.models.normalised import Normalised
from kineseg_training.models.skeleton_graph import canonical_graph

CHANNELS = len(CANONICAL_CHANNELS)
JOINTS = len(CANONICAL_JOINTS)
_HEIGHT = CANONICAL_CHANNELS.index("hips.y")  # behind the places of the other joints, before the root's motion
_FEATURES = 3 + CHANNELS - _HEIGHT - 1  # of a joint: place, and the root's motion


@dataclass(frozen=True)
class STGCNSettings:
    """The shape of the network.

    Attributes:
        classes: Names of the K actions, in the order of the logits.
        widths: Features of a joint after each of the L blocks.
        strides: Of the temporal convolution of each block; 2 halves the frames.
        temporal_kernel: Frames that a temporal convolution sees, odd.
        dropout: Share of a block's features that is left out in training, between 0 and 1.
        window: W, frames that a decision is about; what is trained and exported. The network itself takes any number.
        rate: Frames per second.
    """

    classes: tuple[str, ...]
    widths: tuple[int, ...] = (64, 64, 64, 128, 128, 128, 256, 256, 256)
    strides: tuple[int, ...] = (1, 1, 1, 2, 1, 1, 2, 1, 1)
    temporal_kernel: int = 9
    dropout: float = 0.0
    window: int = 30
    rate: float = 30.0

    def __post_init__(self) -> None:
        if len(set(self.classes)) < 2 or len(set(self.classes)) < len(self.classes):
            raise SettingsError(f"classes: at least two different actions are needed, got {', '.join(self.classes)}")
        if not self.widths or min(self.widths) < 1:
            raise SettingsError(f"widths must be numbers above zero, one a block, got {self.widths}")
        if len(self.strides) != len(self.widths) or min(self.strides) < 1:
            raise SettingsError(f"strides must be {len(self.widths)} numbers above zero, got {self.strides}")
        if self.temporal_kernel < 1 or self.temporal_kernel % 2 == 0:
            raise SettingsError(f"temporal_kernel must be odd, got {self.temporal_kernel}")
        if not 0.0 <= self.dropout < 1.0:
            raise SettingsError(f"dropout must be at least 0 and below 1, got {self.dropout}")
        if self.window < 1:
            raise SettingsError(f"window must be at least 1, got {self.window}")
        if self.rate <= 0.0:
            raise SettingsError(f"rate must be above zero, got {self.rate}")


class Block(nn.Module):
    """A spatial graph convolution, a temporal convolution, and a way around both.

    The graph's edges are weighted by `importance`, ``(3, V, V)``, learnt, ones at first. Without `residual` (the first
    block of the paper) there is no way around.
    """

    graph: Tensor

    def __init__(
        self, graph: Tensor, inputs: int, width: int, kernel: int, stride: int, dropout: float, *, residual: bool
    ) -> None:
        super().__init__()
        self.register_buffer("graph", graph.clone(), persistent=False)
        self.importance = nn.Parameter(torch.ones_like(graph))
        self.spatial = nn.Conv2d(len(graph) * inputs, width, 1, bias=False)
        self.spatial_norm = nn.BatchNorm2d(width)
        self.temporal = nn.Conv2d(width, width, (kernel, 1), (stride, 1), ((kernel - 1) // 2, 0), bias=False)
        self.temporal_norm = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(dropout)
        self.around: nn.Module | None = None
        if residual and inputs == width and stride == 1:
            self.around = nn.Identity()
        elif residual:
            self.around = nn.Sequential(nn.Conv2d(inputs, width, 1, (stride, 1), bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        """``(B, C, T, V)`` to ``(B, C', ceil(T / stride), V)``."""
        # Sum over neighbours first, then over features: the same as the paper's order, and a single convolution.
        heard = torch.cat([features @ part.T for part in self.graph * self.importance], dim=1)
        spatial = torch.relu(self.spatial_norm(self.spatial(heard)))
        out = self.dropout(self.temporal_norm(self.temporal(spatial)))
        if self.around is not None:
            out = out + self.around(features)
        return torch.relu(out)


class STGCN(Normalised):
    """Logits of the actions from a window of canonical poses.

    Each of the 59 normalised channels enters once: a joint's features are where it is (three; the hips' only place is
    their height) and, in the hips alone, how the root travels and turns (four). Blocks follow, then the mean over
    joints and time, then a linear classifier.

    Buffers: `mean` and `scale`, ``(59,)``, of the channels; `temperature`, which the logits are divided by so that the
    softmax is calibrated; and `unknown_below`: an action whose probability is smaller is to be called unknown.
    """

    temperature: Tensor
    unknown_below: Tensor

    def __init__(self, settings: STGCNSettings) -> None:
        super().__init__(CHANNELS)
        self.settings = settings
        graph = torch.from_numpy(canonical_graph()).float()
        self.blocks = nn.ModuleList()
        width = _FEATURES
        for number, (wider, stride) in enumerate(zip(settings.widths, settings.strides, strict=True)):
            kernel, dropout = settings.temporal_kernel, settings.dropout
            self.blocks.append(Block(graph, width, wider, kernel, stride, dropout, residual=number > 0))
            width = wider
        self.classifier = nn.Linear(width, len(settings.classes))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("unknown_below", torch.zeros(()))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of what `features` gives, in order: ``input``, ``block1`` ... ``blockL``."""
        return ("input", *(f"block{number}" for number in range(1, len(self.blocks) + 1)))

    def joints(self, frames: Tensor) -> Tensor:
        """Where the joints are: ``(B, T, 59)`` channels to ``(B, 3, T, 19)`` body sizes, from the floor below the hips.

        Raises:
            SettingsError: Another number of channels.
        """
        places = _placed(_checked(frames)[..., :_HEIGHT])
        return torch.cat([places[:, :1], places[:, 1:2] + frames[:, None, :, _HEIGHT, None], places[:, 2:]], dim=1)

    def inputs(self, frames: Tensor) -> Tensor:
        """What the first block sees: ``(B, T, 59)`` channels to ``(B, 7, T, 19)``.

        Raises:
            SettingsError: Another number of channels.
        """
        normal = self.normalise(_checked(frames))
        places = _placed(normal[..., :_HEIGHT])
        # The hips are the origin of the others: all that is known of them is the height and the motion of the root.
        hips = normal[..., _HEIGHT:].transpose(1, 2).unsqueeze(3)
        height = nn.functional.pad(hips[:, :1], (0, JOINTS - 1, 0, 0, 1, 1))
        motion = nn.functional.pad(hips[:, 1:], (0, JOINTS - 1))
        return torch.cat([places + height, motion], dim=1)

    def features(self, frames: Tensor) -> dict[str, Tensor]:
        """What each layer makes of a window.

        Args:
            frames: ``(B, T, 59)`` channels.

        Returns:
            By the names of `layers`, ``(B, C_l, T_l, 19)``; gradients of `classify` of the last one reach them all.
        """
        current = self.inputs(frames)
        found = {"input": current}
        for name, block in zip(self.layers[1:], self.blocks, strict=True):
            current = block(current)
            found[name] = current
        return found

    def continued(self, features: Tensor, after: int, until: int | None = None) -> Tensor:
        """Features after block `until` (the last one) from those after block `after` (0: the input)."""
        for block in list(self.blocks)[after:until]:
            features = block(features)
        return features

    def classify(self, features: Tensor) -> Tensor:
        """``(B, K)`` logits from the features after the last block, ``(B, C_L, T_L, 19)``."""
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits / self.temperature

    def pooled(self, frames: Tensor) -> Tensor:
        """``(B, C_L)``: what the classifier sees of ``(B, T, 59)`` channels."""
        return self.continued(self.inputs(frames), 0).mean(dim=(2, 3))

    def forward(self, frames: Tensor) -> Tensor:
        """``(B, K)`` logits of ``(B, T, 59)`` channels.

        Raises:
            SettingsError: Another number of channels.
        """
        return self.classify(self.continued(self.inputs(frames), 0))

    @torch.no_grad()
    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """The sequence of features of a whole clip at each layer, joints side by side.

        Args:
            frames: ``(T, 59)`` channels.

        Returns:
            By the names of `layers`, ``(T_l, C_l * 19)``; T_l is T divided by the strides so far, rounded up.
        """
        whole = torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(self.mean.device)[None]
        return {name: layer[0].transpose(0, 1).flatten(1).cpu().numpy() for name, layer in self.features(whole).items()}


def _checked(frames: Tensor) -> Tensor:
    if frames.dim() != 3 or frames.shape[2] != CHANNELS:
        raise SettingsError(
            f"channels: expected windows of canonical poses (windows, frames, {CHANNELS}), got {tuple(frames.shape)}"
        )
    return frames


def _placed(channels: Tensor) -> Tensor:
    """``(B, T, 54)`` channels of all joints but the hips to ``(B, 3, T, 19)``, the hips at the origin."""
    places = torch.unflatten(channels, 2, (JOINTS - 1, 3)).permute(0, 3, 1, 2)
    return nn.functional.pad(places, (1, 0))
