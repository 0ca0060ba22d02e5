"""Opens a motion file of any known format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from reprlib import repr as short
from typing import TYPE_CHECKING, get_args

import numpy as np

from kineseg.motion.errors import JointMappingError, MotionFileError, RecordingError, SkeletonError
from kineseg.motion.joint_mapping import find_joints
from kineseg.motion.recording import Recording, is_rate
from kineseg.motion.upright import UpChoice, upright

if TYPE_CHECKING:
    from kineseg.motion.tables import TableLayout


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
    # Most of who imports `kineseg.motion` reads no file.
    from kineseg.motion.formats import recording_of
    from kineseg.motion.h36m import H36M_CHANNELS
    from kineseg.motion.source_file import open_source
    from kineseg.motion.tables import TableLayout

    if not isinstance(path, str | PathLike):
        raise MotionFileError(f"path must be the name of a file, got {short(path)}", field="path")
    file = Path(path)
    if rate is not None and not is_rate(rate):
        raise MotionFileError(
            f"the rate is {short(rate)}; expected a positive number of frames per second", path=file, field="rate"
        )
    if not isinstance(up, str) or up not in get_args(UpChoice):
        raise MotionFileError(f"the up axis must be 'y', 'z' or 'auto', got {short(up)}", path=file, field="up")
    if not isinstance(layout, str) or layout not in get_args(TableLayout):
        known = ", ".join(get_args(TableLayout))
        raise MotionFileError(f"the layout must be one of {known}, got {short(layout)}", path=file, field="layout")
    if mapping is not None and not isinstance(mapping, Mapping):
        raise MotionFileError(
            f"the mapping must be one of canonical joints to those of the file, got {short(mapping)}",
            path=file,
            field="mapping",
        )
    source = open_source(file)
    try:
        # Absurdly large numbers overflow on the way to positions; the check for finite positions then says so.
        with np.errstate(over="ignore", invalid="ignore"):
            recording = recording_of(source, rate, layout)
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
