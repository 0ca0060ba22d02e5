"""The files of a bundle: hashed into the manifest, and put where they belong all at once."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from google.protobuf import json_format
from kineseg.motion import CANONICAL_CHANNELS
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray

from kineseg_training.errors import BundleError, SettingsError
from kineseg_training.files import write_atomically

SCHEMA_VERSION = 1
GOLDEN_TOLERANCE = 1e-4

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def check_name(name: str, version: str) -> None:
    """Refuse what the service would.

    Raises:
        SettingsError: Not a name or no version.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"name must be of lower-case letters, digits and '-', got {name!r}")
    if not version:
        raise SettingsError("version must not be empty")


def packed(
    manifest: bundle_pb2.BundleManifest, graph: bytes, golden: Mapping[str, NDArray[np.float32]], card: str
) -> dict[str, bytes]:
    """Name and content of every file of a bundle.

    Args:
        manifest: Complete but for the files, which are added to it.
        graph: The serialised graph of one step.
        golden: Frames, and what the model makes of them step by step.
        card: The model card, Markdown.
    """
    files = {"model.onnx": graph, "golden.npz": _arrays(golden), "README.md": card.encode()}
    for path in sorted(files):
        manifest.files.add(path=path, sha256=hashlib.sha256(files[path]).hexdigest())
    text = json_format.MessageToJson(manifest, preserving_proto_field_name=True, sort_keys=True, indent=2)
    files["manifest.json"] = text.encode() + b"\n"
    return files


def write_bundle(files: Mapping[str, bytes], out: Path) -> None:
    """Write the files to `out`, a folder or a file ending in ``.zip``; an earlier bundle there is replaced.

    Raises:
        BundleError: `out` is there and is no bundle.
    """
    if out.suffix == ".zip":
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, _zipped(files))
    else:
        _write_folder(out, files)


def channel_unit(name: str) -> str:
    """Unit of a channel of canonical pose; empty for others, whose units are not known."""
    if name not in CANONICAL_CHANNELS:
        return ""
    if name == "root.yaw_rate":
        return "rad/s"
    return "body size/s" if name.startswith("root.velocity") else "body size"


def short(values: NDArray[np.float32]) -> list[float]:
    """The same float32 numbers in as few digits as they need."""
    return [float(str(value)) for value in values]


def _arrays(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{name: np.asarray(array, np.float32) for name, array in arrays.items()})
    return content.getvalue()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            # A fixed date, so that equal files make equal archives.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Put the files where `out` is, all at once; replace nothing but a bundle or an empty folder."""
    if out.exists() and not out.is_dir():
        raise BundleError(f"{out}: is a file; name a folder, or a file ending in .zip")
    if out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file():
        raise BundleError(f"{out}: holds something that is not a bundle; name another folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        new, old = scratch / "new", scratch / "old"
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if out.exists():
            out.rename(old)
        new.rename(out)
    finally:
        shutil.rmtree(scratch)
