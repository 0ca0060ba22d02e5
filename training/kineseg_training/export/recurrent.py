"""The recurrent families as streaming steps: what the cell remembers is the state, its next frame the prediction.

x          = (frame - mean) / scale
surprise   = how badly the step before had predicted x (`kineseg_training.export.surprise`)
hidden     = cell(x, memory)
embedding  = [posture, speed, hidden] @ W + b, of these blocks those chosen (`kineseg_training.export.features`)
prediction = what the decoder says first when it starts from here
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.export.features import POSE_LIMIT, Block, PredictorTrace, View
from kineseg_training.export.metric import Metric
from kineseg_training.export.step_graph import StepModule
from kineseg_training.export.surprise import FLOOR, Surprise
from kineseg_training.models.composite import CompositeLSTM, Decoder
from kineseg_training.models.su_shlizerman import TiedSeq2Seq


class Cell(nn.Module, ABC):
    """One step of a recurrent model on normalised frames.

    Attributes:
        channels: C.
        hidden: H, size of what the embedding may be made of.
        memory: Names and sizes of what it carries from step to step.
        mean, scale: ``(C,)``, normalisation of the channels.
    """

    channels: int
    hidden: int
    memory: tuple[tuple[str, int], ...]
    mean: Tensor
    scale: Tensor

    @abstractmethod
    def forward(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Normalised frames ``(B, C)`` and memory: hidden state ``(B, H)``, prediction ``(B, C)``, memory after it."""

    @torch.no_grad()
    def through(self, frames: NDArray[np.floating]) -> PredictorTrace:
        """The way through a recording ``(T, C)`` in the units of its channels, from the initial state."""
        x = (torch.from_numpy(np.asarray(frames, dtype=np.float32)) - self.mean) / self.scale
        memory = tuple(torch.zeros(1, size) for _, size in self.memory)
        hidden, predicted = [], []
        for frame in x:
            state, prediction, memory = self(frame[None], *memory)
            hidden.append(state[0])
            predicted.append(prediction[0])
        return PredictorTrace(
            *(part.numpy().astype(np.float64) for part in (x, torch.stack(hidden), torch.stack(predicted)))
        )


class TiedCell(Cell):
    """The step of `TiedSeq2Seq`; the hidden state is that of the decoder when it has said the next frame.

    Where the decoder begins with a frame that the encoder has read too, the cell steps twice over each frame.
    """

    def __init__(self, model: TiedSeq2Seq) -> None:
        super().__init__()
        self.channels, self.hidden = model.settings.channels, model.settings.hidden
        self.memory = (("hidden", self.hidden),)
        self.residual, self.reread = model.settings.residual, model.settings.reread
        self.gru = nn.GRUCell(self.channels, self.hidden)
        _take(self.gru, model.rnn, 0)
        self.readout = model.readout
        self.register_buffer("mean", model.mean)
        self.register_buffer("scale", model.scale)

    def forward(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """See `Cell`."""
        read = self.gru(x, memory[0])
        state = self.gru(x, read) if self.reread else read
        prediction = self.readout(state)
        return state, x + prediction if self.residual else prediction, (read,)


class CompositeCell(Cell):
    """The step of `CompositeLSTM`: the encoder reads on, its future decoder is asked for one frame each time.

    The hidden state is that of the encoder's top layer: what both decoders would start from.
    """

    def __init__(self, model: CompositeLSTM) -> None:
        super().__init__()
        future = model.future_decoder()
        settings = model.settings
        self.channels, self.hidden, self.layers = settings.inputs, settings.hidden, settings.layers
        self.memory = tuple(
            (f"{what}_{level}", self.hidden) for level in range(1, self.layers + 1) for what in ("hidden", "cell")
        )
        self.conditional = future.conditional
        self.encoder = _cells(model.encoder.lstm)
        self.future = _cells(future.lstm)
        self.decoder: Decoder = future
        self.register_buffer("mean", model.mean)
        self.register_buffer("scale", model.scale)

    def forward(self, x: Tensor, *memory: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """See `Cell`."""
        after = self._through(self.encoder, x, memory)
        given = x if self.conditional else torch.zeros_like(x[:, :1])
        ahead = self._through(self.future, given, after)
        return after[-2], self.decoder.frames(self.decoder.readout(ahead[-2])), after

    @staticmethod
    def _through(cells: nn.ModuleList, x: Tensor, memory: Sequence[Tensor]) -> tuple[Tensor, ...]:
        after: list[Tensor] = []
        for level, cell in enumerate(cells):
            hidden, inner = cell(x, (memory[2 * level], memory[2 * level + 1]))
            after += [hidden, inner]
            x = hidden
        return tuple(after)


class RecurrentStep(StepModule):
    """A cell with surprise and embedding.

    Args:
        cell: What predicts.
        metric: The embedding, of the features in `blocks`.
        blocks: What the embedding is made of, in that order.
        view: How it sees the channels.
        surprise: How errors become surprise.
    """

    factor: Tensor
    shift: Tensor
    weight: Tensor
    bias: Tensor
    typical: Tensor

    def __init__(self, cell: Cell, metric: Metric, blocks: tuple[Block, ...], view: View, surprise: Surprise) -> None:
        super().__init__()
        self.cell, self.blocks = cell, blocks
        self.channels = cell.channels
        self.embedding_dim = metric.weight.shape[1]
        self.parts = (
            *cell.memory,
            ("previous_frame", cell.channels),
            ("previous_prediction", cell.channels),
            ("started", 1),
        )
        self.middle = surprise.middle
        for name, array in (
            ("factor", view.factor),
            ("shift", view.shift),
            ("weight", metric.weight),
            ("bias", metric.bias),
            ("typical", surprise.weight),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(array, dtype=np.float32)))

    def forward(self, frame: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """See `StepModule`."""
        *memory, previous, predicted, started = self.unpacked(state)
        x = (frame - self.cell.mean) / self.cell.scale
        joints = ((x - predicted) ** 2) @ self.typical
        joints = torch.topk(joints, self.middle + 1, dim=1).values
        surprise = started[:, 0] * joints[:, 0] / (joints[:, self.middle] + FLOOR) ** 0.75
        hidden, prediction, after = self.cell(x, *memory)
        # There is no previous frame in a new stream: nothing has moved.
        moved = started * (x - previous) * self.factor
        seen: dict[Block, Tensor] = {
            "pose": POSE_LIMIT * torch.tanh((x * self.factor + self.shift) / POSE_LIMIT),
            "speed": torch.sqrt(torch.abs(moved)),
            "state": hidden,
        }
        embedding = torch.cat([seen[block] for block in self.blocks], dim=1) @ self.weight + self.bias
        next_state = torch.cat([*after, x, prediction, torch.ones_like(started)], dim=1)
        return prediction * self.cell.scale + self.cell.mean, surprise, embedding, next_state


def _cells(lstm: nn.LSTM) -> nn.ModuleList:
    cells = nn.ModuleList()
    for level in range(lstm.num_layers):
        cell = nn.LSTMCell(lstm.input_size if level == 0 else lstm.hidden_size, lstm.hidden_size)
        _take(cell, lstm, level)
        cells.append(cell)
    return cells


def _take(cell: nn.RNNCellBase, layers: nn.RNNBase, level: int) -> None:
    """The weights of one layer; a module of single steps is what can be exported."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: getattr(layers, f"{name}_l{level}") for name in names})
