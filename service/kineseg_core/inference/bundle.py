"""Model bundles: verified to the last byte, and described."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kineseg.v1 import bundle_pb2

from kineseg_core.boundary_network.file import FILE as BOUNDARY_NETWORK
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.errors import BadBundle
from kineseg_core.inference.bundle_files import GOLDEN, GRAPH, MANIFEST, check_hashes, read_files
from kineseg_core.inference.bundle_graph import open_graph
from kineseg_core.inference.golden_steps import check_golden
from kineseg_core.inference.manifest import parse_manifest


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
    files = read_files(path)
    for name in (MANIFEST, GRAPH, GOLDEN):
        if name not in files:
            raise BadBundle(path, name, "the file is missing")
    manifest = parse_manifest(path, files.pop(MANIFEST))
    check_hashes(path, manifest, files)
    network = None
    if boundary_network and BOUNDARY_NETWORK in files:
        network = NetworkFile.read(files[BOUNDARY_NETWORK], path)
    bundle = Bundle(path, manifest, files[GRAPH], hashlib.sha256(files[GRAPH]).hexdigest(), network)
    check_golden(bundle, open_graph(bundle), files[GOLDEN])
    return bundle
