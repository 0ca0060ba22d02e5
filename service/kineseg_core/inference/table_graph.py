"""The graph that steps a table of states where it lies: gathers rows, steps, checks and scatters them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from kineseg_core.inference.bundle import Bundle

_PREFIX = "kineseg_table_"


def table_graph(bundle: Bundle) -> bytes:
    """Wraps the streaming step of a bundle into a step over a table of states.

    Inputs: `table` (slots, S) and `rows` (B, C + 2), all that a step needs to send: frames, each with its slot (exact
    up to 2**24) and with 1, or 0 to start from zeros. No slot may come twice.

    Outputs: `results`, all that comes back, one after the other: embedding (B, E), surprise (B,), 1 where the row is
    good (B,), and scores (B, K) where the bundle's graph has them. `next_table` (slots, S), in which the rows' states
    have advanced where they are good; it may be bound to where `table` is, as nothing reads that afterwards.
    """
    model = onnx.load_model_from_string(bundle.graph)
    inner = model.graph
    channels, size = len(bundle.channels), bundle.state_size
    wide = ["embedding", *(["scores"] if bundle.classes else [])]
    # Not read from the graph, which may leave the sizes of its outputs open.
    width = size + bundle.embedding_dim + len(bundle.classes) + 1
    constants: dict[str, str] = {}

    def const(name: str, value: NDArray[np.generic]) -> str:
        if name not in constants:
            constants[name] = _PREFIX + name
            inner.initializer.append(numpy_helper.from_array(value, constants[name]))
        return constants[name]

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], **attributes)

    def columns(first: int, end: int, output: str) -> onnx.NodeProto:
        at = [const(f"column{column}", np.array([column], np.int64)) for column in (first, end)]
        return node("Slice", ["rows", *at, const("axis", np.array([1], np.int64))], output)

    def own(name: str) -> str:
        return _PREFIX + name

    flat, column = const("flat", np.array([-1], np.int64)), const("column", np.array([-1, 1], np.int64))
    largest = const("largest", np.array([np.finfo(np.float32).max], np.float32))
    gather = [
        columns(0, channels, "frame"),
        columns(channels, channels + 1, own("slot")),
        columns(channels + 1, channels + 2, own("keep")),
        node("Cast", [own("slot")], own("at"), to=TensorProto.INT64),
        node("Cast", [own("keep")], own("kept"), to=TensorProto.BOOL),
        node("Reshape", [own("at"), flat], own("slots")),
        node("Gather", ["table", own("slots")], own("gathered"), axis=0),
        node("Where", [own("kept"), own("gathered"), const("zero", np.zeros(1, np.float32))], "state"),
    ]
    scatter = [
        node("Reshape", ["surprise", column], own("surprise")),
        node("Concat", ["next_state", *wide, own("surprise")], own("all"), axis=1),
        node("Abs", [own("all")], own("abs")),
        # False for NaN, too. Counting by a matrix product works in every operator set.
        node("LessOrEqual", [own("abs"), largest], own("fine")),
        node("Cast", [own("fine")], own("ones"), to=TensorProto.FLOAT),
        node("MatMul", [own("ones"), const("count", np.ones((width, 1), np.float32))], own("sum")),
        node("Greater", [own("sum"), const("enough", np.array([width - 0.5], np.float32))], own("good")),
        node("Where", [own("good"), "next_state", "state"], own("written")),
        node("ScatterND", ["table", own("at"), own("written")], "next_table"),
        node("Cast", [own("good")], own("is_good"), to=TensorProto.FLOAT),
    ]
    parts = ["embedding", own("surprise"), own("is_good"), *wide[1:]]
    back = [node("Reshape", [part, flat], own(f"flat{at}")) for at, part in enumerate(parts)]
    back.append(node("Concat", [one.output[0] for one in back], "results", axis=0))
    nodes = [*gather, *inner.node, *scatter, *back]
    del inner.node[:], inner.input[:], inner.output[:]
    inner.node.extend(nodes)
    value = helper.make_tensor_value_info
    inner.input.extend(
        [
            value("table", TensorProto.FLOAT, ["slots", size]),
            value("rows", TensorProto.FLOAT, ["batch", channels + 2]),
        ]
    )
    inner.output.extend(
        [value("results", TensorProto.FLOAT, ["numbers"]), value("next_table", TensorProto.FLOAT, ["slots", size])]
    )
    wrapped: bytes = model.SerializeToString()
    return wrapped
