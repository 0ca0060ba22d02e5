"""Training of a composite LSTM: every decoder that it has, at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from kineseg_training.errors import SettingsError
from kineseg_training.loop import Task, Update
from kineseg_training.models.composite import CompositeLSTM, CompositeSettings
from kineseg_training.studies.exhibit import Preset
from kineseg_training.studies.srivastava_2015.sequences import Sequences

_BETAS = (0.9, 0.99)
_HELD_OUT = 256  # sequences to evaluate on


@dataclass(frozen=True)
class CompositeTraining:
    """How a composite LSTM is trained.

    Attributes:
        source: S, frames read, and given back by a decoder that reconstructs.
        target: n, frames that a decoder of the future predicts.
        iterations: Steps, over which the learning rate falls to nothing; none of the paper's rules, it makes the most
            of few steps.
        batch: Sequences in a step.
        learning_rate: Of Adam, at the beginning.
        clip_norm: Largest norm of the gradient.
        forced: Give a conditional decoder the true frames one late while it is trained, instead of its own output.
            Off by default: `variants` measures what is lost with it.
    """

    source: int = 20
    target: int = 20
    iterations: int = 500
    batch: int = 32
    learning_rate: float = 2e-3
    clip_norm: float = 1.0
    forced: bool = False

    def __post_init__(self) -> None:
        for name in ("source", "target", "iterations", "batch"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be above zero, got {getattr(self, name)}")


class CompositeTask(Task):
    """Minimises the sum of the errors of the decoders.

    Args:
        model: Shape of the model; channels and kind of output are those of the sequences.
        sequences: What it is trained on.
        training: How.
        seed: Of the initial weights.
        frozen: Take the encoder of this model and leave it as it is: the decoders show what it knows.

    Raises:
        SettingsError: Model and sequences do not fit together, or the encoder does not fit the model.
        DataError: No sequence is as long as source and target together.
    """

    def __init__(
        self,
        model: CompositeSettings,
        sequences: Sequences,
        training: CompositeTraining,
        seed: int = 0,
        frozen: CompositeLSTM | None = None,
    ) -> None:
        if (model.inputs, model.output) != (sequences.inputs, sequences.output):
            raise SettingsError(
                f"model: is made for {model.inputs} inputs and a {model.output} output, the sequences have "
                f"{sequences.inputs} and need a {sequences.output} one"
            )
        torch.manual_seed(seed)
        self.network: CompositeLSTM = CompositeLSTM(model)
        self.network.set_normalisation(*sequences.normalisation())
        if frozen is not None:
            self._freeze(frozen)
        parameters = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self._adam = torch.optim.Adam(parameters, lr=training.learning_rate, betas=_BETAS)
        self.optimisers = {"adam": self._adam}
        self.recipe = {
            "model": asdict(model),
            "training": asdict(training),
            "sequences": sequences.fingerprint,
            "seed": seed,
            "frozen": _fingerprint(frozen) if frozen is not None else "",
        }
        self._training = training
        self._sequences = sequences
        self._held_out = torch.from_numpy(sequences.held_out(_HELD_OUT, self._length))

    def _freeze(self, frozen: CompositeLSTM) -> None:
        theirs, mine = frozen.settings, self.network.settings
        if (theirs.inputs, theirs.hidden, theirs.layers) != (mine.inputs, mine.hidden, mine.layers):
            raise SettingsError("frozen: its encoder has another number of inputs, units or layers than the model")
        self.network.encoder.load_state_dict(frozen.encoder.state_dict())
        self.network.set_normalisation(frozen.mean.double().numpy(), frozen.scale.double().numpy())
        self.network.encoder.requires_grad_(False)

    @property
    def _length(self) -> int:
        return self._training.source + (self._training.target if self.network.settings.predict else 0)

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """One batch."""
        training = self._training
        drawn = self._sequences.draw(training.batch, self._length, rng)[update.processes.share(training.batch)]
        left = 1.0 - (iteration - 1) / training.iterations
        for group in self._adam.param_groups:
            group["lr"] = training.learning_rate * max(left, 1.0 / training.iterations)
        with update.precision():
            errors = self._errors(torch.from_numpy(drawn).to(update.device), forced=training.forced)
            loss = torch.stack(list(errors.values())).sum()
        update(loss, self._adam, training.clip_norm)
        return {"train_loss": loss.item()}

    def validate(self) -> Mapping[str, float]:
        """On held-out sequences; conditional decoders go on from their own output, as they will have to."""
        errors = self._errors(self._held_out.to(self.network.mean.device), forced=False)
        found = {name: error.item() for name, error in errors.items()}
        return {"validation_loss": sum(found.values())} | {f"{name}_loss": value for name, value in found.items()}

    def _errors(self, frames: Tensor, *, forced: bool) -> dict[str, Tensor]:
        """Of each decoder, a scalar."""
        frames = self.network.normalise(frames)
        source, target = frames[:, : self._training.source], frames[:, self._training.source :]
        truths = {"past": source.flip(1), "future": target}
        outputs: dict[str, Tensor] = self.network(source, target.shape[1], target if forced else None)
        return {name: self.network.error(output, truths[name]) for name, output in outputs.items()}


def _fingerprint(model: CompositeLSTM) -> str:
    digest = hashlib.sha256()
    for value in model.encoder.state_dict().values():
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()


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
        test_windows: Most test windows that models are evaluated on.
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
