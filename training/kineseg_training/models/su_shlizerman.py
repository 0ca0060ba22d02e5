"""The tied sequence-to-sequence predictor of Su & Shlizerman: one GRU reads motion and then goes on by itself.

K. Su and E. Shlizerman, "Clustering and Recognition of Spatiotemporal Features through Interpretable Embedding of
Sequence to Sequence Recurrent Neural Networks", 2019/2020 (arXiv 1905.12176), after J. Martinez, M. J. Black and
J. Romero, "On human motion prediction using recurrent neural networks", 2017 (arXiv 1705.02445).

Its two adversaries, one of which sees what it predicts and the other whether that goes on from what it has seen, are
after L.-Y. Gui, Y.-X. Wang, X. Liang and J. M. F. Moura, "Adversarial geometry-aware human motion prediction", 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.normalised import Normalised

# Windows that are decoded at once.
_BATCH = 64
# Su & Shlizerman's weight of mean squared error and fidelity against continuity.
FIDELITY_WEIGHT = 0.6


@dataclass(frozen=True)
class TiedSettings:
    """The shape of the predictor.

    Attributes:
        channels: C, numbers in a frame.
        hidden: H, units of the GRU.
        residual: Predict the change of the frame instead of the frame (Martinez et al.); the paper does not.
        reread: Whether the encoder, too, reads the source's last frame, with which the decoder begins.
        source: S, frames read before predicting, in training and in `layer_sequences`.
        target: N, frames predicted from there.
    """

    channels: int
    hidden: int = 1024
    residual: bool = False
    reread: bool = True
    source: int = 25
    target: int = 25

    def __post_init__(self) -> None:
        for name, least in (("channels", 1), ("hidden", 1), ("source", 2), ("target", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} must be at least {least}, got {getattr(self, name)}")


class TiedSeq2Seq(Normalised):
    """``h' = gru(x, h)``, next frame ``W h' + b``; the same GRU encodes and decodes.

    The encoder reads the source and gives its state to the decoder. The decoder's first input is the last frame of the
    source, every further one is its own prediction, in training too, so that it learns to go on from its own mistakes.
    The paper leaves open whether the encoder reads that last frame as well. Its authors' script does; the network that
    it builds on reads each frame once (``reread=False``).

    Encoder and decoder work on normalised channels, ``(channel - mean) / scale``; the two are part of the model
    (buffers `mean` and `scale`, both ``(C,)``).
    """

    def __init__(self, settings: TiedSettings) -> None:
        super().__init__(settings.channels)
        self.settings = settings
        self.rnn = nn.GRU(settings.channels, settings.hidden, batch_first=True)
        self.readout = nn.Linear(settings.hidden, settings.channels)

    def encode(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Read.

        Args:
            frames: ``(B, S, C)`` normalised.

        Returns:
            The state after each frame, ``(B, S, H)``, and after the last, ``(B, H)``.
        """
        states, last = self.rnn(frames)
        return states, last[0]

    def step(self, frame: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one frame ``(B, C)``, normalised, in state ``(B, H)``: the frame predicted next, and the new state."""
        _, new = self.rnn(frame[:, None], state[None])
        prediction: Tensor = self.readout(new[0])
        return (frame + prediction if self.settings.residual else prediction), new[0]

    def decode(self, frame: Tensor, state: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """Go on from `frame` by itself.

        Args:
            frame: ``(B, C)`` normalised, the last frame seen.
            state: ``(B, H)`` after the frame before it.
            n: Frames to predict.

        Returns:
            Predictions ``(B, n, C)``, normalised, of the frames after `frame`, and the states ``(B, n, H)`` that they
            were read out from: the decoder states that the paper clusters.
        """
        predictions, states = [], []
        for _ in range(n):
            frame, state = self.step(frame, state)
            predictions.append(frame)
            states.append(state)
        return torch.stack(predictions, dim=1), torch.stack(states, dim=1)

    def forward(self, source: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """`encode` the source ``(B, S, C)``, normalised, S at least 2; then `decode` n frames from its last one."""
        _, state = self.encode(source if self.settings.reread else source[:, :-1])
        return self.decode(source[:, -1], state, n)

    @torch.no_grad()
    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """What every layer makes of a whole clip.

        Args:
            frames: ``(T, C)`` channels, not normalised; T at least 3.

        Returns:
            ``input`` ``(T, C)`` normalised; ``encoder`` ``(T, H)``, the states while reading the whole clip;
            ``decoder`` ``(T - S, H)``, for each frame from the S-th on the state that it was predicted from, decoded in
            stretches of N frames, each after reading the S before it (S less where the clip is shorter).

        Raises:
            DataError: Fewer than three frames.
        """
        if len(frames) < 3:
            raise DataError(f"a clip of {len(frames)} frames: at least 3 are needed to read two and predict one")
        device = self.mean.device
        clip = self.normalise(torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(device))
        encoded, _ = self.encode(clip[None])
        source, target = min(self.settings.source, len(clip) - 1), self.settings.target
        starts = range(0, len(clip) - source, target)
        _, decoded = self(torch.stack([clip[start : start + source] for start in starts]), target)
        return {
            "input": clip.cpu().numpy(),
            "encoder": encoded[0].cpu().numpy(),
            "decoder": decoded.reshape(-1, decoded.shape[2])[: len(clip) - source].cpu().numpy(),
        }


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a model decodes after W windows of S frames.

    Attributes:
        predictions: ``(W, N, C)`` float32, normalised.
        states: ``(W, N, H)`` float32, decoder states that they were read out from.
    """

    predictions: NDArray[np.float32]
    states: NDArray[np.float32]


@torch.no_grad()
def decode(model: TiedSeq2Seq, sources: Tensor, n: int) -> Decoded:
    """Read each of the sources ``(W, S, C)``, normalised, and go on for n frames."""
    parts = [model(batch.to(model.mean.device), n) for batch in _batches(sources)]
    return Decoded(
        torch.cat([prediction for prediction, _ in parts]).float().cpu().numpy(),
        torch.cat([states for _, states in parts]).float().cpu().numpy(),
    )


def _batches(rows: Tensor) -> Iterator[Tensor]:
    for begin in range(0, len(rows), _BATCH):
        yield rows[begin : begin + _BATCH]


class Discriminator(nn.Module):
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
    """Two discriminators: that of fidelity sees the predicted part alone, that of continuity the past as well."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fidelity = Discriminator(channels, hidden)
        self.continuity = Discriminator(channels, hidden)

    def loss(self, source: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
        """What the discriminators minimise: real motion is to be called real, predicted motion not. A scalar.

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

        The last two are the cross-entropies of being called real. (The authors' script has for predictor and both
        one optimiser and one loss, in which the predictor helps them; the paper describes adversaries, and so do we.)
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
