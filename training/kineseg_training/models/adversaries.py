"""The two adversaries of the predictor: one judges what it predicts, one whether that goes on from what it has seen.

After L.-Y. Gui, Y.-X. Wang, X. Liang and J. M. F. Moura, "Adversarial geometry-aware human motion prediction", 2018, as
used by Su & Shlizerman (arXiv 1905.12176).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

# Su & Shlizerman's weight of mean squared error and fidelity against continuity.
FIDELITY_WEIGHT = 0.6


class Judge(nn.Module):
    """Reads motion with a GRU and says from its last state whether it is real."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(channels, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """``(B, T, C)`` normalised frames to logits ``(B,)``, large for real motion."""
        _, last = self.rnn(frames)
        logits: Tensor = self.readout(last[0])[:, 0]
        return logits


class Adversaries(nn.Module):
    """The fidelity judge hears the predicted part alone, the continuity judge the past and the predicted part."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fidelity = Judge(channels, hidden)
        self.continuity = Judge(channels, hidden)

    def loss(self, source: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
        """What the judges minimise: real motion is to be called real, predicted motion not. A scalar.

        Args:
            source: ``(B, S, C)`` the past.
            predicted: ``(B, N, C)``; no gradient goes to the predictor.
            target: ``(B, N, C)`` what really followed.
        """
        fake = predicted.detach()
        return (
            _called(self.fidelity(target), real=True)
            + _called(self.fidelity(fake), real=False)
            + _called(self.continuity(torch.cat([source, target], dim=1)), real=True)
            + _called(self.continuity(torch.cat([source, fake], dim=1)), real=False)
        )

    def predictor_loss(self, source: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
        """What the predictor minimises: 0.6 x (mean squared error + fidelity) + continuity, a scalar.

        The last two are the cross-entropies of being called real. (The authors' script gives predictor and judges one
        optimiser and one loss, in which the predictor helps the judges; the paper describes adversaries, and so do we.)
        """
        fidelity = _called(self.fidelity(predicted), real=True)
        continuity = _called(self.continuity(torch.cat([source, predicted], dim=1)), real=True)
        return FIDELITY_WEIGHT * (squared_error(predicted, target) + fidelity) + continuity


def squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error, computed in float32 under mixed precision too."""
    return ((predicted.float() - target.float()) ** 2).mean()


def _called(logits: Tensor, *, real: bool) -> Tensor:
    logits = logits.float()
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
