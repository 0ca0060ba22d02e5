"""What a graph may not do, found in its text before anything of it runs.

This bounds accidents and the plain attacks. It makes no graph safe: load bundles only from those you trust.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import onnx
from google.protobuf.message import Message

MOST_NUMBERS = 1 << 28
"""In one tensor of a step of one stream."""
# They repeat a graph as often as the data say, which may be for ever.
_LOOPS = frozenset({"Loop", "Scan", "SequenceMap"})


def refused(model: onnx.ModelProto) -> str:
    """Why a graph is not to be run; empty: nothing is known against it."""
    for message in _within(model):
        if isinstance(message, onnx.TensorProto):
            # Weights outside of the graph would be read from wherever it says, past hashes and bundle.
            if message.data_location == onnx.TensorProto.EXTERNAL or message.external_data:
                return "the graph keeps weights outside of the file"
            if math.prod(message.dims) > MOST_NUMBERS:
                return f"its constant {message.name!r} has more than {MOST_NUMBERS} numbers"
        if isinstance(message, onnx.NodeProto) and message.op_type in _LOOPS:
            return f"it has the operator {message.op_type}, which may run for ever: a step has no loops"
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info
    except Exception:  # whatever it does not know; ONNX Runtime says what is wrong
        return ""
    for value in inferred:
        numbers = math.prod(max(1, dim.dim_value) for dim in value.type.tensor_type.shape.dim)
        if numbers > MOST_NUMBERS:
            return f"its tensor {value.name!r} has {numbers} numbers in one step, at most {MOST_NUMBERS} are allowed"
    return ""


def _within(message: Message) -> Iterator[Message]:
    """A message and all that are in it: graphs lie within attributes of nodes of graphs."""
    waiting = [message]
    while waiting:
        one = waiting.pop()
        yield one
        for field, value in one.ListFields():
            if field.message_type is not None:
                waiting.extend([value] if isinstance(value, Message) else value)
