"""A small but complete model bundle, built with `onnx`: a GRU predictor with random weights and the whole contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from google.protobuf import json_format
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class TinyModel:
    """Sizes of the model: channels, hidden units, embedding dimensions; and its name, rate (Hz) and seed."""

    name: str = "tiny"
    channels: int = 3
    hidden: int = 8
    embedding: int = 4
    rate_hz: float = 30.0
    seed: int = 7
    poison_above: float = 0.0
    """When above 0: the embedding is NaN where the first channel exceeds it."""
    crash_above: float = 0.0
    """When above 0: the step itself fails, for the whole batch, where the first channel exceeds it."""
    fused: bool = False
    """Use ONNX's own GRU operator instead of single operators."""
    classes: tuple[str, ...] = ()
    """A recogniser, no more of them than channels: class k is likely where channel k is high; surprise is always 0."""
    open_sizes: bool = False
    """Leave the sizes of the outputs open."""

    @property
    def state(self) -> int:
        return self.hidden + self.channels + 1


def tiny_graph(model: TinyModel) -> onnx.ModelProto:
    """The streaming step of the bundle contract: frame, state -> prediction, surprise, embedding, next_state."""
    random = np.random.default_rng(model.seed)
    C, H, E = model.channels, model.hidden, model.embedding
    constants: list[onnx.TensorProto] = []

    def const(name: str, value: NDArray[np.generic]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weights(*shape: int) -> F32:
        return (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    W, R, b = weights(C, 3 * H), weights(H, 3 * H), weights(3 * H, 1)[:, 0]
    node = helper.make_node
    nodes = [
        node("Split", ["state", const("parts", np.array([H, C, 1], np.int64))], ["h", "last", "started"], axis=1),
        node("Sub", ["frame", const("mean", np.full(C, 0.1, np.float32))], ["centred"]),
        node("Div", ["centred", const("scale", np.full(C, 2.0, np.float32))], ["x"]),
        node("Sub", ["x", "last"], ["missed"]),
        node("Mul", ["missed", "missed"], ["missed2"]),
        # A mean as a matrix product: ReduceMean adds in an order that depends on the row's place in memory.
        node("MatMul", ["missed2", const("average", np.full((C, 1), 1 / C, np.float32))], ["mse"]),
        node("Mul", ["mse", "started"], ["masked0"]),
        node("Mul", ["masked0", const("surprising", np.full(1, not model.classes, np.float32))], ["masked"]),
        node("Squeeze", ["masked", const("axis1", np.array([1], np.int64))], ["surprise"]),
    ]
    if model.fused:
        # ONNX orders the gates update, reset, new, and keeps the transposed weights.
        nodes += [
            node("Unsqueeze", ["x", const("axis0", np.array([0], np.int64))], ["x1"]),
            node("Unsqueeze", ["h", "axis0"], ["h1"]),
            node("GRU", ["x1", const("W", W.T[None]), const("R", R.T[None]), const("b", np.r_[b, 0 * b][None]), "",
                  "h1"], ["", "hn1"], hidden_size=H, linear_before_reset=1),
            node("Squeeze", ["hn1", "axis0"], ["hn"]),
        ]  # fmt: skip
    else:
        nodes += [
            node("Gemm", ["x", const("W", W), const("b", b)], ["gx"]),
            node("MatMul", ["h", const("R", R)], ["gh"]),
            node("Split", ["gx"], ["xz", "xr", "xn"], axis=1, num_outputs=3),
            node("Split", ["gh"], ["hz", "hr", "hn0"], axis=1, num_outputs=3),
            node("Add", ["xz", "hz"], ["z0"]),
            node("Sigmoid", ["z0"], ["z"]),
            node("Add", ["xr", "hr"], ["r0"]),
            node("Sigmoid", ["r0"], ["r"]),
            node("Mul", ["r", "hn0"], ["rh"]),
            node("Add", ["xn", "rh"], ["n0"]),
            node("Tanh", ["n0"], ["n"]),
            node("Sub", ["h", "n"], ["hmn"]),
            node("Mul", ["z", "hmn"], ["zh"]),
            node("Add", ["n", "zh"], ["hn"]),
        ]
    nodes += [
        node("Gemm", ["hn", const("V", weights(H, C))], ["velocity"]),
        node("Add", ["x", "velocity"], ["next"]),
        node("Mul", ["next", "scale"], ["scaled"]),
        node("Add", ["scaled", "mean"], ["prediction"]),
        node("Concat", ["x", "hn"], ["features"], axis=1),
        node("Gemm", ["features", const("P", weights(C + H, E))], ["clean"]),
        # 1 in every row, whatever the state: the stream has started.
        node("Mul", ["started", const("zero", np.zeros(1, np.float32))], ["nought"]),
        node("Add", ["nought", const("one", np.ones(1, np.float32))], ["begun"]),
        node("Concat", ["hn", "next", "begun"], ["next_state"], axis=1),
    ]
    if model.classes:
        nodes += [
            node("Gemm", ["x", const("L", 6 * np.eye(C, len(model.classes), dtype=np.float32))], ["logits"]),
            node("LogSoftmax", ["logits"], ["scores"], axis=1),
        ]
    limit = model.poison_above or model.crash_above
    if limit > 0:
        first = [const("from0", np.array([0], np.int64)), const("to1", np.array([1], np.int64)), "axis1"]
        nodes += [
            node("Slice", ["frame", *first], ["first"]),
            node("Greater", ["first", const("limit", np.full(1, limit, np.float32))], ["bad"]),
        ]
    if model.poison_above > 0:
        nodes.append(node("Where", ["bad", const("nan", np.full(1, np.nan, np.float32)), "clean"], ["embedding"]))
    elif model.crash_above > 0:
        # Row 1 of a table of one row is out of bounds.
        nodes += [
            node("Cast", ["bad"], ["row"], to=TensorProto.INT64),
            node("Gather", [const("table", np.zeros(1, np.float32)), "row"], ["nothing"]),
            node("Add", ["clean", "nothing"], ["embedding"]),
        ]
    else:
        nodes.append(node("Identity", ["clean"], ["embedding"]))

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def output(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return value(name, "batch", *(f"{name}_{i}" if model.open_sizes else size for i, size in enumerate(shape)))

    graph = helper.make_graph(
        nodes,
        "tiny_step",
        [value("frame", "batch", C), value("state", "batch", model.state)],
        [
            output("prediction", C),
            output("surprise"),
            output("embedding", E),
            output("next_state", model.state),
            *([output("scores", len(model.classes))] if model.classes else []),
        ],
        initializer=constants,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def channel_names(model: TinyModel) -> list[str]:
    return [f"c{i}" for i in range(model.channels)]


def run_alone(graph: bytes, frames: F32, states: int) -> dict[str, F32]:
    """Runs `graph` over frames (N, C) one after the other from the zero state with nothing but ONNX Runtime.

    Returns `prediction` (N, C), `surprise` (N,), `embedding` (N, E) and, of a recogniser, `scores` (N, K).
    """
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    state = np.zeros((1, states), np.float32)
    rows: dict[str, list[F32]] = {"prediction": [], "surprise": [], "embedding": []}
    if "scores" in {node.name for node in session.get_outputs()}:
        rows["scores"] = []
    for frame in frames:
        *outputs, state = session.run([*rows, "next_state"], {"frame": frame[None], "state": state})
        for row, output in zip(rows.values(), outputs, strict=True):
            row.append(output[0])
    return {name: np.stack(row) for name, row in rows.items()}


def write_tiny_bundle(folder: Path, model: TinyModel = TinyModel()) -> Path:
    """Writes the bundle into `folder` (made if need be) and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = tiny_graph(model).SerializeToString()
    (folder / "model.onnx").write_bytes(graph)
    frames = np.random.default_rng(1).uniform(-1, 1, (16, model.channels)).astype(np.float32)
    np.savez(folder / "golden.npz", frames=frames, **run_alone(graph, frames, model.state))
    (folder / "README.md").write_text("A model with random weights, for tests.\n", encoding="utf-8")
    manifest = bundle_pb2.BundleManifest(
        schema_version=1,
        name=model.name,
        version="1.0.0",
        family="tiny-gru",
        channels=[bundle_pb2.Channel(name=name, unit="m") for name in channel_names(model)],
        frame_rate_hz=model.rate_hz,
        normalization=bundle_pb2.Normalization(mean=[0.1] * model.channels, scale=[2.0] * model.channels),
        state=[
            bundle_pb2.StatePart(name="hidden", size=model.hidden),
            bundle_pb2.StatePart(name="prediction", size=model.channels),
            bundle_pb2.StatePart(name="started", size=1),
        ],
        embedding_dim=model.embedding,
        calibration=bundle_pb2.Calibration(log_surprise_median=-3.0, log_surprise_scale=1.0),
        training_data=bundle_pb2.TrainingData(description="none: random weights", fingerprint="0" * 64),
        licence="Apache-2.0",
        golden_tolerance=1e-4,
        classes=model.classes,
    )
    write_manifest(folder, manifest)
    return folder


def write_manifest(folder: Path, manifest: bundle_pb2.BundleManifest) -> None:
    """Writes `manifest.json` with the hashes of the files that are there now."""
    del manifest.files[:]
    for path in sorted(folder.iterdir()):
        if path.name != "manifest.json":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            manifest.files.append(bundle_pb2.BundleFile(path=path.name, sha256=digest))
    text = json_format.MessageToJson(manifest, preserving_proto_field_name=True)
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> bundle_pb2.BundleManifest:
    return json_format.Parse((folder / "manifest.json").read_text(encoding="utf-8"), bundle_pb2.BundleManifest())
