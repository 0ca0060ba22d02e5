"""The files of a bundle: read from a folder or a .zip, and whether they are those that its manifest names."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from kineseg.v1 import bundle_pb2

from kineseg_core.errors import BadBundle

GRAPH, MANIFEST, GOLDEN = "model.onnx", "manifest.json", "golden.npz"
_MAX_BYTES = 1 << 30
_MOST_FILES = 1000


def read_files(path: Path) -> dict[str, bytes]:
    """All that is in a bundle, a folder or a .zip file, by name.

    Raises:
        BadBundle: It is neither, or is too large, or leads out of itself.
    """
    return _read_zip(path) if path.is_file() else _read_folder(path)


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


def check_hashes(path: Path, manifest: bundle_pb2.BundleManifest, files: Mapping[str, bytes]) -> None:
    """Raises BadBundle unless these are the very files that the manifest names, itself left out."""
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
