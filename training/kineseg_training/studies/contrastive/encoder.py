"""The encoder: the recurrent predictor with two more linear layers on its state, one looking further ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.errors import SettingsError
from kineseg_training.models import Seq2Seq, Seq2SeqSettings
from kineseg_training.models.seq2seq import heard


@dataclass(frozen=True)
class EncoderSettings:
    """The shape of the encoder.

    Attributes:
        channels: C, numbers in a frame.
        hidden: H, units of the recurrent cell.
        dimensions: E, of the projection.
        horizons: How many frames ahead it predicts, directly from its state.
    """

    channels: int
    hidden: int = 128
    dimensions: int = 32
    horizons: tuple[int, ...] = (1, 8, 15, 30)

    def __post_init__(self) -> None:
        if self.dimensions < 1:
            raise SettingsError(f"dimensions must be at least 1, got {self.dimensions}")
        if not self.horizons or min(self.horizons) < 1:
            raise SettingsError(f"horizons must be frames ahead, each 1 or more, got {self.horizons}")


class Encoder(nn.Module):
    """``h' = cell([x, dx], h)``; ``ahead = A h'`` is how far off each horizon lies, ``z = P h'`` the projection.

    Both layers are linear in the state, so that whatever they bring to an embedding costs a step nothing: they fold
    into the one product by which a bundle's graph makes it.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.settings = settings
        self.predictor = Seq2Seq(Seq2SeqSettings(settings.channels, settings.hidden, "gru"))
        self.ahead = nn.Linear(settings.hidden, settings.channels * len(settings.horizons))
        nn.init.zeros_(self.ahead.weight)  # at first nothing moves, as in the predictor
        nn.init.zeros_(self.ahead.bias)
        self.projection = nn.Linear(settings.hidden, settings.dimensions)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read streams ``(B, T, C)`` of normalised channels.

        Returns:
            States ``(B, T, H)``, predictions ``(B, T, len(horizons), C)`` of the change until each horizon, and the
            projection ``(B, T, E)``.
        """
        state, _ = self.predictor.rnn(heard(frames))
        ahead = self.ahead(state).unflatten(2, (len(self.settings.horizons), self.settings.channels))
        return state, ahead, self.projection(state)

    @torch.no_grad()
    def trace(self, frames: NDArray[np.floating], horizons: Sequence[int] = ()) -> dict[str, NDArray[np.float64]]:
        """Run over a whole recording ``(T, C)``, channels not normalised.

        Returns:
            ``state`` ``(T, H)``, ``projection`` ``(T, E)`` and ``ahead`` ``(T, C * K)``: the change until each of the K
            `horizons` (all of the encoder's unless given).

        Raises:
            SettingsError: A horizon that it does not predict.
        """
        missing = set(horizons) - set(self.settings.horizons)
        if missing:
            raise SettingsError(f"horizons {sorted(missing)} are not predicted, only {self.settings.horizons}")
        normalised = self.predictor.normalise(torch.from_numpy(np.asarray(frames, dtype=np.float32)))[None]
        state, ahead, projection = self(normalised)
        chosen = [self.settings.horizons.index(k) for k in horizons or self.settings.horizons]
        parts = {"state": state[0], "projection": projection[0], "ahead": ahead[0][:, chosen].flatten(1)}
        return {name: value.numpy().astype(np.float64) for name, value in parts.items()}
