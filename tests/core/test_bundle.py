"""Bundles: a sound one is described, every kind of damage is refused with file and reason."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import bundle_pb2
from kineseg_core.errors import BadBundle
from kineseg_core.inference.bundle import load_bundle, load_bundles, packaged_bundle
from kineseg_core.opening import Opener

from tests.core.tiny_bundle import (
    TinyModel,
    read_manifest,
    run_alone,
    tiny_graph,
    write_manifest,
    write_tiny_bundle,
)

Manifest = bundle_pb2.BundleManifest


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return target


def refusal(path: Path) -> BadBundle:
    with pytest.raises(BadBundle) as caught:
        load_bundle(path)
    assert str(path) in str(caught.value)
    assert caught.value.file in str(caught.value)
    return caught.value


def test_a_sound_bundle_is_described(tiny: Path) -> None:
    bundle = load_bundle(tiny)
    assert bundle.name == "tiny"
    assert bundle.channels == ("c0", "c1", "c2")
    assert (bundle.frame_rate_hz, bundle.embedding_dim, bundle.state_size) == (30.0, 4, 8 + 3 + 1)
    entry = next(file for file in bundle.manifest.files if file.path == "model.onnx")
    assert bundle.sha256 == entry.sha256


def test_a_zip_is_the_same_bundle(tiny: Path, tmp_path: Path) -> None:
    from_zip, from_folder = load_bundle(zipped(tiny, tmp_path / "tiny.zip")), load_bundle(tiny)
    assert (from_zip.graph, from_zip.manifest) == (from_folder.graph, from_folder.manifest)


def test_the_packaged_bundle_loads() -> None:
    path = packaged_bundle()
    if path is None:
        pytest.skip("this build comes without a bundle")
    assert load_bundle(path).channels


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", "golden.npz", "README.md"])
def test_a_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    error = refusal(copy)
    assert error.file == name
    assert "missing" in error.reason


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz", "README.md"])
def test_a_changed_file(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    error = refusal(copy)
    assert error.file == name
    assert "SHA-256" in error.reason


def test_a_file_too_many(copy: Path) -> None:
    (copy / "deeper").mkdir()
    (copy / "deeper" / "extra.bin").write_bytes(b"?")
    error = refusal(copy)
    assert error.file == "deeper/extra.bin"
    assert "does not name" in error.reason


def test_a_link_that_leads_out(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (copy / "link").symlink_to(tmp_path / "secret")
    assert "leads out" in refusal(copy).reason


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "a\\b", "./model.onnx"])
def test_a_path_that_escapes(copy: Path, name: str) -> None:
    manifest = read_manifest(copy)
    manifest.files[0].path = name
    (copy / "manifest.json").write_text(bundle_json(manifest), encoding="utf-8")
    error = refusal(copy)
    assert error.file == name
    assert "plain paths" in error.reason


def bundle_json(manifest: Manifest) -> str:
    return json_format.MessageToJson(manifest, preserving_proto_field_name=True)


def _set(field: str, value: object) -> Callable[[Manifest], None]:
    return lambda manifest: setattr(manifest, field, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("schema_version", 2), "schema_version is 2"),
        (_set("name", "Tiny Model"), "lower-case"),
        (_set("version", ""), "version is missing"),
        (_set("frame_rate_hz", 0.0), "frame_rate_hz"),
        (_set("frame_rate_hz", float("nan")), "frame_rate_hz"),
        (_set("embedding_dim", 0), "embedding_dim"),
        (_set("golden_tolerance", 0.0), "golden_tolerance"),
        (lambda m: setattr(m.channels[1], "name", "c0"), "channels must be named"),
        (lambda m: m.ClearField("channels"), "channels must be named"),
        (lambda m: m.ClearField("state"), "state must have"),
        (lambda m: m.ClearField("calibration"), "log_surprise_scale"),
        (lambda m: m.normalization.scale.pop(), "normalization"),
        (lambda m: m.files.append(m.files[0]), "twice"),
    ],
)
def test_a_manifest_that_makes_no_sense(copy: Path, change: Callable[[Manifest], None], reason: str) -> None:
    manifest = read_manifest(copy)
    change(manifest)
    (copy / "manifest.json").write_text(bundle_json(manifest), encoding="utf-8")
    assert reason in refusal(copy).reason


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema_version": 1, "surprise": true}', '{"schema_version": "one"}', "\xff"]
)
def test_a_manifest_that_is_not_one(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text, encoding="latin-1")
    error = refusal(copy)
    assert error.file == "manifest.json"
    assert "schema" in error.reason


@given(version=st.integers().filter(lambda version: version != 1), strange=st.booleans())
def test_any_other_schema_version_is_refused_with_what_helps(
    tiny: Path, copy: Path, *, version: int, strange: bool
) -> None:
    content = json.loads(bundle_json(read_manifest(tiny)))
    content["schema_version"] = version
    if strange:  # what a later schema may have
        content["of_tomorrow"] = content.pop("channels")
    (copy / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    error = refusal(copy)
    assert error.file == "manifest.json"
    assert f"schema_version is {str(version)[:80]}" in error.reason
    assert ("update kineseg" if version > 1 else "export the bundle again") in error.reason


@pytest.mark.parametrize("content", [{}, {"schema_version": None}, {"schema_version": True}, {"schema_version": "1"}])
def test_a_bundle_without_a_schema_version_is_refused_with_what_helps(copy: Path, content: dict[str, object]) -> None:
    known = json.loads(bundle_json(read_manifest(copy)))
    del known["schema_version"]
    (copy / "manifest.json").write_text(json.dumps(known | content), encoding="utf-8")
    reason = refusal(copy).reason
    assert "schema_version" in reason
    assert "export the bundle again" in reason


def add_channel(manifest: Manifest) -> None:
    manifest.channels.append(bundle_pb2.Channel(name="c3"))
    manifest.normalization.mean.append(0.0)
    manifest.normalization.scale.append(1.0)


def rewrite(folder: Path, change: Callable[[Manifest], None]) -> None:
    """Changes the manifest and makes its hashes true again."""
    manifest = read_manifest(folder)
    change(manifest)
    write_manifest(folder, manifest)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (add_channel, "input 'frame'"),
        (lambda m: setattr(m.state[0], "size", 9), "'state'"),
        (_set("embedding_dim", 5), "output 'embedding'"),
    ],
)
def test_a_manifest_that_is_not_the_graphs(copy: Path, change: Callable[[Manifest], None], reason: str) -> None:
    rewrite(copy, change)
    error = refusal(copy)
    assert error.file == "model.onnx"
    assert reason in error.reason


def test_a_graph_with_other_names(copy: Path) -> None:
    graph = tiny_graph(TinyModel())
    graph.graph.output.pop()
    (copy / "model.onnx").write_bytes(graph.SerializeToString())
    rewrite(copy, lambda _: None)
    assert "outputs must be prediction, surprise, embedding, next_state" in refusal(copy).reason


def test_a_graph_that_is_not_one(copy: Path) -> None:
    (copy / "model.onnx").write_bytes(b"not a graph")
    rewrite(copy, lambda _: None)
    assert "ONNX Runtime" in refusal(copy).reason


def test_a_graph_with_its_weights_elsewhere(copy: Path) -> None:
    graph = tiny_graph(TinyModel())
    onnx.external_data_helper.set_external_data(graph.graph.initializer[1], "weights.bin")
    (copy / "model.onnx").write_bytes(graph.SerializeToString())
    rewrite(copy, lambda _: None)
    error = refusal(copy)
    assert error.file == "model.onnx"


def test_golden_steps_of_another_model(copy: Path, tmp_path: Path) -> None:
    other = write_tiny_bundle(tmp_path / "other", TinyModel(seed=8))
    shutil.copy(other / "golden.npz", copy / "golden.npz")
    rewrite(copy, lambda _: None)
    error = refusal(copy)
    assert error.file == "golden.npz"
    assert "differs from the golden steps" in error.reason


@pytest.mark.parametrize("damage", ["empty", "pickle", "no frames", "wrong width", "short"])
def test_golden_steps_that_are_none(copy: Path, damage: str) -> None:
    with np.load(copy / "golden.npz") as archive:
        arrays = dict(archive)
    buffer = io.BytesIO()
    if damage == "pickle":
        np.savez(buffer, **{**arrays, "frames": np.array([object()])})
    elif damage == "no frames":
        np.savez(buffer, **{name: array[:0] for name, array in arrays.items()})
    elif damage == "wrong width":
        np.savez(buffer, **{**arrays, "frames": arrays["frames"][:, :2]})
    elif damage == "short":
        np.savez(buffer, **{**arrays, "embedding": arrays["embedding"][:3]})
    (copy / "golden.npz").write_bytes(buffer.getvalue())
    rewrite(copy, lambda _: None)
    assert refusal(copy).file == "golden.npz"


RECOGNISER = TinyModel(name="knows", classes=("walking", "running", "jumping"))


@pytest.fixture
def recogniser(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "knows", RECOGNISER)


def test_a_recogniser_is_described(recogniser: Path, tiny: Path) -> None:
    assert load_bundle(recogniser).classes == ("walking", "running", "jumping")
    assert load_bundle(tiny).classes == ()


@pytest.mark.parametrize("change", ["negated", "narrow", "absent", "other steps"])
def test_golden_scores_that_are_not_the_graphs(recogniser: Path, change: str) -> None:
    with np.load(recogniser / "golden.npz") as archive:
        arrays = dict(archive)
    if change == "absent":
        del arrays["scores"]
    else:
        scores = arrays["scores"]
        changed = {"negated": -scores, "narrow": scores[:, :2], "other steps": scores[::-1]}
        arrays["scores"] = changed[change]
    np.savez(recogniser / "golden.npz", **arrays)
    rewrite(recogniser, lambda _: None)
    error = refusal(recogniser)
    assert error.file == "golden.npz"
    assert "scores" in error.reason


@pytest.mark.parametrize(
    ("classes", "file", "reason"),
    [
        ([], "model.onnx", "if and only if the manifest has classes"),
        (["walking", "running"], "model.onnx", "'scores' is .* asks for"),
        (["walking", "running", "jumping", "kicking"], "model.onnx", "'scores' is .* asks for"),
        (["walking"], "manifest.json", "classes has 1 names"),
        (["walking", "running", "walking"], "manifest.json", "each by a name of its own"),
        (["walking", "running", ""], "manifest.json", "cannot be the name"),
        (["walking", "running", "jump\n"], "manifest.json", "cannot be the name"),
    ],
)
def test_classes_that_are_not_the_graphs(recogniser: Path, classes: list[str], file: str, reason: str) -> None:
    def change(manifest: Manifest) -> None:
        del manifest.classes[:]
        manifest.classes.extend(classes)

    rewrite(recogniser, change)
    error = refusal(recogniser)
    assert error.file == file
    assert re.search(reason, error.reason), error.reason


def test_classes_of_a_graph_without_scores(copy: Path) -> None:
    rewrite(copy, lambda manifest: manifest.classes.extend(["walking", "running"]))
    assert "if and only if the manifest has classes" in refusal(copy).reason


def test_scores_must_be_log_probabilities(recogniser: Path) -> None:
    proto = onnx.load_model(recogniser / "model.onnx")
    # The logits themselves: as good for an argmax, and no probabilities.
    node = next(node for node in proto.graph.node if node.op_type == "LogSoftmax")
    node.op_type = "Identity"
    del node.attribute[:]
    onnx.save_model(proto, recogniser / "model.onnx")
    with np.load(recogniser / "golden.npz") as archive:
        frames = archive["frames"]
    alone = run_alone(proto.SerializeToString(), frames, RECOGNISER.state)
    np.savez(recogniser / "golden.npz", frames=frames, **alone)
    rewrite(recogniser, lambda _: None)
    assert "logarithms of probabilities" in refusal(recogniser).reason


@pytest.mark.parametrize(("setting", "value"), [("radios", 1.0), ("ratio", 1.5), ("least_probability", -0.1)])
def test_naming_calibration_that_does_not_suit(recogniser: Path, setting: str, value: float) -> None:
    rewrite(recogniser, lambda manifest: manifest.calibration.naming.update({setting: value}))
    with pytest.raises(BadBundle, match=setting) as caught:
        Opener({"knows": load_bundle(recogniser)})
    assert caught.value.file == "manifest.json"


def test_no_bundle_at_all(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path / "nowhere").reason
    (tmp_path / "text.zip").write_text("not a zip", encoding="utf-8")
    assert "not a readable .zip" in refusal(tmp_path / "text.zip").reason


def test_a_zip_with_a_file_twice(tiny: Path, tmp_path: Path) -> None:
    path = zipped(tiny, tmp_path / "twice.zip")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("model.onnx", b"another")
    assert "two files of this name" in refusal(path).reason


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_zip_never_loads_as_something_else(
    tiny: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = zipped(tiny, tmp_path_factory.mktemp("zip") / "tiny.zip")
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.integers(at, len(content)))])
    sound = load_bundle(tiny)
    # Some bytes mean nothing, such as a time stamp of the archive; all else is refused.
    with contextlib.suppress(BadBundle):
        bundle = load_bundle(path)
        assert (bundle.graph, bundle.manifest) == (sound.graph, sound.manifest)


def test_two_bundles_of_one_name(tiny: Path, tmp_path: Path) -> None:
    other = write_tiny_bundle(tmp_path / "other", TinyModel(seed=8))
    with pytest.raises(BadBundle, match="'tiny' is already taken"):
        load_bundles([tiny, other])
