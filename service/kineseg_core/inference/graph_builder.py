"""Writes ONNX graphs of plain operators, node by node: equal calls give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 9  # what runtimes of 2023 and later read


class GraphBuilder:
    """Collects nodes and constants, naming them in the order in which they come. Rows are streams or candidates."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node of one output, and that output's name."""
        output = name or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def split(self, value: str, parts: Sequence[tuple[str, int]]) -> dict[str, str]:
        """Cuts the columns of `value` into named parts of so many columns."""
        sizes = self.integers([size for _, size in parts])
        self._nodes.append(helper.make_node("Split", [value, sizes], [name for name, _ in parts], axis=1))
        return {name: name for name, _ in parts}

    def largest(self, value: str, count: int) -> str:
        """The largest `count` columns of each row, the largest first."""
        names = [f"{kind}_{len(self._nodes)}" for kind in ("largest", "largest_at")]
        self._nodes.append(helper.make_node("TopK", [value, self.integers([count])], names, axis=1))
        return names[0]

    def scalar(self, value: float) -> str:
        """A number without dimensions."""
        return self.constant(np.array(value))

    def constant(self, value: NDArray[np.floating]) -> str:
        """A float32 constant."""
        return self._keep(np.array(value, dtype=np.float32, order="C"))

    def integers(self, values: Sequence[int]) -> str:
        """An int64 constant."""
        return self._keep(np.array(values, dtype=np.int64))

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The checked model."""
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._constants)
        model = helper.make_model(
            graph, producer_name="kineseg", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _keep(self, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name


def rows(name: str, *sizes: int, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """An input or output of so many sizes for each row of the batch."""
    return helper.make_tensor_value_info(name, kind, ["batch", *sizes])


def step_model(builder: GraphBuilder, name: str, *, channels: int, state: int, embedding: int) -> onnx.ModelProto:
    """The checked model of a streaming step, whose nodes the builder has; see `protos/kineseg/v1/bundle.proto`."""
    inputs = [rows("frame", channels), rows("state", state)]
    outputs = [rows("prediction", channels), rows("surprise"), rows("embedding", embedding), rows("next_state", state)]
    return builder.model(name, inputs, outputs)
