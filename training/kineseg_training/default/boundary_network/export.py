"""The fitted network as an ONNX graph of plain operators, and as deterministic bytes.

    maps   = relu(conv(maps) + conv(coordinates))   the second is constant and computed here
    maps   = relu(conv(maps)), twice
    hidden = relu([maps, context] @ W + b[lag])
    logit  = hidden @ w + c + weight * sum(discrepancies - 0.5)

Whoever runs it gives, for every candidate: its maps and context, within their ranges and 0 where nothing is known, see
`kineseg_core.boundary_network.Look`, and the lag's place in `LAGS`.
"""

from __future__ import annotations

import json

import numpy as np
import onnx
import torch
from kineseg_core.boundary_network import layout
from kineseg_core.boundary_network.discrepancy import NO_DISCREPANCY
from kineseg_core.boundary_network.file import METADATA, VERSION
from kineseg_core.inference.graph_builder import GraphBuilder, rows
from numpy.typing import NDArray
from onnx import TensorProto, helper

from kineseg_training.default.boundary_network.calibration import Calibration
from kineseg_training.default.boundary_network.network import BoundaryNetwork

INPUTS = ("maps", "context", "lag", "discrepancies")
OUTPUT = "logit"


def to_bytes(network: BoundaryNetwork, calibration: Calibration) -> bytes:
    """The file's content; equal weights give equal bytes."""
    return to_onnx(network, calibration).SerializeToString(deterministic=True)


def to_onnx(network: BoundaryNetwork, calibration: Calibration) -> onnx.ModelProto:
    """The checked graph, with its version and the layout of its inputs as metadata."""
    graph = GraphBuilder()
    first, *others = network.convolutions
    given = 2 * layout.VIEWS + 1
    maps = _convolution(graph, "maps", _array(first.weight)[:, :given], None)
    maps = graph("Relu", graph("Add", maps, graph.constant(_of_coordinates(network))))
    for convolution in others:
        maps = graph("Relu", _convolution(graph, maps, _array(convolution.weight), _array(convolution.bias)))

    seen = graph("Concat", graph("Flatten", maps, axis=1), "context", axis=1)
    weight, bias = _array(network.hidden.weight).T, _array(network.hidden.bias)
    without_lag = len(weight) - len(layout.LAGS)
    at_lag = graph("Gather", graph.constant(weight[without_lag:] + bias), "lag", axis=0)
    hidden = graph("Relu", graph("Add", graph("MatMul", seen, graph.constant(weight[:without_lag])), at_lag))
    output = graph.constant(_array(network.output.weight).T), graph.constant(_array(network.output.bias))
    own = graph("Gemm", hidden, *output)
    beyond = graph("Sub", "discrepancies", graph.scalar(NO_DISCREPANCY))
    weighted = graph("Mul", graph.scalar(calibration.discrepancy_weight), beyond)
    added = graph("ReduceSum", weighted, graph.integers([1]), keepdims=1)
    graph("Squeeze", graph("Add", own, added), graph.integers([1]), name=OUTPUT)

    inputs = [
        rows("maps", given, layout.PIECES, layout.PIECES),
        rows("context", layout.CONTEXT),
        rows("lag", kind=TensorProto.INT64),
        rows("discrepancies", layout.COMPARED),
    ]
    model = graph.model("kineseg_boundary_network", inputs, [rows(OUTPUT)])
    described = {"version": VERSION, "operating_point": dict(calibration.operating_point)}
    helper.set_model_props(model, {METADATA: json.dumps(described, sort_keys=True)})
    return model


def _convolution(graph: GraphBuilder, maps: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> str:
    """With a kernel of 3 x 3, every second place, zeros around."""
    constants = [graph.constant(value) for value in (weight, bias) if value is not None]
    return graph("Conv", maps, *constants, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])


def _of_coordinates(network: BoundaryNetwork) -> NDArray[np.float32]:
    """``(1, maps, side, side)``: what the first convolution makes of the coordinates, its bias included."""
    first = network.convolutions[0]
    assert isinstance(first, torch.nn.Conv2d)
    weight = first.weight[:, -network.coordinates.shape[1] :]
    with torch.no_grad():
        return _array(torch.nn.functional.conv2d(network.coordinates, weight, first.bias, first.stride, first.padding))


def _array(value: object) -> NDArray[np.float32]:
    return np.asarray(value.detach().cpu().numpy(), dtype=np.float32)  # type: ignore[attr-defined]
