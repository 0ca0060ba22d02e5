"""Opens a motion file of any known format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kineseg.motion.acclaim import read_amc, skeleton_alone
from kineseg.motion.arrays import read_npy, read_npz
from kineseg.motion.bvh import read_bvh
from kineseg.motion.c3d_file import read_c3d
from kineseg.motion.cmu import read_cmu_mat
from kineseg.motion.errors import JointMappingError, MotionFileError, RecordingError, SkeletonError
from kineseg.motion.foreign import ASF_STARTS, BY_SUFFIX, Format, is_c3d, recognised
from kineseg.motion.h36m import H36M_CHANNELS
from kineseg.motion.joint_mapping import find_joints
from kineseg.motion.mvnx import read_mvnx
from kineseg.motion.recording import Recording
from kineseg.motion.source_file import SourceFile, open_source
from kineseg.motion.tables import TableLayout, read_table
from kineseg.motion.upright import UpChoice, upright

_TABLES = (".csv", ".tsv", ".txt", ".dat", ".tab", ".asc", ".trc", ".mot", ".sto")
SUFFIXES = (
    *(".bvh", ".npz", ".npy", ".csv", ".tsv", ".txt", ".trc", ".mot", ".sto", ".mat"),
    *(".c3d", ".amc", ".mvnx"),
)


def read(
    path: str | Path,
    *,
    rate: float | None = None,
    up: UpChoice = "auto",
    mapping: Mapping[str, str] | None = None,
    layout: TableLayout = "auto",
) -> Recording:
    """Read a motion file; the format follows from the suffix and from what is in it.

    What had to be assumed or was left out is said in the `notes` of the recording.

    Args:
        path: BVH; a table in text, one frame a line (``.csv``, ``.tsv``, ``.txt``, OpenSim's ``.trc``, ``.mot`` and
            ``.sto``); ``.npy``; ``.npz``; CMU exponential maps as ``.mat``; C3D; Acclaim's ``.amc`` with its ``.asf``
            beside it; Xsens' ``.mvnx``. Also packed, as ``.gz``, ``.bz2``, ``.xz`` or ``.zip``.
        rate: Frames per second, instead of what the file says; needed where it says nothing.
        up: The vertical axis of the file's world; ``auto``: as the body in it stands.
        mapping: Canonical joint -> joint name in the file, for names that are not recognised.
        layout: What the columns of a table without a header are: ``cmu`` (117 columns, exponential maps), ``h36m`` (99,
            those of Human3.6M), ``positions`` (x, y, z of one joint after the other), ``table`` (channels of any kind),
            or ``auto``: exponential maps only where number and values of the columns are so, else channels.

    Raises:
        MotionFileError: The file is not one of these or is damaged; names the file, the line or field, and what to do.
        JointMappingError: The mapping names a joint that is not there.
        MissingDependencyError: A package for this format is not installed; names the extra.
    """
    file = Path(path)
    if rate is not None and not rate > 0:
        raise MotionFileError(
            f"the rate is {rate}; expected a positive number of frames per second", path=file, field="rate"
        )
    if up not in ("y", "z", "auto"):
        raise MotionFileError(f"the up axis must be 'y', 'z' or 'auto', got {up!r}", path=file, field="up")
    source = open_source(file)
    try:
        # Absurdly large numbers overflow on the way to positions; the check for finite positions then says so.
        with np.errstate(over="ignore", invalid="ignore"):
            recording = _read(source, rate, layout)
            if mapping:
                recording = _mapped(recording, mapping, file)
            expmaps = recording.skeleton is not None and recording.channels[0] in ("Hips.tx", H36M_CHANNELS[0])
            return recording if expmaps and up == "auto" else upright(recording, up)
    except (RecordingError, SkeletonError) as error:
        raise MotionFileError(str(error), path=file, line=error.line, field=error.field) from None


def _mapped(recording: Recording, mapping: Mapping[str, str], file: Path) -> Recording:
    if recording.positions is None:
        raise MotionFileError(
            "a mapping of joints is given, but the file has no joint positions; leave it out",
            path=file,
            field="mapping",
        )
    try:
        find_joints(recording.joints, mapping)
    except JointMappingError as error:
        raise JointMappingError(str(error), path=file, field="mapping") from None
    return replace(recording, mapping=mapping)


def _read(source: SourceFile, rate: float | None, layout: TableLayout) -> Recording:
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
    known = f"unknown suffix {source.suffix!r}; expected one of {', '.join(SUFFIXES)}"
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
