"""How the baseline is trained: the paper's settings, those for two CPU cores, and those for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kineseg_training.errors import SettingsError
from kineseg_training.studies.exhibit import Preset


@dataclass(frozen=True)
class BaselineSettings:
    """Shape and training of a tied predictor.

    Attributes:
        source: S, frames read.
        target: N, frames predicted.
        hidden: H, units of the GRU, and of each adversary's.
        iterations: Steps of the optimiser.
        batch: Windows in a step.
        learning_rate: Of Adam.
        clip_norm: Largest norm of the gradient.
        adversarial: Train against the two adversaries too.
        adversary_rate: Their learning rate, in learning rates of the predictor. At equal rates they win: the predictor
            comes to be worse than before training.
        residual: Predict changes instead of frames.
        reread: Whether the encoder reads the frame that the decoder begins with.
        validate_every: Steps between validations.
    """

    source: int = 25
    target: int = 25
    hidden: int = 1024
    iterations: int = 10_000
    batch: int = 16
    learning_rate: float = 1e-4
    clip_norm: float = 1.0
    adversarial: bool = False
    adversary_rate: float = 0.1
    residual: bool = False
    reread: bool = True
    validate_every: int = 500

    def __post_init__(self) -> None:
        for name, least in (("source", 2), ("target", 1), ("hidden", 1), ("iterations", 1), ("batch", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm", "adversary_rate"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be positive, got {getattr(self, name)}")

    @property
    def window(self) -> int:
        """Frames in a window, S + N."""
        return self.source + self.target

    def training(self) -> Mapping[str, float]:
        """What the outcome of so and so many iterations depends on, beside the shape, by name."""
        names = ("batch", "learning_rate", "clip_norm", "adversarial")
        return {name: getattr(self, name) for name in names + ("adversary_rate",) * self.adversarial}


# Adam's rate is 1e-4 for concatenated clips in the paper and 1e-3 elsewhere. The small network is trained at 1e-3: it
# has a tenth of the iterations to get anywhere.
PRESETS: Mapping[Preset, BaselineSettings] = {
    "full": BaselineSettings(),
    "small": BaselineSettings(hidden=128, iterations=600, learning_rate=1e-3, validate_every=200),
    "tiny": BaselineSettings(
        source=12, target=12, hidden=16, iterations=30, batch=8, learning_rate=3e-3, validate_every=15
    ),
}
