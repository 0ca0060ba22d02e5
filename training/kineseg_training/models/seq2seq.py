"""A recurrent sequence-to-sequence predictor of motion whose encoder and decoder are one and the same cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from kineseg_training.errors import SettingsError
from kineseg_training.models.normalised import Normalised

# The cell hears how a frame differs from the one before; at 30 frames a second that is several times smaller than what
# it differs from the mean.
VELOCITY_GAIN = 4.0

Cell = Literal["gru", "lstm"]
State = Tensor | tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Seq2SeqSettings:
    """The shape of the predictor.

    Attributes:
        channels: C, numbers in a frame.
        hidden: H, units of the recurrent cell.
        cell: ``gru`` or ``lstm``.
    """

    channels: int
    hidden: int = 256
    cell: Cell = "gru"

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise SettingsError(f"channels must be at least 1, got {self.channels}")
        if self.hidden < 1:
            raise SettingsError(f"hidden must be at least 1, got {self.hidden}")
        if self.cell not in ("gru", "lstm"):
            raise SettingsError(f"cell must be 'gru' or 'lstm', got {self.cell!r}")


class Seq2Seq(Normalised):
    """Reads frames, then goes on by itself: ``h' = cell([x, dx], h)``, next frame ``x + W h'``.

    ``dx`` is `VELOCITY_GAIN` times the change since the frame before, zero in the first. Without it the cell has to
    find out how fast things move by subtracting what it remembers, and on held-out takes the frame ahead is hardly
    predicted better than by standing still.

    Everything here is in normalised channels, ``(channel - mean) / scale``; the two are part of the model (buffers
    `mean` and `scale`, both ``(C,)``).
    """

    def __init__(self, settings: Seq2SeqSettings) -> None:
        super().__init__(settings.channels)
        self.settings = settings
        recurrent = nn.GRU if settings.cell == "gru" else nn.LSTM
        self.rnn: nn.GRU | nn.LSTM = recurrent(2 * settings.channels, settings.hidden, batch_first=True)
        self.velocity = nn.Linear(settings.hidden, settings.channels)
        # Starting at "nothing moves" makes the first loss that of the zero-velocity baseline.
        nn.init.zeros_(self.velocity.weight)
        nn.init.zeros_(self.velocity.bias)

    def forward(self, source: Tensor, lengths: Tensor, n_target: int) -> tuple[Tensor, Tensor]:
        """Predict one step ahead all along the source, then `n_target` steps from its own predictions.

        Args:
            source: ``(B, S, C)`` normalised frames, row b valid up to ``lengths[b]``.
            lengths: ``(B,)`` int64 on the CPU.
            n_target: Frames to predict.

        Returns:
            One step: ``(B, S, C)``, at s the prediction of frame s + 1 (nothing of use from ``lengths[b]`` on).
            Rollout: ``(B, n_target, C)``.
        """
        packed = pack_padded_sequence(heard(source), lengths, batch_first=True, enforce_sorted=False)
        encoded, state = self.rnn(packed)
        hidden, _ = pad_packed_sequence(encoded, batch_first=True, total_length=source.shape[1])
        one_step = source + self.velocity(hidden)
        last = (lengths - 1).to(source.device).view(-1, 1, 1).expand(-1, 1, source.shape[2])
        before, frame = source.gather(1, last), one_step.gather(1, last)
        rollout = [frame]
        for _ in range(n_target - 1):
            hidden, state = self._step(torch.cat([frame, VELOCITY_GAIN * (frame - before)], dim=2), state)
            before, frame = frame, frame + self.velocity(hidden)
            rollout.append(frame)
        return one_step, torch.cat(rollout, dim=1)

    def _step(self, heard: Tensor, state: State) -> tuple[Tensor, State]:
        return cast(tuple[Tensor, State], self.rnn(heard, state))

    @torch.no_grad()
    def trace(self, frames: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run over a whole recording from the initial state, as a stream would.

        Args:
            frames: ``(T, C)`` channels, not normalised.

        Returns:
            Hidden states ``(T, H)`` and normalised predictions ``(T, C)`` of the frame after each.
        """
        device = self.mean.device
        normalised = self.normalise(torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(device))[None]
        hidden, _ = self.rnn(heard(normalised))
        prediction = normalised + self.velocity(hidden)
        return hidden[0].cpu().numpy(), prediction[0].cpu().numpy()


def heard(frames: Tensor) -> Tensor:
    """``(B, S, 2C)``: each frame and its change since the one before."""
    return torch.cat([frames, VELOCITY_GAIN * torch.diff(frames, dim=1, prepend=frames[:, :1])], dim=2)
