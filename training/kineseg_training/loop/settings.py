"""How long to train, where, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from kineseg_training.errors import SettingsError

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class LoopSettings:
    """What the loop needs to know, whatever it trains.

    Attributes:
        iterations: Most steps of the optimisers.
        validate_every: Steps between two validations; a checkpoint is written after each.
        patience: Stop when so many validations brought no better figure `monitor`; 0: never.
        precision: Of what the task computes under `Update.precision`; parameters stay float32.
        device: As torch names it; with several processes on CUDA each takes the GPU of its local rank.
        seed: Of everything random.
        tensorboard: Also write the course as TensorBoard events.
        monitor: Which of the task's validation figures, lower being better, says which parameters are the best. None:
            no figure does; those after the last step are kept.
    """

    iterations: int
    validate_every: int = 100
    patience: int = 0
    precision: Precision = "float32"
    device: str = "cpu"
    seed: int = 0
    tensorboard: bool = False
    monitor: str | None = "validation_loss"

    def __post_init__(self) -> None:
        for name in ("iterations", "validate_every"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("patience", "seed"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.patience and self.monitor is None:
            raise SettingsError("patience: without a figure to monitor, nothing says when to stop; set it to 0")
        if self.precision not in get_args(Precision):
            raise SettingsError(f"precision must be one of {', '.join(get_args(Precision))}, got {self.precision!r}")
        if self.precision == "float16" and not self.device.startswith("cuda"):
            raise SettingsError("precision: float16 needs a CUDA device; use bfloat16 on the CPU")
