"""A boundary network as it is kept: an ONNX graph that says how it is to be used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnx

from kineseg_core.boundary_network.operating_point import OperatingPoint
from kineseg_core.errors import BadBundle
from kineseg_core.inference.graph_bounds import refused

FILE = "boundary_network.onnx"
VERSION = "3"
"""Of what a network is given and gives."""
METADATA = "kineseg.boundary_network"
"""Key of a network's metadata: a JSON object with its `version` and its `operating_point`."""


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A boundary network as it is kept.

    Attributes:
        graph: The ONNX graph.
        sha256: Of it, hexadecimal.
        operating_point: How likely a boundary must be.
    """

    graph: bytes
    sha256: str
    operating_point: OperatingPoint

    @classmethod
    def read(cls, graph: bytes, path: Path) -> NetworkFile:
        """Checks what a file says about itself.

        Args:
            graph: Its content.
            path: The bundle that it is from, for messages.

        Raises:
            BadBundle: It is no such network, or one of another version.
        """
        try:
            model = onnx.load_model_from_string(graph)
            metadata = {each.key: each.value for each in model.metadata_props}
            described = json.loads(metadata.get(METADATA, "{}"))
        except Exception as error:  # protobuf raises whatever the bytes lead it to
            raise BadBundle(path, FILE, "not an ONNX graph") from error
        if reason := refused(model):
            raise BadBundle(path, FILE, reason)
        if described.get("version") != VERSION:
            reason = (
                f"its version is {described.get('version')!r}, and this kineseg reads {VERSION!r}: fit it again "
                "(kineseg-train boundary-network)"
            )
            raise BadBundle(path, FILE, reason)
        try:
            point = OperatingPoint.from_calibration(described["operating_point"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadBundle(path, FILE, f"its operating_point does not suit this kineseg ({error})") from error
        return cls(graph, hashlib.sha256(graph).hexdigest(), point)


@cache
def packaged_network() -> NetworkFile:
    """The one of the packaged bundle, which models use that bring none of their own."""
    folder = Path(__file__).parents[1] / "bundles" / "default"
    return NetworkFile.read((folder / FILE).read_bytes(), folder)
