"""Bundles that mean harm are refused by stated bounds, before anything of them runs or is unpacked."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.boundary_network.file import packaged_network as packaged
from kineseg_core.errors import BadBundle
from kineseg_core.inference import bundle_files, golden_steps
from kineseg_core.inference.bundle import load_bundle
from onnx import TensorProto, helper, numpy_helper

from tests.core.tiny_bundle import TinyModel, read_manifest, tiny_graph, write_manifest, write_tiny_bundle


def external(name: str = "weights") -> onnx.TensorProto:
    """A tensor that would be read from another file."""
    tensor = numpy_helper.from_array(np.zeros((2, 2), np.float32), name)
    onnx.external_data_helper.set_external_data(tensor, "/etc/passwd")
    tensor.ClearField("raw_data")
    return tensor


def a_constant_elsewhere(graph: onnx.GraphProto) -> None:
    graph.node.insert(0, helper.make_node("Constant", [], ["secret"], value=external()))


def a_branch_with_weights_elsewhere(graph: onnx.GraphProto) -> None:
    inner = helper.make_graph([], "inner", [], [helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 2])])
    inner.initializer.append(external("w"))
    graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    graph.node.insert(0, helper.make_node("If", ["yes"], ["secret"], then_branch=inner, else_branch=inner))


def a_loop(graph: onnx.GraphProto) -> None:
    infos = [
        helper.make_tensor_value_info("i", TensorProto.INT64, []),
        helper.make_tensor_value_info("c", TensorProto.BOOL, []),
    ]
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["again"])], "body", infos,
        [helper.make_tensor_value_info("again", TensorProto.BOOL, [])],
    )  # fmt: skip
    graph.initializer.append(numpy_helper.from_array(np.array(2**62), "times"))
    graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    graph.node.insert(0, helper.make_node("Loop", ["times", "yes"], [], body=body))


def a_loop_within_a_branch(graph: onnx.GraphProto) -> None:
    inner = helper.make_graph([], "inner", [], [helper.make_tensor_value_info("yes", TensorProto.BOOL, [])])
    a_loop(inner)
    graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    graph.node.insert(0, helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=inner))


def a_tensor_that_takes_all_memory(graph: onnx.GraphProto) -> None:
    graph.initializer.append(numpy_helper.from_array(np.array([1 << 20, 1 << 20]), "shape"))
    graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["huge"]))


def a_constant_that_takes_all_memory(graph: onnx.GraphProto) -> None:
    graph.initializer.append(TensorProto(name="huge", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 20]))


Attack = Callable[[onnx.GraphProto], None]
ATTACKS: list[tuple[Attack, str]] = [
    (a_constant_elsewhere, "keeps weights outside of the file"),
    (a_branch_with_weights_elsewhere, "keeps weights outside of the file"),
    (a_loop, "the operator Loop, which may run for ever"),
    (a_loop_within_a_branch, "the operator Loop, which may run for ever"),
    (a_tensor_that_takes_all_memory, r"'huge' has 1099511627776 numbers in one step"),
    (a_constant_that_takes_all_memory, "constant 'huge' has more than"),
]


def with_graph(folder: Path, graph: onnx.ModelProto) -> Path:
    """The tiny bundle with another graph, and hashes that are right."""
    path = write_tiny_bundle(folder / "tiny")
    (path / "model.onnx").write_bytes(graph.SerializeToString())
    write_manifest(path, read_manifest(path))
    return path


@pytest.mark.parametrize(("attack", "says"), ATTACKS)
def test_a_graph_is_looked_at_before_it_runs(
    tmp_path: Path, attack: Callable[[onnx.GraphProto], None], says: str
) -> None:
    graph = tiny_graph(TinyModel())
    attack(graph.graph)
    with pytest.raises(BadBundle, match=rf"model\.onnx: .*{says}"):
        load_bundle(with_graph(tmp_path, graph))


@pytest.mark.parametrize(("attack", "says"), ATTACKS)
def test_so_is_a_boundary_network(attack: Attack, says: str) -> None:
    network = onnx.load_model_from_string(packaged().graph)
    attack(network.graph)
    with pytest.raises(BadBundle, match=says):
        NetworkFile.read(network.SerializeToString(), Path("bundle"))


def test_golden_steps_that_take_too_long_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_steps, "_GOLDEN_S", 0.01)
    graph = tiny_graph(TinyModel())
    nodes, size, last = graph.graph.node, 1024, "frame"
    graph.graph.initializer.append(numpy_helper.from_array(np.zeros((3, size), np.float32), "in"))
    graph.graph.initializer.append(numpy_helper.from_array(np.zeros((size, size), np.float32), "much"))
    # Each step multiplies two hundred times, and adds nothing to what comes out.
    nodes.append(helper.make_node("MatMul", [last, "in"], ["wide"]))
    nodes.append(helper.make_node("Transpose", ["wide"], ["tall"], perm=[1, 0]))
    nodes.append(helper.make_node("MatMul", ["tall", "wide"], ["m0"]))
    for n in range(200):
        nodes.append(helper.make_node("MatMul", [f"m{n}", "much"], [f"m{n + 1}"]))
    nodes.append(helper.make_node("ReduceSum", ["m200"], ["nothing"], keepdims=0))
    surprise = next(node for node in nodes if "surprise" in node.output)
    surprise.output[list(surprise.output).index("surprise")] = "surprise_alone"
    nodes.append(helper.make_node("Add", ["surprise_alone", "nothing"], ["surprise"]))
    with pytest.raises(BadBundle, match=r"golden steps take longer than 0\.01 s"):
        load_bundle(with_graph(tmp_path, graph))


def test_a_bomb_in_an_archive_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_files, "_MAX_BYTES", 8 << 20)
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("model.onnx", "w", force_zip64=True) as file,
    ):
        for _ in range(9):
            file.write(bytes(1 << 20))
    assert path.stat().st_size < 2 << 20
    with pytest.raises(BadBundle, match="unpacked it is larger than 8 MiB"):
        load_bundle(path)


def test_a_bomb_in_golden_steps_is_not_unpacked(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "tiny")
    content = io.BytesIO()
    np.savez_compressed(content, frames=np.zeros((1 << 22, 5), np.float32))
    (path / "golden.npz").write_bytes(content.getvalue())
    write_manifest(path, read_manifest(path))
    with pytest.raises(BadBundle, match="unpacked they are larger than 64 MiB"):
        load_bundle(path)


@pytest.mark.parametrize("name", ["../escaped", "/absolute", "a/../../b", "c:\\d"])
def test_an_archive_writes_nowhere(tmp_path: Path, name: str) -> None:
    source = write_tiny_bundle(tmp_path / "tiny")
    path = tmp_path / "in" / "tiny.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for file in source.iterdir():
            archive.write(file, file.name)
        archive.writestr(name, "escaped")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(BadBundle, match="the manifest does not name the file"):
        load_bundle(path)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda manifest: setattr(manifest.state[0], "size", (1 << 31) - 1), "state has more than 1048576 numbers"),
        (lambda manifest: setattr(manifest, "embedding_dim", 1 << 20), "it must be 1 to 65536"),
    ],
)
def test_a_stream_may_not_take_all_memory(tmp_path: Path, spoil: Callable[[object], None], says: str) -> None:
    path = write_tiny_bundle(tmp_path / "tiny")
    manifest = read_manifest(path)
    spoil(manifest)
    write_manifest(path, manifest)
    with pytest.raises(BadBundle, match=re.escape(says)):
        load_bundle(path)


def test_a_folder_of_too_many_files_is_not_read(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "tiny")
    for number in range(1001):
        (path / f"{number}.txt").touch()
    with pytest.raises(BadBundle, match="larger than 1000 files"):
        load_bundle(path)


def test_of_a_folder_without_a_manifest_no_other_file_is_read(tmp_path: Path) -> None:
    for number in range(1001):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(BadBundle, match=r"manifest\.json: the file is missing"):
        load_bundle(tmp_path)
