"""Sizes of network and training by preset: tiny for tests, small for two CPU cores, full as in the papers."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_training.models.stgcn import STGCNSettings
from kineseg_training.studies.das_2023.task import RecogniseSettings
from kineseg_training.studies.exhibit import Preset


@dataclass(frozen=True)
class RecognitionPreset:
    """One size.

    Attributes:
        widths: Of the blocks.
        strides: Of the blocks.
        temporal_kernel: Frames that a temporal convolution sees.
        training: Of a network from random weights.
        validate_every: Steps between validations.
        every: Frames between test windows.
        transfer: Of a network that is fine-tuned, and of those that it is compared with.
        retrained: Numbers of last blocks that are re-trained.
        seeds: Trainings for each of them.
        dropout: Of the network.
    """

    widths: tuple[int, ...]
    strides: tuple[int, ...]
    temporal_kernel: int
    training: RecogniseSettings
    validate_every: int
    every: int
    transfer: RecogniseSettings
    retrained: tuple[int, ...]
    seeds: int
    dropout: float = 0.0

    def model(self, classes: tuple[str, ...]) -> STGCNSettings:
        """The network for these actions."""
        return STGCNSettings(classes, self.widths, self.strides, self.temporal_kernel, self.dropout)


_STRIDES = (1, 1, 1, 2, 1, 1, 2, 1, 1)

PRESETS: dict[Preset, RecognitionPreset] = {
    "tiny": RecognitionPreset(
        widths=(4, 6, 8),
        strides=(1, 2, 1),
        temporal_kernel=3,
        training=RecogniseSettings(iterations=6, batch=8),
        validate_every=3,
        every=30,
        transfer=RecogniseSettings(iterations=2, batch=8),
        retrained=(0, 2, 3),
        seeds=1,
    ),
    "small": RecognitionPreset(
        widths=(8, 8, 8, 16, 16, 16, 32, 32, 32),
        strides=_STRIDES,
        temporal_kernel=9,
        training=RecogniseSettings(iterations=200),
        validate_every=25,
        every=5,
        transfer=RecogniseSettings(iterations=80, learning_rate=5e-3),
        retrained=tuple(range(10)),
        seeds=2,
    ),
    "full": RecognitionPreset(
        widths=(64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides=_STRIDES,
        temporal_kernel=9,
        training=RecogniseSettings(iterations=5000, batch=64, learning_rate=1e-3),
        validate_every=100,
        every=1,
        transfer=RecogniseSettings(iterations=1000, batch=64, learning_rate=1e-3),
        retrained=tuple(range(10)),
        seeds=5,
    ),
}
