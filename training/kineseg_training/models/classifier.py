"""An LSTM that names the action of a window of frames, started at random or from a trained encoder.

After the section on action recognition of Srivastava, Mansimov and Salakhutdinov, "Unsupervised Learning of Video
Representations using LSTMs", ICML 2015 (arXiv 1502.04681): the LSTM reads the frames, a softmax names the action at
every step, and the answer for a window is the mean over its steps. B is the batch, T frames of a window, C numbers in a
frame, H units, L layers, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kineseg_training.errors import SettingsError
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
            raise SettingsError(f"classes: {self.classes} class(es) to distinguish; at least two are needed")


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
