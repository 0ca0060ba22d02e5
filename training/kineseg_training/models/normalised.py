"""What the models have in common: they carry the normalisation of the channels that they were trained on."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Normalised(nn.Module):
    """A network that works on normalised channels, ``(channel - mean) / scale``.

    Attributes:
        mean: ``(C,)``, buffer, so that it is saved with the weights; zeros at first.
        scale: ``(C,)``, the same; ones at first.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))

    def set_normalisation(self, mean: NDArray[np.float64], scale: NDArray[np.float64]) -> None:
        """Take mean and scale of the channels, both ``(C,)``, scale above zero."""
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(scale))

    def normalise(self, frames: Tensor) -> Tensor:
        """``(..., C)`` channels to normalised channels."""
        return (frames - self.mean) / self.scale

    def restore(self, frames: Tensor) -> Tensor:
        """``(..., C)`` normalised channels back to channels."""
        return frames * self.scale + self.mean
