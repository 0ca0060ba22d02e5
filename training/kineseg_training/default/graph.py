"""One streaming step as an ONNX graph of plain operators, with its state an input and an output.

    x       = (frame - mean) / scale
    joints  = sorted((x - previous prediction)^2 @ what is typical)
    surprise = started * worst / (middle + floor)^0.75
    dx      = started * (x - previous x)
    h'      = cell([x, dx], h)
    [velocity | embedding] = [tanh((factor x + shift) / limit), sqrt|dx|, h'] @ W + b       one product for both
    prediction' = x + velocity

State, in order: hidden (for LSTM also cell), previous x, previous prediction, started (0 in a new stream, then 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from kineseg_core.inference.graph_builder import GraphBuilder, step_model
from numpy.typing import NDArray

from kineseg_training.export.features import BLOCKS, POSE_LIMIT, Block, View
from kineseg_training.export.metric import Metric, rows_of
from kineseg_training.export.surprise import FLOOR, Surprise
from kineseg_training.models import Seq2Seq
from kineseg_training.models.seq2seq import VELOCITY_GAIN


@dataclass(frozen=True)
class StateLayout:
    """Parts of the state and their sizes, in the order in which they lie in it."""

    parts: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """Numbers in the state, S."""
        return sum(size for _, size in self.parts)


def state_layout(model: Seq2Seq) -> StateLayout:
    """The state that the graph of `model` carries from step to step."""
    hidden, channels = model.settings.hidden, model.settings.channels
    cell = (("cell", hidden),) if model.settings.cell == "lstm" else ()
    return StateLayout(
        (("hidden", hidden), *cell, ("previous_frame", channels), ("previous_prediction", channels), ("started", 1))
    )


def step_graph(
    model: Seq2Seq, metric: Metric, blocks: tuple[Block, ...], view: View, surprise: Surprise
) -> onnx.ModelProto:
    """The graph of one step: inputs `frame`, `state`; outputs `prediction`, `surprise`, `embedding`, `next_state`.

    Args:
        model: The predictor.
        metric: The embedding, of the features in `blocks`.
        blocks: What the embedding is made of, in that order.
        view: How it sees the channels.
        surprise: How errors become surprise.
    """
    build = _Builder()
    layout = state_layout(model)
    channels = model.settings.channels
    mean, scale = _array(model.mean), _array(model.scale)

    parts = build.split("state", layout.parts)
    x = build("Mul", build("Sub", "frame", build.constant(mean)), build.constant(1.0 / scale), name="x")

    error = build("Sub", x, parts["previous_prediction"])
    build("Squeeze", _surprise(build, error, surprise, parts["started"]), build.integers([1]), name="surprise")

    # There is no previous frame in a new stream: nothing has moved.
    moved = build("Mul", build("Sub", x, parts["previous_frame"]), parts["started"])
    heard = build("Concat", x, moved, axis=1)
    if model.settings.cell == "gru":
        hidden = _gru(build, model, heard, parts["hidden"])
        memory = [hidden]
    else:
        hidden, cell = _lstm(build, model, heard, parts["hidden"], parts["cell"])
        memory = [hidden, cell]

    seen = build("Mul", x, build.constant(view.factor / POSE_LIMIT))
    pose = build("Tanh", build("Add", seen, build.constant(view.shift / POSE_LIMIT)))
    speed = build("Sqrt", build("Abs", moved))
    outputs = build.linear(build("Concat", pose, speed, hidden, axis=1), *_output_layer(model, metric, blocks, view))
    velocity = build.split(outputs, [("velocity", channels), ("embedding", metric.weight.shape[1])])["velocity"]
    prediction = build("Add", x, velocity)
    in_units = build("Mul", prediction, build.constant(scale))
    build("Add", in_units, build.constant(mean), name="prediction")

    # Clipping to [1, 1] makes a one for every row, whatever the batch.
    one = build.constant(np.ones(()))
    started = build("Clip", parts["started"], one, one)
    build("Concat", *memory, x, prediction, started, name="next_state", axis=1)
    return step_model(build, "kineseg_step", channels=channels, state=layout.size, embedding=metric.weight.shape[1])


def _surprise(build: _Builder, error: str, surprise: Surprise, started: str) -> str:
    joints = build("MatMul", build("Mul", error, error), build.constant(surprise.weight))
    places = build.largest(joints, surprise.middle + 1)
    worst, middle = build.column(places, 0), build.column(places, surprise.middle)
    # Two square roots make the power 3/4: unlike Pow they give a row the same bits in every batch.
    root = build("Sqrt", build("Add", middle, build.constant(np.array(FLOOR))))
    return build("Mul", build("Div", worst, build("Mul", root, build("Sqrt", root))), started)


def _gru(build: _Builder, model: Seq2Seq, heard: str, hidden: str) -> str:
    size = model.settings.hidden
    gates = _gates(build, model, heard, hidden)
    from_x = build.split(gates[0], [("x_reset_update", 2 * size), ("x_new", size)])
    from_h = build.split(gates[1], [("h_reset_update", 2 * size), ("h_new", size)])
    both = build("Sigmoid", build("Add", from_x["x_reset_update"], from_h["h_reset_update"]))
    gate = build.split(both, [("reset", size), ("update", size)])
    new = build("Tanh", build("Add", from_x["x_new"], build("Mul", gate["reset"], from_h["h_new"])))
    # new + update * (hidden - new)
    return build("Add", new, build("Mul", gate["update"], build("Sub", hidden, new)))


def _lstm(build: _Builder, model: Seq2Seq, heard: str, hidden: str, cell: str) -> tuple[str, str]:
    size = model.settings.hidden
    gates = build("Add", *_gates(build, model, heard, hidden))
    part = build.split(gates, [("input_forget", 2 * size), ("candidate", size), ("output", size)])
    both = build("Sigmoid", part["input_forget"])
    gate = build.split(both, [("input", size), ("forget", size)])
    new = build("Mul", gate["input"], build("Tanh", part["candidate"]))
    kept = build("Add", build("Mul", gate["forget"], cell), new)
    return build("Mul", build("Sigmoid", part["output"]), build("Tanh", kept)), kept


def _gates(build: _Builder, model: Seq2Seq, heard: str, hidden: str) -> list[str]:
    rnn = model.rnn
    from_heard = _array(rnn.weight_ih_l0).T.copy()
    from_heard[model.settings.channels :] *= VELOCITY_GAIN
    return [
        build.linear(heard, from_heard, _array(rnn.bias_ih_l0)),
        build.linear(hidden, _array(rnn.weight_hh_l0).T, _array(rnn.bias_hh_l0)),
    ]


def _output_layer(
    model: Seq2Seq, metric: Metric, blocks: tuple[Block, ...], view: View
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight ``(2C + H, C + E)`` and bias: velocity out of the state, embedding out of all blocks in use."""
    channels, hidden = model.settings.channels, model.settings.hidden
    width: dict[Block, int] = {"pose": channels, "speed": channels, "state": hidden}
    here = dict(zip(BLOCKS, rows_of([width[block] for block in BLOCKS]), strict=True))
    # The graph's pose is divided by the limit and its speed is of channels as the predictor sees them.
    factors: dict[Block, NDArray[np.float64]] = {"pose": np.full(channels, POSE_LIMIT), "speed": np.sqrt(view.factor)}
    weight = np.zeros((2 * channels + hidden, channels + metric.weight.shape[1]))
    weight[here["state"], :channels] = _array(model.velocity.weight).T
    for block, rows in zip(blocks, rows_of([width[block] for block in blocks]), strict=True):
        weight[here[block], channels:] = factors.get(block, np.ones(1))[:, None] * metric.weight[rows]
    return weight, np.concatenate([_array(model.velocity.bias), metric.bias])


def _array(value: object) -> NDArray[np.float64]:
    return np.asarray(value.detach().cpu().numpy(), dtype=np.float64)  # type: ignore[attr-defined]


class _Builder(GraphBuilder):
    """With what this step needs beside."""

    def column(self, value: str, at: int) -> str:
        """One column of `value`, ``(B, 1)``."""
        return self("Gather", value, self.integers([at]), axis=1)

    def linear(self, value: str, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> str:
        """``value @ weight + bias``."""
        return self("Gemm", value, self.constant(weight), self.constant(bias))
