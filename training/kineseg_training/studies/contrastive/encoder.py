"""The encoder: the recurrent predictor with two more linear layers on its state; and its losses."""

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

# What lies further from the present, in standard deviations of a channel, is not worth more.
_FARTHEST = 4.0


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


def prediction_loss(ahead: Tensor, frames: Tensor, action: Tensor, horizons: tuple[int, ...], warm_up: int) -> Tensor:
    """Squared error of the change until each horizon, relative to that of predicting none, summed over horizons.

    What comes after a join cannot be known, so only targets within the action of the frame count.

    Args:
        ahead: ``(B, T, K, C)`` predicted changes.
        frames: ``(B, T, C)`` normalised channels.
        action: ``(B, T)``.
        horizons: K numbers of frames.
        warm_up: Frames at the start that do not count.
    """
    total = ahead.new_zeros(())
    for k, horizon in enumerate(horizons):
        change = (frames[:, horizon:] - frames[:, :-horizon]).clamp(-_FARTHEST, _FARTHEST)[:, warm_up:]
        counts = (action[:, horizon:] == action[:, :-horizon])[:, warm_up:]
        error = (ahead[:, :-horizon, k][:, warm_up:] - change)[counts].square().mean()
        total = total + error / change[counts].square().mean()
    return total


def contrastive_loss(
    points: Tensor, action: Tensor, kind: Tensor, time: Tensor, *, temperature: float, apart: int
) -> Tensor:
    """InfoNCE over frames (van den Oord, Li & Vinyals 2018; several positives as in Khosla et al. 2020).

    Positives are frames of the same action of the same stream at least `apart` frames away (that motion is smooth
    says nothing about actions); negatives are frames of other actions, unless they are of the same kind: a walk in
    another stream is neither the same as this walk nor something else. Similarity is minus the squared distance over
    `temperature`, so distances have a unit, which a cosine would not give them.

    Args:
        points: ``(N, E)``.
        action: ``(N,)`` numbers that differ between streams too.
        kind: ``(N,)``; -1 is of no kind but its own.
        time: ``(N,)`` frame in its stream.
        temperature: Squared distance at which two frames begin to be distinguished.
        apart: Frames.
    """
    similarity = torch.cdist(points, points).square() / -temperature
    same = action[:, None] == action
    positive = same & ((time[:, None] - time).abs() >= apart)
    negative = ~same & ((kind[:, None] != kind) | (kind < 0))
    score = similarity.masked_fill(~(positive | negative), -torch.inf)
    counts = positive.sum(dim=1)
    asked = (counts > 0) & negative.any(dim=1)
    if not asked.any():
        return points.new_zeros(())
    log_share = (score - torch.logsumexp(score, dim=1, keepdim=True))[asked]
    return -(log_share.masked_fill(~positive[asked], 0.0).sum(dim=1) / counts[asked]).mean()


def scatter_loss(points: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """How unequal the scatter of actions is, and how far the total variance is from 1.

    The first is the variance, over actions, of the logarithm of the variance within the action: actions that
    scatter alike need one threshold and not one each. The second keeps the whole from shrinking or growing (the
    variance term of VICReg; Bardes, Ponce & LeCun 2022).

    Args:
        points: ``(N, E)``.
        action: ``(N,)``.
    """
    logarithms = []
    for number in torch.unique(action):
        own = points[action == number]
        if len(own) > 3:
            logarithms.append(own.var(dim=0).sum().clamp(min=1e-6).log())
    unequal = torch.stack(logarithms).var() if len(logarithms) > 1 else points.new_zeros(())
    return unequal, (points.var(dim=0).sum() - 1.0).square()
