"""Puts a boundary network into a bundle, with its hash in the manifest and its data and credit on the card."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from google.protobuf import json_format
from kineseg.v1 import bundle_pb2
from kineseg_core.boundary_network.file import FILE

from kineseg_training.errors import BundleError
from kineseg_training.files import write_atomically

_MANIFEST, _CARD = "manifest.json", "README.md"
_HEADING = "## Boundary network"


def put_into_bundle(content: bytes, card: str, bundle: Path) -> None:
    """Write the network and what the card says of it; an earlier one is replaced.

    Args:
        content: Of the network's file.
        card: A paragraph or more, Markdown.
        bundle: A folder.

    Raises:
        BundleError: It is no bundle.
    """
    path = bundle / _MANIFEST
    try:
        manifest = json_format.Parse(path.read_text(), bundle_pb2.BundleManifest())
    except (OSError, json_format.ParseError) as error:
        raise BundleError(f"{bundle}: is no bundle ({error}); name one, or a file to write") from error
    known = bundle / _CARD
    text = known.read_text() if known.is_file() else ""
    text = re.sub(rf"\n*{_HEADING}\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL).rstrip("\n")
    write_atomically(known, f"{text}\n\n{_HEADING}\n\n{card}\n".encode())
    write_atomically(bundle / FILE, content)
    del manifest.files[:]
    for name in sorted(each.name for each in bundle.iterdir() if each.name != _MANIFEST):
        manifest.files.add(path=name, sha256=hashlib.sha256((bundle / name).read_bytes()).hexdigest())
    new = json_format.MessageToJson(manifest, preserving_proto_field_name=True, sort_keys=True, indent=2)
    write_atomically(path, new.encode() + b"\n")
