"""Reads the exponential-map releases of the CMU motion-capture database.

Two layouts: text with 117 comma-separated columns a frame (root translation, then 38 joints of three numbers), and
MATLAB files whose ``expmapchannels`` has 96 columns (without the seven end joints, which never turn, and with the
rotations of limbs about the axes of each bone instead of the world's).

The published single-action clips begin with one row in a calibration posture that is not part of the motion. Files
are given as they are: ``recording.slice(1)`` leaves that row out.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion.annotation import Annotation
from kineseg.motion.cmu_skeleton import CMU_BONE_AXES, CMU_END_JOINTS, CMU_SKELETON
from kineseg.motion.errors import MissingDependencyError, MotionFileError, RecordingError
from kineseg.motion.kinematics import forward_kinematics, matrices_from_euler, matrices_from_expmap
from kineseg.motion.matlab_elements import check_elements
from kineseg.motion.recording import Recording, check_rate
from kineseg.motion.source_file import MOST_BYTES, SourceFile, open_source

CMU_RATE = 120.0
CMU_COLUMNS = 3 + 3 * CMU_SKELETON.n_joints
COMPACT_COLUMNS = CMU_COLUMNS - 3 * len(CMU_END_JOINTS)

_MOVING = tuple(j for j in range(CMU_SKELETON.n_joints) if j not in CMU_END_JOINTS)
# (31, 3, 3): from each bone's axes to the world's.
_FROM_BONE_AXES = matrices_from_euler(
    np.radians([CMU_BONE_AXES.get(CMU_SKELETON.names[j], (0.0, 0.0, 0.0))[::-1] for j in _MOVING]), "ZYX"
)


def _channel_names(joints: tuple[int, ...]) -> tuple[str, ...]:
    turns = tuple(f"{CMU_SKELETON.names[j]}.r{axis}" for j in joints for axis in "xyz")
    return ("Hips.tx", "Hips.ty", "Hips.tz", *turns)


TEXT_CHANNELS = _channel_names(tuple(range(CMU_SKELETON.n_joints)))
COMPACT_CHANNELS = _channel_names(_MOVING)


def cmu_positions(frames: ArrayLike) -> NDArray[np.float64]:
    """Joint positions from CMU channels.

    Args:
        frames: ``(T, 117)`` or ``(T, 96)``: root translation in database units, exponential maps in radians.

    Returns:
        ``(T, 38, 3)`` positions, y up, in database units.

    Raises:
        RecordingError: Another number of columns.
    """
    values = np.asarray(frames, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] not in (CMU_COLUMNS, COMPACT_COLUMNS):
        raise RecordingError(
            f"CMU frames must have shape (frames, {CMU_COLUMNS}) or (frames, {COMPACT_COLUMNS}), got {values.shape}",
            field="frames",
        )
    n_frames = len(values)
    maps = values[:, 3:].reshape(n_frames, -1, 3)
    if values.shape[1] == COMPACT_COLUMNS:
        full = np.zeros((n_frames, CMU_SKELETON.n_joints, 3))
        # A rotation seen along other axes is the same angle about the turned axis.
        full[:, _MOVING] = np.einsum("jab,tjb->tja", _FROM_BONE_AXES, maps)
        maps = full
    # The release stores the map of the inverse rotation (it was made for row vectors); seen from the data: only so do
    # the feet stand still on the floor while walking.
    return forward_kinematics(CMU_SKELETON, matrices_from_expmap(-maps), values[:, :3])


def could_be_cmu(frames: NDArray[np.float64]) -> bool:
    """Whether values of 117 columns can be the text layout: end joints never turn, and angles are angles."""
    if frames.ndim != 2 or frames.shape[1] != CMU_COLUMNS or not np.isfinite(frames).all():
        return False
    maps = frames[:, 3:].reshape(len(frames), -1, 3)
    return not maps[:, list(CMU_END_JOINTS)].any() and bool(np.abs(maps).max() <= 2.0 * np.pi)


def from_cmu(
    source: SourceFile, frames: NDArray[np.float64], rate: float | None, notes: tuple[str, ...] = ()
) -> Recording:
    """A recording of the 117-column text layout.

    Args:
        source: Where it is from.
        frames: ``(T, 117)``.
        rate: Frames per second; 120 unless given.
        notes: What was assumed.
    """
    return _recording(source, frames, TEXT_CHANNELS, rate, notes)


def read_cmu_mat(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read the MATLAB layout: variable ``expmapchannels``, 96 (or 117) columns.

    Segments annotated in a file ``<stem>_ground_truth.txt`` beside it become the recording's truth.

    Args:
        source: A MATLAB 5 file.
        rate: Frames per second; 120 unless given.

    Raises:
        MotionFileError: Not such a file.
        MissingDependencyError: SciPy is not installed.
    """
    file = source.path
    frames = _expmap_channels(source)
    channels = TEXT_CHANNELS if frames.shape[1] == CMU_COLUMNS else COMPACT_CHANNELS
    bad = np.argwhere(~np.isfinite(frames))
    if bad.size:
        row, column = (int(i) for i in bad[0])
        raise MotionFileError(
            f"expmapchannels: frame {row}, {channels[column]} is {frames[row, column]}; expected a finite number",
            path=file,
            field=channels[column],
        )
    recording = _recording(source, frames, channels, rate)
    beside = file.with_name(f"{source.name}_ground_truth.txt")
    if not beside.exists():
        return recording
    truth = read_cmu_annotation(beside)
    if truth.boundaries[-1] >= recording.n_frames:
        raise MotionFileError(
            f"a segment starts at frame {truth.boundaries[-1]}, but {file.name} has {recording.n_frames} frames",
            path=beside,
        )
    return replace(recording, truth=truth)


def read_cmu_annotation(path: str | Path) -> Annotation:
    """Read a ``_ground_truth.txt``: the number of segments, then per segment a line with its index and name and a
    line with the earliest, best and latest frame of its end (a single frame for the last one).

    ``walking`` and ``walk`` count as one action.

    Raises:
        MotionFileError: Another layout.
    """
    file = Path(path)
    rows = [(n, line.split()) for n, line in enumerate(open_source(file).text().splitlines(), start=1) if line.strip()]
    number, head = rows[0]
    if len(head) != 1 or not head[0].isdigit():
        raise MotionFileError("expected the number of segments", path=file, line=number)
    n_segments = int(head[0])
    if n_segments == 0 or len(rows) < 2 * n_segments:
        raise MotionFileError(f"expected two lines for each of {n_segments} segments", path=file, line=number)
    starts, tolerance, names = [0], [(0, 0)], []
    for i in range(n_segments):
        (name_line, words), (frame_line, frames) = rows[1 + 2 * i], rows[2 + 2 * i]
        if len(words) < 2:
            raise MotionFileError("expected a segment's index and name", path=file, line=name_line)
        names.append("_".join(words[1:]))
        if i == n_segments - 1:
            break
        if len(frames) != 3 or not all(f.isdigit() for f in frames):
            raise MotionFileError("expected earliest, best and latest frame", path=file, line=frame_line)
        earliest, best, latest = map(int, frames)
        starts.append(best)
        tolerance.append((min(earliest, best), max(latest, best)))
    ids: dict[str, int] = {}
    labels = tuple(ids.setdefault(_stem(name), len(ids)) for name in names)
    return Annotation(tuple(starts), labels, tuple(names), tuple(tolerance))


def _stem(name: str) -> str:
    return "_".join(re.sub("ing$", "", word) for word in name.lower().split("_"))


def _expmap_channels(source: SourceFile) -> NDArray[np.float64]:
    file = source.path
    try:
        from scipy.io import loadmat, whosmat
    except ImportError:
        raise MissingDependencyError(
            "reading .mat files needs SciPy: pip install 'kineseg[motion]'", path=file
        ) from None
    try:
        check_elements(source.data, MOST_BYTES)
        shapes = {name: shape for name, shape, _ in whosmat(io.BytesIO(source.data))}
        found = list(shapes)
        if 8 * math.prod(shapes.get("expmapchannels", ())) > MOST_BYTES:
            raise ValueError(f"expmapchannels unpacks to more than {MOST_BYTES >> 30} GiB")
        frames = loadmat(io.BytesIO(source.data), variable_names=["expmapchannels"]).get("expmapchannels")
    # SciPy has no base class for what a damaged file makes it raise (struct, zlib, key and type errors among them).
    except Exception as error:
        raise MotionFileError(f"not a MATLAB 5 file ({error})", path=file) from None
    if frames is None:
        raise MotionFileError(
            f"expected a variable 'expmapchannels', found: {', '.join(found) or 'none'}; other MATLAB files are "
            "read once they are CSV (writematrix) or NPZ: in Python, m = scipy.io.loadmat('take.mat'); "
            f"np.savez('take.npz', frames=m[{(found or ['values'])[0]!r}], rate=rate)",
            path=file,
            field="expmapchannels",
        )
    if frames.ndim != 2 or frames.shape[1] not in (COMPACT_COLUMNS, CMU_COLUMNS) or not len(frames):
        raise MotionFileError(
            f"expmapchannels has shape {frames.shape}; expected (frames, {COMPACT_COLUMNS}) or (frames, {CMU_COLUMNS})",
            path=file,
            field="expmapchannels",
        )
    try:
        return np.asarray(frames, dtype=np.float64)
    except (TypeError, ValueError):
        raise MotionFileError("expmapchannels does not hold numbers", path=file, field="expmapchannels") from None


def _recording(
    source: SourceFile,
    frames: NDArray[np.float64],
    channels: tuple[str, ...],
    rate: float | None,
    notes: tuple[str, ...] = (),
) -> Recording:
    return Recording(
        frames=frames,
        rate=check_rate(CMU_RATE if rate is None else rate),
        channels=channels,
        skeleton=CMU_SKELETON,
        positions=cmu_positions(frames),
        name=source.name,
        notes=notes,
    )
