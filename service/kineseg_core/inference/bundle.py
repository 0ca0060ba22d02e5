"""Model bundles: read from a folder or a .zip, verified to the last byte, and described."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
import onnxruntime as ort
from google.protobuf import json_format
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray

from kineseg_core.boundary_network.file import FILE as BOUNDARY_NETWORK
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.errors import BadBundle, InvalidRequest
from kineseg_core.inference.graph_bounds import refused
from kineseg_core.naming.bank import check_name

SCHEMA_VERSION = 1
GRAPH, MANIFEST, GOLDEN = "model.onnx", "manifest.json", "golden.npz"
_MAX_BYTES = 1 << 30
_MOST_CLASSES = 4096
_MOST_FILES = 1000
# Numbers of one stream: they are kept for as many as may be open.
_MOST_CHANNELS, _MOST_EMBEDDING, _MOST_STATE = 4096, 65_536, 1 << 20
_MOST_GOLDEN_BYTES, _MOST_GOLDEN_STEPS = 64 << 20, 10_000
# Golden steps take milliseconds; a graph that takes longer than this for them is of no use, or means harm.
_GOLDEN_S = 60.0
# How far the probabilities of a golden step may be from adding up to 1.
_PROBABILITY_ERROR = 1e-2
_NAME = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified model bundle.

    Attributes:
        path: Where it was read from.
        manifest: What it says about itself.
        graph: The ONNX graph of one streaming step.
        sha256: SHA-256 of the graph, hexadecimal.
        boundary_network: What finds the boundaries of signals beside it; none: the packaged one does.
        channels: Names of the channels of a frame, in the graph's order.
    """

    path: Path
    manifest: bundle_pb2.BundleManifest
    graph: bytes
    sha256: str
    boundary_network: NetworkFile | None = None
    channels: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(channel.name for channel in self.manifest.channels))

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.manifest.name

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of what it says about itself, hexadecimal."""
        return hashlib.sha256(self.manifest.SerializeToString(deterministic=True)).hexdigest()

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second at which the graph steps."""
        return self.manifest.frame_rate_hz

    @property
    def state_size(self) -> int:
        """How many numbers of state a stream has."""
        return sum(part.size for part in self.manifest.state)

    @property
    def embedding_dim(self) -> int:
        """Number of dimensions of the embedding."""
        return self.manifest.embedding_dim

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the actions that it recognises, in the order of `scores`; none unless it is a recogniser."""
        return tuple(self.manifest.classes)


def packaged_bundle() -> Path | None:
    """The bundle that comes with the package, if there is one."""
    path = Path(__file__).parents[1] / "bundles" / "default"
    return path if (path / MANIFEST).is_file() else None


def load_bundles(paths: Iterable[Path]) -> dict[str, Bundle]:
    """Loads and verifies bundles; the result is in the order given, by name.

    Raises:
        BadBundle: One does not verify, or two have the same name.
    """
    bundles: dict[str, Bundle] = {}
    for path in paths:
        bundle = load_bundle(path)
        if bundle.name in bundles:
            other = bundles[bundle.name].path
            raise BadBundle(path, MANIFEST, f"the name {bundle.name!r} is already taken by the bundle {other}")
        bundles[bundle.name] = bundle
    return bundles


def load_bundle(path: Path, *, boundary_network: bool = True) -> Bundle:
    """Reads one bundle and verifies its manifest, its hashes, its graph and its golden steps.

    Args:
        path: A folder or a .zip file.
        boundary_network: Read that of the bundle, too; without, it may be of any version: it is about to be replaced.

    Raises:
        BadBundle: It is not a bundle, or something in it does not verify; names the file and the reason.
    """
    files = _read_zip(path) if path.is_file() else _read_folder(path)
    for name in (MANIFEST, GRAPH, GOLDEN):
        if name not in files:
            raise BadBundle(path, name, "the file is missing")
    manifest = _parse_manifest(path, files.pop(MANIFEST))
    _check_hashes(path, manifest, files)
    network = None
    if boundary_network and BOUNDARY_NETWORK in files:
        network = NetworkFile.read(files[BOUNDARY_NETWORK], path)
    bundle = Bundle(path, manifest, files[GRAPH], hashlib.sha256(files[GRAPH]).hexdigest(), network)
    session = _open_graph(bundle)
    _check_shapes(bundle, session)
    _check_golden(bundle, session, files[GOLDEN])
    return bundle


def _read_folder(path: Path) -> dict[str, bytes]:
    if not path.is_dir():
        raise BadBundle(path, MANIFEST, "there is no such folder or .zip file")
    if not (path / MANIFEST).is_file():  # any other folder may be the root of a disk
        raise BadBundle(path, MANIFEST, "the file is missing")
    root = path.resolve()
    files: dict[str, bytes] = {}
    left = _MAX_BYTES
    try:
        for file in path.rglob("*"):
            name = file.relative_to(path).as_posix()
            if not file.resolve().is_relative_to(root):
                raise BadBundle(path, name, "the file is a link that leads out of the bundle")
            if file.is_file():
                left -= file.stat().st_size
                if left < 0 or len(files) >= _MOST_FILES:
                    most = f"{_MAX_BYTES >> 20} MiB" if left < 0 else f"{_MOST_FILES} files"
                    raise BadBundle(path, name, f"with this file the bundle is larger than {most}")
                files[name] = file.read_bytes()
    except OSError as error:
        raise BadBundle(path, Path(error.filename or path).name, f"it cannot be read ({error.strerror})") from error
    return files


def _read_zip(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            # The sizes are checked before anything is unpacked, and unpacking never exceeds what they say.
            if len(members) > _MOST_FILES:
                raise BadBundle(path, path.name, f"it holds {len(members)} files, at most {_MOST_FILES} are allowed")
            if sum(info.file_size for info in members) > _MAX_BYTES:
                raise BadBundle(path, path.name, f"unpacked it is larger than {_MAX_BYTES >> 20} MiB")
            for info in members:
                if info.filename in files:
                    raise BadBundle(path, info.filename, "the archive holds two files of this name")
                files[info.filename] = archive.read(info)
    except BadBundle:
        raise
    except Exception as error:  # a damaged archive raises whatever its bytes lead to
        raise BadBundle(path, path.name, f"not a readable .zip archive ({error})") from error
    return files


def _parse_manifest(path: Path, text: bytes) -> bundle_pb2.BundleManifest:
    def refuse(reason: str) -> BadBundle:
        return BadBundle(path, MANIFEST, reason)

    try:
        content = json.loads(text)
    except ValueError as error:
        raise refuse(f"does not follow the schema of a bundle manifest ({error})") from error
    # Before the rest: in another schema anything else may be different.
    if reason := _other_schema(content.get("schema_version") if isinstance(content, dict) else None):
        raise refuse(reason)
    try:
        manifest = json_format.Parse(text, bundle_pb2.BundleManifest())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise refuse(f"does not follow the schema of a bundle manifest ({error})") from error
    if not _NAME.fullmatch(manifest.name):
        raise refuse(f"name {manifest.name!r} must be 1 to 64 lower-case letters, digits or '-'")
    if not manifest.version:
        raise refuse("version is missing")
    names = [channel.name for channel in manifest.channels]
    if not names or not all(names) or len(set(names)) != len(names):
        raise refuse("channels must be named, each by a name of its own")
    if len(names) > _MOST_CHANNELS:
        raise refuse(f"it has {len(names)} channels, at most {_MOST_CHANNELS} are allowed")
    if not 1 <= manifest.frame_rate_hz <= 1000:
        raise refuse(f"frame_rate_hz is {manifest.frame_rate_hz}, it must be 1 to 1000")
    if not 1 <= manifest.embedding_dim <= _MOST_EMBEDDING:
        raise refuse(f"embedding_dim is {manifest.embedding_dim}, it must be 1 to {_MOST_EMBEDDING}")
    if not manifest.state or any(part.size < 1 for part in manifest.state):
        raise refuse("state must have at least one part, each of size 1 or more")
    if sum(part.size for part in manifest.state) > _MOST_STATE:
        raise refuse(f"state has more than {_MOST_STATE} numbers a stream")
    if not 0 < manifest.golden_tolerance < 1:
        raise refuse(f"golden_tolerance is {manifest.golden_tolerance}, it must be above 0 and below 1")
    if not (manifest.calibration.log_surprise_scale > 0 and np.isfinite(manifest.calibration.log_surprise_median)):
        raise refuse("calibration must have a finite log_surprise_median and a log_surprise_scale above 0")
    norm = manifest.normalization
    if len(norm.mean) != len(names) or len(norm.scale) != len(names) or not all(scale > 0 for scale in norm.scale):
        raise refuse(f"normalization must have a mean and a scale above 0 for each of the {len(names)} channels")
    _check_classes(refuse, list(manifest.classes))
    return manifest


def _other_schema(version: object) -> str:
    """What is wrong with a manifest of this schema version, and what helps; empty: nothing."""
    if type(version) is int and version == SCHEMA_VERSION:
        return ""
    if type(version) is int and version > SCHEMA_VERSION:
        return (
            f"schema_version is {str(version)[:80]}, newer than {SCHEMA_VERSION}, which this kineseg reads: "
            "update kineseg, or use a bundle that was exported for this version"
        )
    said = "it has no schema_version" if version is None else f"schema_version is {str(version)[:80]}"
    return f"{said}, and this kineseg reads {SCHEMA_VERSION}: export the bundle again"


def _check_classes(refuse: Callable[[str], BadBundle], classes: Sequence[str]) -> None:
    if len(classes) == 1 or len(classes) > _MOST_CLASSES:
        raise refuse(f"classes has {len(classes)} names; a recogniser has 2 to {_MOST_CLASSES}, other models none")
    if len(set(classes)) != len(classes):
        raise refuse("classes must be named, each by a name of its own")
    for name in classes:
        try:
            check_name(name)
        except InvalidRequest as error:
            raise refuse(f"classes: {name[:80]!r} cannot be the name of a segment ({error.message})") from error


def _check_hashes(path: Path, manifest: bundle_pb2.BundleManifest, files: Mapping[str, bytes]) -> None:
    declared: dict[str, str] = {}
    for entry in manifest.files:
        name = PurePosixPath(entry.path)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.path or str(name) != entry.path:
            raise BadBundle(path, entry.path, "the manifest may only name plain paths within the bundle")
        if entry.path in declared:
            raise BadBundle(path, entry.path, "the manifest names the file twice")
        declared[entry.path] = entry.sha256
    for name_, digest in declared.items():
        if name_ not in files:
            raise BadBundle(path, name_, "the manifest names the file, but it is missing")
        if hashlib.sha256(files[name_]).hexdigest() != digest:
            raise BadBundle(path, name_, "its SHA-256 is not the manifest's: the file has changed")
    for name_ in files:
        if name_ not in declared:
            raise BadBundle(path, name_, "the manifest does not name the file")


def _open_graph(bundle: Bundle) -> ort.InferenceSession:
    try:
        proto = onnx.load_model_from_string(bundle.graph)
        if reason := refused(proto):
            raise BadBundle(bundle.path, GRAPH, reason)
        onnx.checker.check_model(proto)
        return ort.InferenceSession(bundle.graph, _quiet_options(), providers=["CPUExecutionProvider"])
    except BadBundle:
        raise
    except Exception as error:  # onnx and ONNX Runtime raise a dozen unrelated kinds
        raise BadBundle(bundle.path, GRAPH, f"not a graph that ONNX Runtime can run ({_first_line(error)})") from error


def _quiet_options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _check_shapes(bundle: Bundle, session: ort.InferenceSession) -> None:
    C, S, E = len(bundle.channels), bundle.state_size, bundle.embedding_dim
    expected_inputs = {"frame": [C], "state": [S]}
    expected_outputs = {"prediction": [C], "surprise": [], "embedding": [E], "next_state": [S]}
    if bundle.classes:
        expected_outputs["scores"] = [len(bundle.classes)]
    for kind, nodes, expected in (
        ("input", session.get_inputs(), expected_inputs),
        ("output", session.get_outputs(), expected_outputs),
    ):
        if {node.name for node in nodes} != set(expected):
            names = ", ".join(sorted(node.name for node in nodes))
            reason = f"its {kind}s must be {', '.join(expected)}; they are {names}"
            if ("scores" in names) != bool(bundle.classes) and kind == "output":
                reason += "; scores is there if and only if the manifest has classes"
            raise BadBundle(bundle.path, GRAPH, reason)
        for node in nodes:
            if node.type != "tensor(float)":
                raise BadBundle(bundle.path, GRAPH, f"{kind} {node.name!r} is {node.type}, not tensor(float)")
            batch, rest = node.shape[:1], node.shape[1:]
            # Graphs may leave sizes of outputs open; the golden steps then show them.
            fits = len(rest) == len(expected[node.name]) and all(
                got == want or (kind == "output" and not isinstance(got, int))
                for got, want in zip(rest, expected[node.name], strict=True)
            )
            if not batch or isinstance(batch[0], int) or not fits:
                wanted = ["batch", *expected[node.name]]
                raise BadBundle(
                    bundle.path, GRAPH, f"{kind} {node.name!r} is {node.shape}, the manifest asks for {wanted}"
                )


def _check_golden(bundle: Bundle, session: ort.InferenceSession, content: bytes) -> None:
    golden = _read_golden(bundle, content)
    state = np.zeros((1, bundle.state_size), np.float32)
    steps: dict[str, list[NDArray[np.float32]]] = {name: [] for name in _golden_outputs(bundle)}
    options = ort.RunOptions()
    too_late = threading.Timer(_GOLDEN_S, setattr, (options, "terminate", True))
    too_late.start()
    try:
        for frame in golden["frames"]:
            given = {"frame": frame[None], "state": state}
            *outputs, state = session.run([*steps, "next_state"], given, run_options=options)
            for rows, output in zip(steps.values(), outputs, strict=True):
                rows.append(output[0])
    except Exception as error:  # whatever the graph does wrong
        reason = f"its golden steps take longer than {_GOLDEN_S:g} s" if options.terminate else _first_line(error)
        raise BadBundle(bundle.path, GRAPH, f"a golden step fails ({reason})") from error
    finally:
        too_late.cancel()
    for name, rows in steps.items():
        got, want = np.stack(rows), golden[name]
        if got.shape != want.shape:
            raise BadBundle(bundle.path, GOLDEN, f"{name} is {want.shape}, the graph gives {got.shape}")
        off = float(np.max(np.abs(got - want), initial=0)) / max(float(np.max(np.abs(want), initial=0)), 1e-30)
        if not off <= bundle.manifest.golden_tolerance:
            raise BadBundle(
                bundle.path,
                GOLDEN,
                f"the graph's {name} differs from the golden steps by {off:.3g} of their largest value, "
                f"allowed is {bundle.manifest.golden_tolerance:.3g}",
            )
    if bundle.classes:
        total = np.exp(golden["scores"].astype(np.float64)).sum(axis=1)
        if not np.allclose(total, 1.0, atol=_PROBABILITY_ERROR):
            raise BadBundle(
                bundle.path, GOLDEN, "scores must be logarithms of probabilities, which add up to 1 over the classes"
            )


def _golden_outputs(bundle: Bundle) -> tuple[str, ...]:
    """The outputs that golden steps are compared by."""
    return ("prediction", "surprise", "embedding", *(("scores",) if bundle.classes else ()))


def _read_golden(bundle: Bundle, content: bytes) -> dict[str, NDArray[np.float32]]:
    names = ("frames", *_golden_outputs(bundle))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(info.file_size for info in packed.infolist()) > _MOST_GOLDEN_BYTES:
                raise ValueError(f"unpacked they are larger than {_MOST_GOLDEN_BYTES >> 20} MiB")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            golden = {name: np.asarray(archive[name], np.float32) for name in names}
    except Exception as error:  # numpy raises whatever the bytes lead it to
        raise BadBundle(bundle.path, GOLDEN, f"must hold the arrays {', '.join(names)} ({error})") from error
    frames = golden["frames"]
    if frames.ndim != 2 or len(frames) == 0 or frames.shape[1] != len(bundle.channels):
        raise BadBundle(bundle.path, GOLDEN, f"frames is {frames.shape}, expected (frames, {len(bundle.channels)})")
    if len(frames) > _MOST_GOLDEN_STEPS:
        raise BadBundle(bundle.path, GOLDEN, f"it has {len(frames)} steps, at most {_MOST_GOLDEN_STEPS} are allowed")
    return golden
