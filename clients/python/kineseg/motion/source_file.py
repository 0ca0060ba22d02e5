"""A motion file as bytes: opened, unpacked where it is compressed, decoded where it is text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from kineseg.motion.errors import MotionFileError

MOST_BYTES = 4 << 30  # unpacked: more than any motion file, less than what a bomb unpacks to
_PACKED = (".gz", ".bz2", ".xz", ".lzma")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class SourceFile:
    """The content of a file.

    Attributes:
        path: Where it lies; named in errors.
        name: For people: the stem of what was packed, or of the file.
        suffix: Of what was packed, or of the file; lower case.
        data: The bytes, unpacked.
        notes: What was done to them.
    """

    path: Path
    name: str
    suffix: str
    data: bytes
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """The text.

        Raises:
            MotionFileError: It is none, or nothing but blanks.
        """
        if self.data[:2] in _UTF16:
            text = self.data.decode("utf-16", errors="replace")
        elif b"\0" in self.data[:4096]:
            raise MotionFileError("this is not a text file; expected text with numbers", path=self.path)
        else:
            try:
                text = self.data.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = self.data.decode("latin-1")
        if not text.strip():
            raise MotionFileError("the file is empty", path=self.path)
        return text.replace("\r\n", "\n").replace("\r", "\n")


def open_source(path: Path) -> SourceFile:
    """Read a file, and unpack it if it is .gz, .bz2, .xz or a .zip with one file in it.

    Raises:
        MotionFileError: Missing, a folder, empty, unreadable, or damaged.
    """
    if path.is_dir():
        raise MotionFileError("this is a folder; give one motion file", path=path)
    if not path.exists():
        raise MotionFileError("there is no such file", path=path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MotionFileError(f"larger than {MOST_BYTES >> 30} GiB; cut it", path=path)
        data = path.read_bytes()
    except OSError as error:
        raise MotionFileError(f"cannot be read ({error.strerror or error})", path=path) from None
    if not data:
        raise MotionFileError("the file is empty", path=path)
    suffix = path.suffix.lower()
    if suffix in _PACKED:
        return _packed(path, Path(path.stem).name, _unpack(path, suffix, data))
    if suffix == ".zip":
        return _only_member(path, data)
    return SourceFile(path, path.stem, suffix, data)


def _packed(path: Path, inner: str, data: bytes) -> SourceFile:
    if not data:
        raise MotionFileError("the file in it is empty", path=path)
    return SourceFile(path, Path(inner).stem, Path(inner).suffix.lower(), data)


def _unpack(path: Path, suffix: str, packed: bytes) -> bytes:
    most, packed_file = MOST_BYTES + 1, io.BytesIO(packed)
    try:
        if suffix == ".gz":
            with gzip.GzipFile(fileobj=packed_file) as gz:
                data = gz.read(most)
        elif suffix == ".bz2":
            with bz2.BZ2File(packed_file) as bz:
                data = bz.read(most)
        else:
            with lzma.LZMAFile(packed_file) as xz:
                data = xz.read(most)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError) as error:
        raise MotionFileError(f"a damaged or no {suffix} file ({error})", path=path) from None
    return _bounded(path, data)


def _only_member(path: Path, data: bytes) -> SourceFile:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
            if len(names) != 1:
                some = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
                raise MotionFileError(
                    f"this archive holds {len(names)} files ({some or 'none'}); unpack it and give one of them",
                    path=path,
                )
            with archive.open(names[0]) as stream:
                return _packed(path, names[0], _bounded(path, stream.read(MOST_BYTES + 1)))
    # zipfile lets errors of many kinds out of damaged or exotic archives (encryption, unknown compression).
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, MotionFileError):
            raise
        raise MotionFileError(f"a damaged or no .zip file ({error})", path=path) from None


def _bounded(path: Path, data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise MotionFileError(f"unpacks to more than {MOST_BYTES >> 30} GiB; unpack and cut it", path=path)
    return data
