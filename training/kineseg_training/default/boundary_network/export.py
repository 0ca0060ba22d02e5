"""The fitted network as an ONNX graph of plain operators, and as deterministic bytes.

    mask   = first <= piece < end, for rows and columns
    maps   = relu(conv([clip(patches) * mask, mask]) + conv(coordinates))   the second is constant and computed here
    maps   = relu(conv(maps)), twice
    hidden = relu([maps, clip(units), known past] @ W + b[lag])
    logit  = hidden @ w + c + sum((discrepancies - 0.5) * weights[lag])

Whoever runs it gives, for every candidate: patches, units, known pieces (first and end), the lag's place in `LAGS`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import torch
from kineseg_core.boundary_network import layout
from kineseg_core.boundary_network.file import METADATA, VERSION
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from kineseg_training.default.boundary_network.calibration import Calibration
from kineseg_training.default.boundary_network.network import PATCH_RANGE, UNIT_RANGE, BoundaryNetwork

OPSET = 18
IR_VERSION = 9  # what runtimes of 2023 and later read
INPUTS = ("patches", "units", "known", "lag", "discrepancies")
NO_DISCREPANCY = 0.5
OUTPUT = "logit"


def to_bytes(network: BoundaryNetwork, calibration: Calibration) -> bytes:
    """The file's content; equal weights give equal bytes."""
    return to_onnx(network, calibration).SerializeToString(deterministic=True)


def to_onnx(network: BoundaryNetwork, calibration: Calibration) -> onnx.ModelProto:
    """The checked graph, with its version and the layout of its inputs as metadata."""
    graph = _Graph()
    mask, past = _mask(graph)
    patches = graph("Mul", graph("Clip", "patches", *map(graph.number, PATCH_RANGE)), mask)
    maps = graph("Concat", patches, mask, axis=1)

    first, *others = network.convolutions
    given = 2 * layout.VIEWS + 1
    maps = graph.convolution(maps, _array(first.weight)[:, :given], None)
    maps = graph("Relu", graph("Add", maps, graph.constant(_of_coordinates(network))))
    for convolution in others:
        maps = graph("Relu", graph.convolution(maps, _array(convolution.weight), _array(convolution.bias)))

    units = graph("Clip", "units", *map(graph.number, UNIT_RANGE))
    seen = graph("Concat", graph("Flatten", maps, axis=1), units, past, axis=1)
    weight, bias = _array(network.hidden.weight).T, _array(network.hidden.bias)
    without_lag = len(weight) - len(layout.LAGS)
    at_lag = graph("Gather", graph.constant(weight[without_lag:] + bias), "lag", axis=0)
    hidden = graph("Relu", graph("Add", graph("MatMul", seen, graph.constant(weight[:without_lag])), at_lag))
    output = graph.constant(_array(network.output.weight).T), graph.constant(_array(network.output.bias))
    own = graph("Gemm", hidden, *output)
    weights = graph("Gather", graph.constant(calibration.discrepancy_weights), "lag", axis=0)
    beyond = graph("Sub", "discrepancies", graph.number(NO_DISCREPANCY))
    added = graph("ReduceSum", graph("Mul", weights, beyond), graph.integers([1]), keepdims=1)
    graph("Squeeze", graph("Add", own, added), graph.integers([1]), output=OUTPUT)
    return graph.model(calibration)


def _mask(graph: _Graph) -> tuple[str, str]:
    """``(batch, 1, PIECES, PIECES)`` which pairs of pieces are known, ``(batch, 1)`` how much of the past."""
    piece = graph.integers(list(range(layout.PIECES)))
    first, end = (graph("Gather", "known", graph.integers([column]), axis=1) for column in range(2))  # each (batch, 1)
    inside = graph("And", graph("GreaterOrEqual", piece, first), graph("Less", piece, end))
    pieces = graph("Cast", inside, to=TensorProto.FLOAT)
    rows = graph("Unsqueeze", pieces, graph.integers([1, 3]))
    columns = graph("Unsqueeze", pieces, graph.integers([1, 2]))
    share = np.zeros((layout.PIECES, 1))
    share[: layout.PIECES_BEFORE] = 1.0 / layout.PIECES_BEFORE
    return graph("Mul", rows, columns), graph("MatMul", pieces, graph.constant(share))


def _of_coordinates(network: BoundaryNetwork) -> NDArray[np.float32]:
    """``(1, maps, side, side)``: what the first convolution makes of the coordinates, its bias included."""
    first = network.convolutions[0]
    assert isinstance(first, torch.nn.Conv2d)
    weight = first.weight[:, -network.coordinates.shape[1] :]
    with torch.no_grad():
        return _array(torch.nn.functional.conv2d(network.coordinates, weight, first.bias, first.stride, first.padding))


def _array(value: object) -> NDArray[np.float32]:
    return np.asarray(value.detach().cpu().numpy(), dtype=np.float32)  # type: ignore[attr-defined]


class _Graph:
    """Collects nodes and constants, naming them in the order in which they come."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *given: str, output: str = "", **attributes: Any) -> str:
        name = output or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, given, [name], **attributes))
        return name

    def convolution(self, maps: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> str:
        """With a kernel of 3 x 3, every second place, zeros around."""
        constants = [self.constant(value) for value in (weight, bias) if value is not None]
        return self("Conv", maps, *constants, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

    def number(self, value: float) -> str:
        """A float32 scalar."""
        return self.constant(np.array(value))

    def constant(self, value: NDArray[np.floating]) -> str:
        """A float32 constant."""
        return self._keep(np.array(value, dtype=np.float32, order="C"))

    def integers(self, values: list[int]) -> str:
        """An int64 constant."""
        return self._keep(np.array(values, dtype=np.int64))

    def _keep(self, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def model(self, calibration: Calibration) -> onnx.ModelProto:
        """The checked model."""
        views, pieces = layout.VIEWS, layout.PIECES

        def tensor(name: str, kind: int, *columns: int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, kind, ["batch", *columns])

        inputs = [
            tensor("patches", TensorProto.FLOAT, 2 * views, pieces, pieces),
            tensor("units", TensorProto.FLOAT, views),
            tensor("known", TensorProto.INT64, 2),
            tensor("lag", TensorProto.INT64),
            tensor("discrepancies", TensorProto.FLOAT, 4),
        ]
        outputs = [tensor(OUTPUT, TensorProto.FLOAT)]
        graph = helper.make_graph(self._nodes, "kineseg_boundary_network", inputs, outputs, self._constants)
        model = helper.make_model(
            graph, producer_name="kineseg", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
        )
        described = {"version": VERSION, "operating_point": calibration.operating_points}
        helper.set_model_props(model, {METADATA: json.dumps(described, sort_keys=True)})
        onnx.checker.check_model(model, full_check=True)
        return model
