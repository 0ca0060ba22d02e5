"""
Your own model
==============

Whatever says, frame by frame, where it is (an embedding) and how surprised it was can be run by the server: an ONNX
graph of one step, and a manifest, are a *bundle*. Here a small linear model of a machine's four sensors, fitted with
NumPy. ``kineseg-train`` makes recurrent ones of recordings.
"""

# %%
# What the sensors gave in the past: three programmes of the machine.

import hashlib
import tempfile
from pathlib import Path

import kineseg
import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from google.protobuf import json_format
from kineseg.v1 import bundle_pb2
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer
from onnx import TensorProto, helper, numpy_helper

RATE, SENSORS = 30, ("pressure", "flow", "torque", "heat")
random = np.random.default_rng(5)


def programme(kind, seconds):
    """Each has a level and a rhythm of its own."""
    time = np.arange(seconds * RATE)[:, None] / RATE
    level = np.array([[1, 4, 2, 3], [3, 1, 4, 2], [2, 2, 1, 5]])[kind]
    return level + np.sin(2 * np.pi * (0.4 + 0.3 * kind) * time + np.arange(4)) + random.normal(0, 0.1, (len(time), 4))


past = np.concatenate([programme(i % 3, 20) for i in range(12)]).astype(np.float32)

# %%
# The model: posture and speed, standardised; a linear guess of the next frame; and the directions in which the past
# differs most as embedding.

mean, scale = past.mean(0), past.std(0)
x = (past - mean) / scale
features = np.c_[x[1:], np.diff(x, axis=0)]
guess = np.linalg.lstsq(features[:-1], x[2:], rcond=None)[0].astype(np.float32)  # (8, 4)
_, spread, directions = np.linalg.svd(features - features.mean(0), full_matrices=False)
embed = (directions[:4] / (spread[:4, None] / len(features) ** 0.5)).T.astype(np.float32)  # (8, 4)
surprise = np.log(np.mean((features[:-1] @ guess - x[2:]) ** 2, axis=1))

# %%
# One step as a graph: of the frame and of the state, which holds the last frame and the guess. All rows are streams, so
# that the server runs as many at once as there are.

node, constants = helper.make_node, []


def constant(name, value):
    """Gives a number or a matrix to the graph."""
    constants.append(numpy_helper.from_array(np.asarray(value), name))
    return name


nodes = [
    node("Split", ["state", constant("parts", np.array([4, 4, 1]))], ["last", "guessed", "begun"], axis=1),
    node("Sub", ["frame", constant("mean", mean)], ["centred"]),
    node("Div", ["centred", constant("scale", scale)], ["x"]),
    node("Sub", ["x", "last"], ["step"]),
    node("Mul", ["step", "begun"], ["speed"]),  # the first frame of a stream has none
    node("Sub", ["x", "guessed"], ["missed"]),
    node("Mul", ["missed", "missed"], ["squared"]),
    node("MatMul", ["squared", constant("average", np.full((4, 1), 0.25, np.float32))], ["error"]),
    node("Mul", ["error", "begun"], ["error begun"]),
    node("Squeeze", ["error begun", constant("axis", np.array([1]))], ["surprise"]),
    node("Concat", ["x", "speed"], ["features"], axis=1),
    node("MatMul", ["features", constant("embed", embed)], ["embedding"]),
    node("MatMul", ["features", constant("guess", guess)], ["next"]),
    node("Mul", ["next", "scale"], ["unscaled"]),
    node("Add", ["unscaled", "mean"], ["prediction"]),
    node("Mul", ["begun", constant("zero", np.zeros(1, np.float32))], ["nought"]),
    node("Add", ["nought", constant("one", np.ones(1, np.float32))], ["now begun"]),
    node("Concat", ["x", "next", "now begun"], ["next_state"], axis=1),
]
sizes = {"frame": 4, "state": 9, "prediction": 4, "surprise": None, "embedding": 4, "next_state": 9}
values = {
    name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size] if size else ["batch"])
    for name, size in sizes.items()
}
graph = helper.make_graph(nodes, "step", [values.pop("frame"), values.pop("state")], [*values.values()], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()

# %%
# The bundle: the graph, some frames with what it makes of them (a server runs them, to see that it computes the same),
# and a manifest with a hash of each file.

session, state, golden = onnxruntime.InferenceSession(model), np.zeros((1, 9), np.float32), []
for frame in past[:16]:
    *outputs, state = session.run([*values], {"frame": frame[None], "state": state})
    golden.append([output[0] for output in outputs])
bundle = Path(tempfile.mkdtemp(), "machine")
bundle.mkdir()
(bundle / "model.onnx").write_bytes(model)
columns = dict(zip(["prediction", "surprise", "embedding"], map(np.stack, zip(*golden, strict=True)), strict=True))
np.savez(bundle / "golden.npz", frames=past[:16], **columns)
(bundle / "README.md").write_text("A linear model of a machine.\n")
manifest = bundle_pb2.BundleManifest(
    schema_version=1,
    name="machine",
    version="1.0.0",
    family="linear",
    channels=[bundle_pb2.Channel(name=name) for name in SENSORS],
    frame_rate_hz=RATE,
    normalization=bundle_pb2.Normalization(mean=mean, scale=scale),
    state=[bundle_pb2.StatePart(name=name, size=size) for name, size in (("last", 4), ("guess", 4), ("begun", 1))],
    embedding_dim=4,
    calibration=bundle_pb2.Calibration(log_surprise_median=np.median(surprise), log_surprise_scale=surprise.std()),
    training_data=bundle_pb2.TrainingData(description="invented", fingerprint=hashlib.sha256(past).hexdigest()),
    licence="Apache-2.0",
    golden_tolerance=1e-4,
    files=[
        bundle_pb2.BundleFile(path=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(bundle.iterdir())
    ],
)
(bundle / "manifest.json").write_text(json_format.MessageToJson(manifest, preserving_proto_field_name=True))

# %%
# The server runs it, beside its own.

plan = [0, 1, 2, 0, 2, 1]
today = np.concatenate([programme(kind, 14) for kind in plan])
settings = Settings(port=0, metrics_port=None, bundles=(bundle,))
with BackgroundServer(settings) as server, kineseg.Client(server.address) as client:
    print([model.name for model in client.models()])
    found = client.segment(today, rate=RATE, model="machine", channels=SENSORS)

figure, axes = plt.subplots(figsize=(9, 3), layout="constrained")
axes.plot(np.arange(len(today)) / RATE, today, linewidth=0.7)
for segment in found.segments:
    axes.axvspan(segment.start_time_s, segment.end_time_s, color=f"C{segment.label}", alpha=0.2)
    axes.text(segment.start_time_s + 0.5, today.max(), f"{segment.label}", va="top")
axes.set(xlabel="seconds", title="three programmes, each twice")
plt.show()
