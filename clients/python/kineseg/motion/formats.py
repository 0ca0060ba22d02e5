"""Which reader a motion file is for, by its suffix and by what is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kineseg.motion.acclaim import read_amc, skeleton_alone
from kineseg.motion.arrays import read_npy, read_npz
from kineseg.motion.bvh import read_bvh
from kineseg.motion.c3d_file import read_c3d
from kineseg.motion.cmu import read_cmu_mat
from kineseg.motion.errors import MotionFileError
from kineseg.motion.foreign import ASF_STARTS, BY_SUFFIX, Format, is_c3d, recognised
from kineseg.motion.mvnx import read_mvnx
from kineseg.motion.recording import Recording
from kineseg.motion.source_file import SourceFile
from kineseg.motion.tables import TableLayout, read_table

_TABLES = (".csv", ".tsv", ".txt", ".dat", ".tab", ".asc", ".trc", ".mot", ".sto")
_SUFFIXES = (
    *(".bvh", ".npz", ".npy", ".csv", ".tsv", ".txt", ".trc", ".mot", ".sto", ".mat"),
    *(".c3d", ".amc", ".mvnx"),
)


def recording_of(source: SourceFile, rate: float | None, layout: TableLayout) -> Recording:
    """What is in a file, as the reader of its format finds it; see `kineseg.motion.read`."""
    suffix, start = source.suffix, source.data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:9].upper() == b"HIERARCHY":
        return read_bvh(source, rate=rate)
    special = _special(suffix, source.data, start)
    if special is not None:
        return special(source, rate=rate)
    if suffix == ".bvh":
        found = recognised(source.data)
        if found is not None:
            raise _refusal(source, found)
        return read_bvh(source, rate=rate)
    if suffix in (".npy", ".npz") or source.data[:6] == b"\x93NUMPY":
        return read_npz(source, rate=rate) if suffix == ".npz" else read_npy(source, rate=rate)
    if suffix == ".mat" or source.data[:10] == b"MATLAB 5.0":
        found = recognised(source.data)
        if found is not None:
            raise _refusal(source, found)
        return read_cmu_mat(source, rate=rate)
    if suffix in BY_SUFFIX:
        raise _refusal(source, BY_SUFFIX[suffix])
    found = recognised(source.data)
    if found is not None:
        raise _refusal(source, found)
    if suffix in _TABLES:
        return read_table(source, rate=rate, layout=layout)
    return _unknown(source, rate, layout)


def _special(suffix: str, data: bytes, start: bytes) -> Callable[..., Recording] | None:
    """The reader of a format that has one of its own, by the suffix or by what is in the file."""
    if suffix == ".c3d" or is_c3d(data):
        return read_c3d
    if suffix == ".asf" or (suffix != ".amc" and start.startswith(ASF_STARTS)):
        return _no_motion
    if suffix == ".amc":
        return read_amc
    if suffix == ".mvnx" or (start[:1] == b"<" and b"<mvn" in data[:1024]):
        return read_mvnx
    return None


def _no_motion(source: SourceFile, *, rate: float | None) -> Recording:
    raise skeleton_alone(source.path)


def _refusal(source: SourceFile, found: Format) -> MotionFileError:
    return MotionFileError(f"this is {found.name}, which is not read; {found.remedy}", path=source.path)


def _unknown(source: SourceFile, rate: float | None, layout: TableLayout) -> Recording:
    """A file whose suffix says nothing and that is none of the binary formats: perhaps a table."""
    known = f"unknown suffix {source.suffix!r}; expected one of {', '.join(_SUFFIXES)}"
    try:
        recording = read_table(source, rate=rate, layout=layout)
    except MotionFileError as error:
        if error.field == "rate":
            raise
        binary = "not a text file" in str(error)
        why = str(error).removeprefix(str(source.path)).lstrip(",: ")
        looks = "it does not look like text" if binary else f"read as a table: {why}"
        raise MotionFileError(f"{known}; {looks}", path=source.path, line=error.line, field=error.field) from None
    note = f"the suffix {source.suffix!r} says nothing: the file is read as a table, which it looks like"
    return replace(recording, notes=(note, *recording.notes))
