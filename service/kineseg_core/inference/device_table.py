"""The states of all streams kept on the device: one graph gathers, steps, checks and scatters them there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.state_table import F32, Stepped


def table_graph(bundle: Bundle) -> bytes:
    """Wraps the streaming step of a bundle into a step over a table of states.

    Inputs: `table` (slots, S), `slots` (B,) int64, `keep` (B, 1) bool (false: start from zeros), `frame` (B, C).
    Outputs: `embedding` (B, E), `surprise` (B,), `good` (B, 1) bool, `next_table` (slots, S), in which the rows of
    `slots` have advanced where they are good; and `scores` (B, K) where the bundle's graph has them.
    """
    model = onnx.load_model_from_string(bundle.graph)
    inner = model.graph
    size = bundle.state_size
    prefix = "kineseg_table_"

    def own(name: str) -> str:
        return prefix + name

    def const(name: str, value: NDArray[np.generic]) -> str:
        inner.initializer.append(numpy_helper.from_array(value, own(name)))
        return own(name)

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], **attributes)

    outputs = {value.name: value for value in inner.output}
    wide = ["embedding", *(["scores"] if bundle.classes else [])]
    # Not read from the graph, which may leave the sizes of its outputs open.
    width = size + bundle.embedding_dim + len(bundle.classes) + 1
    gather = [
        node("Gather", ["table", "slots"], own("gathered"), axis=0),
        node("Where", ["keep", own("gathered"), const("zero", np.zeros(1, np.float32))], "state"),
    ]
    column = const("column", np.array([-1, 1], np.int64))
    scatter = [
        node("Reshape", ["surprise", column], own("surprise")),
        node("Concat", ["next_state", *wide, own("surprise")], own("all"), axis=1),
        node("Abs", [own("all")], own("abs")),
        # False for NaN, too. Counting by a matrix product works in every operator set.
        node(
            "LessOrEqual", [own("abs"), const("largest", np.array([np.finfo(np.float32).max], np.float32))], own("fine")
        ),
        node("Cast", [own("fine")], own("ones"), to=TensorProto.FLOAT),
        node("MatMul", [own("ones"), const("count", np.ones((width, 1), np.float32))], own("sum")),
        node("Greater", [own("sum"), const("enough", np.array([width - 0.5], np.float32))], "good"),
        node("Where", ["good", "next_state", "state"], own("written")),
        node("Reshape", ["slots", column], own("rows")),
        node("ScatterND", ["table", own("rows"), own("written")], "next_table"),
    ]
    nodes = [*gather, *inner.node, *scatter]
    del inner.node[:]
    inner.node.extend(nodes)
    frame = next(value for value in inner.input if value.name == "frame")
    value = helper.make_tensor_value_info
    inputs = [
        frame,
        value("table", TensorProto.FLOAT, ["slots", size]),
        value("slots", TensorProto.INT64, ["batch"]),
        value("keep", TensorProto.BOOL, ["batch", 1]),
    ]
    kept = [
        *(outputs[name] for name in wide),
        outputs["surprise"],
        value("good", TensorProto.BOOL, ["batch", 1]),
        value("next_table", TensorProto.FLOAT, ["slots", size]),
    ]
    del inner.input[:], inner.output[:]
    inner.input.extend(inputs)
    inner.output.extend(kept)
    wrapped: bytes = model.SerializeToString()
    return wrapped


def _rows_graph(size: int) -> bytes:
    """Reads a row of a table and writes it: `table`, `slots` (1,), `row` (1, S) to `found` (1, S) and `next_table`."""
    value, node = helper.make_tensor_value_info, helper.make_node
    column = numpy_helper.from_array(np.array([-1, 1], np.int64), "column")
    graph = helper.make_graph(
        [
            node("Gather", ["table", "slots"], ["found"], axis=0),
            node("Reshape", ["slots", "column"], ["rows"]),
            node("ScatterND", ["table", "rows", "row"], ["next_table"]),
        ],
        "kineseg_rows",
        [
            value("table", TensorProto.FLOAT, ["slots", size]),
            value("slots", TensorProto.INT64, [1]),
            value("row", TensorProto.FLOAT, [1, size]),
        ],
        [value("found", TensorProto.FLOAT, [1, size]), value("next_table", TensorProto.FLOAT, ["slots", size])],
        [column],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    written: bytes = model.SerializeToString()
    return written


@dataclass(slots=True)
class _Batch:
    """What one batch size needs: its arrays in main memory, its inputs on the device, a binding for each direction."""

    host: dict[str, NDArray[Any]]
    device: dict[str, ort.OrtValue]
    bindings: tuple[ort.IOBinding, ort.IOBinding]


class DeviceTable:
    """States on the device; only frames go in and only embedding, surprise and scores come back.

    Two tables take turns, one being read while the other is written. Batches are padded to powers of two, so that few
    sizes are ever planned for; the padding steps a spare slot.

    Args:
        bundle: The model.
        open_graph: Opens a graph on the device.
        device: ONNX Runtime's name of it, "cuda" or "cpu".
        slots: How many streams there is room for.
        max_batch: The largest B.
    """

    def __init__(
        self,
        bundle: Bundle,
        open_graph: Callable[[bytes], ort.InferenceSession],
        device: str,
        slots: int,
        max_batch: int,
    ) -> None:
        self._session = open_graph(table_graph(bundle))
        self._rows = open_graph(_rows_graph(bundle.state_size))
        self._size = bundle.state_size
        self._device = device
        self._spare = slots
        self._channels, self._dim, self._classes = len(bundle.channels), bundle.embedding_dim, len(bundle.classes)
        self._fresh = np.ones(slots + 1, np.bool_)
        zeros = np.zeros((slots + 1, bundle.state_size), np.float32)
        # The arrays stay referenced: on the CPU an OrtValue is a view of them.
        self._zeros = (zeros, zeros.copy())
        self._tables = tuple(ort.OrtValue.ortvalue_from_numpy(array, device, 0) for array in self._zeros)
        self._turn = 0
        self._max_batch = max_batch
        self._batches: dict[int, _Batch] = {}

    def reset(self, slot: int) -> None:
        """Puts a slot into the initial state, zeros."""
        self._fresh[slot] = True

    def get(self, slot: int) -> F32:
        """A copy of a slot's state, (S,)."""
        nothing = np.zeros(self._size, np.float32)
        # What it writes beside means nothing before a step, as the table's turn stays.
        return nothing if self._fresh[slot] else self._through_row(slot, nothing)

    def put(self, slot: int, state: F32) -> None:
        """Puts a slot into a state that `get` gave, (S,)."""
        self._through_row(slot, state)
        self._turn = 1 - self._turn
        self._fresh[slot] = False

    def _through_row(self, slot: int, state: F32) -> F32:
        """What a slot has now; in the other table it has what is given."""
        row = np.ascontiguousarray(state, np.float32)[None]
        found = np.empty_like(row)
        binding = self._rows.io_binding()
        binding.bind_ortvalue_input("table", self._tables[self._turn])
        binding.bind_cpu_input("slots", np.array([slot]))
        binding.bind_cpu_input("row", row)
        binding.bind_output("found", "cpu", 0, np.float32, found.shape, found.ctypes.data)
        binding.bind_ortvalue_output("next_table", self._tables[1 - self._turn])
        self._rows.run_with_iobinding(binding)
        binding.synchronize_outputs()
        before: F32 = found[0]
        return before

    def step(self, slots: NDArray[np.int64], frames: F32) -> Stepped:
        """Steps the streams in `slots` (B,), each given once, by one frame each: `frames` (B, C)."""
        n = len(slots)
        size = min(1 << (n - 1).bit_length(), self._max_batch)
        batch = self._batches.get(size)
        if batch is None:
            batch = self._batches[size] = self._prepare(size)
        host = batch.host
        host["slots"][:n], host["slots"][n:] = slots, self._spare
        host["frame"][:n], host["frame"][n:] = frames, 0.0
        host["keep"][:, 0] = ~self._fresh[host["slots"]]
        for name, value in batch.device.items():
            value.update_inplace(host[name])
        binding = batch.bindings[self._turn]
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        self._turn = 1 - self._turn
        # The spare slot always starts from zeros, so that nothing can build up in it.
        self._fresh[slots] = False
        good = host["good"][:n, 0]
        bad = [] if good.all() else np.flatnonzero(~good).tolist()
        return Stepped(host["embedding"][:n], host["surprise"][:n], bad, host["scores"][:n] if self._classes else None)

    def _prepare(self, size: int) -> _Batch:
        host: dict[str, NDArray[Any]] = {
            "frame": np.zeros((size, self._channels), np.float32),
            "slots": np.full(size, self._spare, np.int64),
            "keep": np.zeros((size, 1), np.bool_),
            "embedding": np.zeros((size, self._dim), np.float32),
            "surprise": np.zeros(size, np.float32),
            "good": np.zeros((size, 1), np.bool_),
        }
        if self._classes:
            host["scores"] = np.zeros((size, self._classes), np.float32)
        device = {
            name: ort.OrtValue.ortvalue_from_numpy(host[name].copy(), self._device, 0)
            for name in ("frame", "slots", "keep")
        }
        return _Batch(host, device, (self._bind(host, device, 0), self._bind(host, device, 1)))

    def _bind(self, host: dict[str, NDArray[Any]], device: dict[str, ort.OrtValue], turn: int) -> ort.IOBinding:
        binding = self._session.io_binding()
        for name, value in device.items():
            binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_input("table", self._tables[turn])
        binding.bind_ortvalue_output("next_table", self._tables[1 - turn])
        for name in ("embedding", "surprise", "good", *(("scores",) if self._classes else ())):
            array = host[name]
            binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        return binding
