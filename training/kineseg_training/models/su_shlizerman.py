"""The tied sequence-to-sequence predictor of Su & Shlizerman: one GRU reads motion and then goes on by itself.

K. Su and E. Shlizerman, "Clustering and Recognition of Spatiotemporal Features through Interpretable Embedding of
Sequence to Sequence Recurrent Neural Networks", 2019/2020 (arXiv 1905.12176), after J. Martinez, M. J. Black and
J. Romero, "On human motion prediction using recurrent neural networks", 2017 (arXiv 1705.02445).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.normalised import Normalised


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
