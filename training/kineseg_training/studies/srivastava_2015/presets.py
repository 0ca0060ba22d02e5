"""Sizes of the experiments with the composite LSTM: seconds, minutes on two cores, or as in the paper."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_training.studies.exhibit import Preset
from kineseg_training.studies.srivastava_2015.task import CompositeTraining


@dataclass(frozen=True)
class Size:
    """How large, and how long trained.

    Attributes:
        hidden: H of a model of motion.
        training: Of a model of motion.
        validate_every: Iterations between validations and checkpoints.
        shapes_hidden: H of a model of moving shapes.
        shapes_training: Of a model of moving shapes.
        patch: Pixels of the side of the patches whose means the model sees in place of the 64 x 64 pixels.
        seeds: How many runs of each variant there are.
        layers: How many layers the deeper model has that the variants are compared to; 1: there is none.
        test_windows: Most test windows that models are judged on.
    """

    hidden: int
    training: CompositeTraining
    validate_every: int
    shapes_hidden: int
    shapes_training: CompositeTraining
    patch: int
    seeds: int
    layers: int
    test_windows: int


SIZES: dict[Preset, Size] = {
    "tiny": Size(
        hidden=8,
        training=CompositeTraining(source=6, target=6, iterations=4, batch=4),
        validate_every=4,
        shapes_hidden=8,
        shapes_training=CompositeTraining(source=4, target=4, iterations=4, batch=4),
        patch=8,
        seeds=1,
        layers=2,
        test_windows=30,
    ),
    "small": Size(
        hidden=128,
        training=CompositeTraining(source=20, target=20, iterations=600, batch=16, learning_rate=5e-3),
        validate_every=150,
        shapes_hidden=256,
        shapes_training=CompositeTraining(source=10, target=10, iterations=2000, batch=32, learning_rate=3e-3),
        patch=4,
        seeds=2,
        layers=2,
        test_windows=600,
    ),
    # 2048 units; 10 frames read, 10 predicted of pixels; 16 and 13 of percepts. Their optimiser is not ours.
    "full": Size(
        hidden=2048,
        training=CompositeTraining(source=16, target=13, iterations=100_000, batch=128, learning_rate=1e-4),
        validate_every=1000,
        shapes_hidden=2048,
        shapes_training=CompositeTraining(source=10, target=10, iterations=100_000, batch=128, learning_rate=1e-4),
        patch=1,
        seeds=3,
        layers=2,
        test_windows=5000,
    ),
}
