"""An LSTM that names the action of a window of frames, started at random or from a trained encoder.

After the section on action recognition of Srivastava, Mansimov and Salakhutdinov, "Unsupervised Learning of Video
Representations using LSTMs", ICML 2015 (arXiv 1502.04681): the LSTM reads the frames, a softmax names the action at
every step, and the answer for a window is the mean over its steps. B is the batch, T frames of a window, C numbers in a
frame, H units, L layers, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.models.normalised import Normalised


@dataclass(frozen=True)
class ClassifierSettings:
    """The shape of the classifier.

    Attributes:
        inputs: C.
        classes: K.
        hidden: H, units of every layer.
        layers: L.
    """

    inputs: int
    classes: int
    hidden: int = 128
    layers: int = 1

    def __post_init__(self) -> None:
        for name in ("inputs", "hidden", "layers"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.classes < 2:
            raise SettingsError(f"classes: {self.classes} class(es) to tell apart; at least two are needed")


class LSTMClassifier(Normalised):
    """Frames in channel units to the probabilities of K classes.

    Attributes:
        lstm: Reads the normalised frames.
        readout: Linear, from the states of its top layer to the K logits.
    """

    def __init__(self, settings: ClassifierSettings) -> None:
        super().__init__(settings.inputs)
        self.settings = settings
        self.lstm = nn.LSTM(settings.inputs, settings.hidden, settings.layers, batch_first=True)
        self.readout = nn.Linear(settings.hidden, settings.classes)

    @torch.no_grad()
    def start_from(self, model: CompositeLSTM) -> None:
        """Take the weights of a trained encoder; its states for given frames become those of `lstm`.

        The encoder learnt frames normalised by *its* mean and scale, the classifier keeps its own. Both maps are
        affine, so the difference goes into the weights and biases of the first layer.

        Raises:
            SettingsError: The encoder has another shape.
        """
        theirs = (model.settings.inputs, model.settings.hidden, model.settings.layers)
        mine = (self.settings.inputs, self.settings.hidden, self.settings.layers)
        if theirs != mine:
            raise SettingsError(
                f"model: its encoder has (inputs, hidden, layers) = {theirs}, the classifier {mine}; make them alike"
            )
        mean, scale = model.mean.to(self.mean), model.scale.to(self.scale)
        self.lstm.load_state_dict(model.encoder.lstm.state_dict())
        first = dict(self.lstm.named_parameters())
        weight, bias = first["weight_ih_l0"], first["bias_ih_l0"]
        bias.add_(weight @ ((self.mean - mean) / scale))
        weight.mul_(self.scale / scale)

    def states(self, frames: Tensor) -> Tensor:
        """``(B, T, C)`` channels to the states of the top layer, ``(B, T, H)``."""
        states: Tensor = self.lstm(self.normalise(frames))[0]
        return states

    def forward(self, frames: Tensor) -> Tensor:
        """``(B, T, C)`` channels to the logits at every step, ``(B, T, K)``."""
        logits: Tensor = self.readout(self.states(frames))
        return logits

    @torch.no_grad()
    def probabilities(self, frames: Tensor) -> Tensor:
        """``(B, T, C)`` channels to ``(B, K)``, the mean of the softmax over the steps."""
        logits: Tensor = self(frames)
        return logits.softmax(dim=2).mean(dim=1)


@dataclass(frozen=True)
class TrainingSettings:
    """How a classifier is trained; the same from whatever it starts.

    Attributes:
        iterations: Steps of Adam.
        learning_rate: Of Adam.
        batch: Windows in a step, if there are so many; every class as often, whatever its share of the windows.
        clip_norm: Largest norm of the gradient.
        readout_only: Leave the LSTM as it is and train the readout alone.
    """

    iterations: int = 100
    learning_rate: float = 3e-3
    batch: int = 32
    clip_norm: float = 1.0
    readout_only: bool = False

    def __post_init__(self) -> None:
        for name in ("iterations", "batch"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be above zero, got {getattr(self, name)}")


def train_classifier(
    classifier: LSTMClassifier,
    frames: NDArray[np.float32],
    labels: NDArray[np.int64],
    settings: TrainingSettings,
    seed: int,
    on_step: Callable[[int], None] | None = None,
) -> None:
    """Train it on labelled windows, each step of a window towards the window's class.

    Args:
        classifier: On the device where it is to be trained.
        frames: ``(N, T, C)`` channels.
        labels: ``(N,)``.
        settings: How.
        seed: Of the order of the windows, which depends on nothing else but the labels.
        on_step: Called after each step with its number, from 1.

    Raises:
        DataError: The windows are all of one class.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise DataError(
            f"labels: all {len(labels)} labelled windows are of one class; there is nothing to tell apart, label "
            "windows of another one too"
        )
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == label) for label in classes]
    each = max(1, settings.batch // len(classes))
    device = classifier.mean.device
    inputs, targets = torch.from_numpy(frames).to(device), torch.from_numpy(labels).to(device)
    trained: nn.Module = classifier
    if settings.readout_only:
        with torch.no_grad():
            inputs = classifier.states(inputs)
        trained = classifier.readout
    trained.train()
    parameters = list(trained.parameters())
    optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate)
    for step in range(1, settings.iterations + 1):
        chosen = np.concatenate([rng.permutation(of_class)[:each] for of_class in rows])
        batch = torch.from_numpy(chosen).to(device)
        # Cross entropy wants the classes second: (b, K, T) against (b, T).
        logits = trained(inputs[batch]).transpose(1, 2)
        loss = F.cross_entropy(logits, targets[batch, None].expand(-1, logits.shape[2]))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
        optimiser.step()
        if on_step is not None:
            on_step(step)
    trained.eval()
