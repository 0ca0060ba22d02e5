"""Reads NumPy files: an array of channels or of joint positions, alone (.npy) or with names and rate (.npz)."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.landmarks import landmarks_of
from kineseg.motion.recording import Recording
from kineseg.motion.regular_clock import RegularClock
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.source_file import MOST_BYTES, SourceFile
from kineseg.motion.time_names import time_name
from kineseg.motion.timing import read_clock, required_rate

Array = NDArray[np.float64]
Entries = dict[str, NDArray[np.generic]]

_KEYS = "'frames' (T, C) or 'positions' (T, J, 3), and optionally 'rate', 'timestamps', 'channels', 'joints', 'parents'"
_REMEDY = "np.savez('take.npz', frames=values, channels=names, rate=rate), values a float array of shape (T, C)"
_RATE_KEYS = (
    *("rate", "fps", "framerate", "frame_rate", "mocap_framerate", "mocap_frame_rate", "sampling_rate", "sample_rate"),
    *("samplerate", "samplingrate", "sampling_frequency", "fs", "sfreq", "frequency", "freq", "hz", "sr"),
)
_JOINT_KEYS = ("joints", "joint_names", "jointnames", "markers", "marker_names", "bodyparts", "keypoint_names", "names")
_CHANNEL_KEYS = ("channels", "channel_names", "columns", "features", "feature_names", "names")
# What is neither motion nor about its time.
_BESIDE = frozenset(("parents", "offsets", "gender", "betas", "labels", "label", "y"))


@dataclass(frozen=True)
class _Found:
    """The motion in an archive."""

    frames: tuple[str, Array] | None
    positions: tuple[str, Array] | None
    notes: tuple[str, ...]


def read_npy(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read a ``.npy`` file.

    Args:
        source: One array: ``(T, C)`` channels, named ``channel_0`` and so on, or ``(T, J, 3)`` positions of joints
            named ``joint_0`` and so on.
        rate: Frames per second; the file cannot say.

    Raises:
        MotionFileError: Not such a file, or no rate.
    """
    array = _load(source)
    if not isinstance(array, np.ndarray):
        return _recording(source, _entries(source, array), rate)
    if array.dtype.names:
        raise MotionFileError(
            f"a structured array with the fields {', '.join(array.dtype.names[:8])}; in Python: "
            "np.savetxt('take.csv', array, delimiter=',', header=','.join(array.dtype.names))",
            path=source.path,
        )
    _check_numbers(source, "the array", array)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim == 3:
        return _recording(source, {"positions" if array.shape[2] == 3 else "array": array}, rate)
    return _recording(source, {"frames": array}, rate)


def read_npz(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read a ``.npz`` file.

    Keys: ``frames`` ``(T, C)`` or ``positions`` ``(T, J, 3)`` (or both); ``rate`` (frames per second) or ``timestamps``
    ``(T,)`` (seconds; ``timestamps_ms``, ``time_ns`` and so on are in those units); ``channels`` (C names), ``joints``
    (J names) and ``parents`` (J indices, -1 for the root; with ``offsets`` ``(J, 3)`` they make a skeleton) are
    optional. Where there is neither ``frames`` nor ``positions``, the one array of numbers with such a shape is read,
    whatever its key.

    Args:
        source: The file.
        rate: Frames per second, instead of what the file says.

    Raises:
        MotionFileError: Not such a file; names the key.
    """
    archive = _load(source)
    if isinstance(archive, np.ndarray):
        return read_npy(source, rate=rate)
    return _recording(source, _entries(source, archive), rate)


def _load(source: SourceFile) -> np.ndarray | np.lib.npyio.NpzFile:
    try:
        # Pickled objects could run code on loading, so they stay off.
        loaded: np.ndarray | np.lib.npyio.NpzFile = np.load(io.BytesIO(source.data), allow_pickle=False)
    # NumPy has no base class for what a damaged file makes it raise (zip, zlib, struct, token and memory errors).
    except Exception as error:
        if "Object arrays" in str(error):
            raise MotionFileError(_of_objects("the array"), path=source.path) from None
        # NumPy advises to allow pickles, for any file that it does not know: nothing to pass on.
        reason = "" if "pickle" in str(error) else f" ({error})"
        raise MotionFileError(f"not a NumPy file of plain numbers{reason}", path=source.path) from None
    return loaded


def _entries(source: SourceFile, archive: np.lib.npyio.NpzFile) -> Entries:
    entries: Entries = {}
    problems: dict[str, str] = {}
    with archive:
        members = [] if archive.zip is None else archive.zip.infolist()
        if sum(info.file_size for info in members) > MOST_BYTES:
            raise MotionFileError(f"unpacks to more than {MOST_BYTES >> 30} GiB; cut it", path=source.path)
        for key in archive.files:
            try:
                value = archive[key]
                if not isinstance(value, np.ndarray):  # what is no array, NumPy gives as bytes
                    raise TypeError("it is no array of NumPy's")
                entries[key] = value
            except Exception as error:  # as above
                problems[key] = _of_objects(repr(key)) if "Object arrays" in str(error) else f"({error})"
    wanted = [key for key in problems if key in ("frames", "positions", "rate", "timestamps") or not entries]
    if wanted or (problems and not any(value.ndim >= 2 for value in entries.values())):
        key = (wanted or list(problems))[0]
        raise MotionFileError(f"entry {key!r} cannot be read: {problems[key]}", path=source.path, field=key)
    return entries


def _of_objects(what: str) -> str:
    return f"{what} holds Python objects, not plain numbers, and is not loaded: save it with {_REMEDY}"


def _recording(source: SourceFile, entries: Entries, rate: float | None) -> Recording:
    file = source.path
    if {"poses", "trans"} <= set(entries) and not {"frames", "positions"} & set(entries):
        raise MotionFileError(
            "an AMASS (SMPL) file: rotations without a body to put them on; turn them into joints with the package "
            "smplx (body_model(...).Jtr), and save np.savez('take.npz', positions=joints, joints=names, "
            "rate=mocap_framerate)",
            path=file,
            field="poses",
        )
    found = _find(source, entries)
    positions = None if found.positions is None else found.positions[1]
    joints: tuple[str, ...] = ()
    skeleton = None
    notes = found.notes
    if positions is not None:
        named = _matching(entries, _JOINT_KEYS)
        landmarks = None if named or found.frames is not None else landmarks_of(positions)
        if landmarks is not None:
            positions, joints, note = landmarks
            notes = (*notes, note)
        else:
            joints = _names(source, entries, _JOINT_KEYS, positions.shape[1], "joint")
            skeleton = _skeleton(source, entries, joints)
    if found.frames is None:
        assert positions is not None
        frames = positions.reshape(len(positions), -1)
        channels = tuple(f"{joint}.{axis}" for joint in joints for axis in "xyz")
    else:
        frames = found.frames[1]
        channels = _names(source, entries, _CHANNEL_KEYS, frames.shape[1], "channel")
    clock = _clock(source, entries, rate, len(frames))
    return Recording(
        frames=frames,
        rate=required_rate(clock.rate or None, path=file, remedy="give a rate, or store 'rate' in an .npz"),
        channels=channels,
        skeleton=skeleton,
        timestamps=clock.timestamps,
        positions=positions,
        name=source.name,
        joints=joints,
        notes=(*notes, *clock.notes),
    )


def _find(source: SourceFile, entries: Entries) -> _Found:
    """The arrays that are motion: by their key, or the only one that can be."""
    positions = _numbers(source, entries, "positions", ndim=3)
    frames = _numbers(source, entries, "frames", ndim=2)
    if positions is not None and (positions.shape[2] != 3 or not positions.size):
        raise MotionFileError(
            f"'positions' has shape {positions.shape}; expected (frames, joints, 3), one of each at least",
            path=source.path,
            field="positions",
        )
    if positions is not None or frames is not None:
        return _Found(
            None if frames is None else ("frames", frames), None if positions is None else ("positions", positions), ()
        )
    candidates = {
        key: value
        for key, value in entries.items()
        if value.dtype.kind in "fiu" and value.ndim >= 2 and value.size and key.lower() not in _BESIDE
    }
    if len(candidates) != 1:
        listed = ", ".join(f"{key!r} {value.dtype} {value.shape}" for key, value in entries.items()) or "nothing"
        which = "none of them can be" if not candidates else "several of them can be"
        raise MotionFileError(
            f"found {listed}; {which} the motion. Expected {_KEYS}; name it: {_REMEDY}", path=source.path
        )
    ((key, value),) = candidates.items()
    array = value.astype(np.float64)
    if array.ndim == 4 and 1 in (array.shape[0], array.shape[1]):  # one person
        array = array[0] if array.shape[0] == 1 else array[:, 0]
    if array.ndim == 3 and array.shape[2] > 3 and landmarks_of(array) is not None:
        return _Found(None, (key, array), (f"{key!r}, of shape {value.shape}, is read as positions",))
    if array.ndim == 3 and array.shape[2] == 3 and not _in_the_plane(key, array):
        return _Found(None, (key, array), (f"{key!r}, of shape {value.shape}, is read as positions",))
    if array.ndim == 3 and (array.shape[2] == 2 or _in_the_plane(key, array)):
        flat = array[:, :, :2].reshape(len(array), -1)
        note = f"{key!r}, of shape {value.shape}, is read as points in the plane: {flat.shape[1]} channels"
        return _Found((key, flat), None, (note,))
    if array.ndim != 2:
        raise MotionFileError(
            f"{key!r} has shape {value.shape}; expected (frames, channels) or (frames, joints, 3): bring its axes in "
            f"that order with np.transpose, and {_REMEDY}",
            path=source.path,
            field=key,
        )
    return _Found((key, array), None, (f"{key!r}, of shape {value.shape}, is read as frames and channels",))


def _in_the_plane(key: str, points: Array) -> bool:
    """Whether the third number of each point is how certain it is, as 2-D pose estimators write it."""
    if "keypoint" not in key.lower() or points.shape[2] != 3:
        return False
    third = points[:, :, 2]
    return bool(np.nanmin(third) >= 0 and np.nanmax(third) <= 1 and np.nanmax(np.abs(points[:, :, :2])) > 2)


def _clock(source: SourceFile, entries: Entries, rate: float | None, count: int) -> RegularClock:
    """Rate (0 where nothing says it) and times."""
    stored = next((_numbers(source, entries, key, ndim=0) for key in _matching(entries, _RATE_KEYS)), None)
    said = float(stored) if rate is None and stored is not None else rate
    notes: tuple[str, ...] = ()
    for key, value in entries.items():
        named = time_name(key)
        if named is None or value.dtype.kind not in "fiu" or (value.ndim != 1 and key != "timestamps"):
            continue
        if key != "timestamps" and len(value) != count:
            continue
        times = _numbers(source, entries, key, ndim=1)
        assert times is not None
        unit = named.unit_s if named.unit_s is not None else _seconds(times, said) if key == "timestamps" else None
        clock = read_clock(
            times, unit, path=source.path, name=key, what="key", rate=said if said and said > 0 else None
        )
        if isinstance(clock, RegularClock):
            return RegularClock(clock.rate if said is None else said, clock.timestamps, clock.notes)
        notes = clock.notes
    return RegularClock(said if said is not None else 0.0, None, notes) if said != 0.0 else _no_rate(source)


def _no_rate(source: SourceFile) -> RegularClock:
    required_rate(0.0, path=source.path, remedy="")
    raise AssertionError("a rate of 0 is refused")


def _seconds(times: Array, rate: float | None) -> float | None:
    """The unit of the documented key, seconds, unless the values cannot be."""
    if len(times) < 2 or not np.isfinite(times).all():
        return 1.0
    step = float(times[-1] - times[0]) / (len(times) - 1)
    return 1.0 if 0.0 < step <= 1.0 and (rate is None or rate * step < 2.0) else None


def _matching(entries: Entries, keys: tuple[str, ...]) -> list[str]:
    lower = {key.lower(): key for key in entries}
    return [lower[key] for key in keys if key in lower]


def _check_numbers(source: SourceFile, what: str, value: NDArray[np.generic]) -> None:
    if value.dtype.kind not in "fiub":
        raise MotionFileError(f"{what} holds {value.dtype}; expected numbers", path=source.path)


def _numbers(source: SourceFile, entries: Entries, key: str, *, ndim: int) -> Array | None:
    if key not in entries:
        return None
    value = entries[key]
    if value.dtype.kind not in "fiub":
        raise MotionFileError(f"{key!r} holds {value.dtype}; expected numbers", path=source.path, field=key)
    if ndim == 0 and value.size == 1:
        value = value.reshape(())
    if value.ndim != ndim:
        raise MotionFileError(
            f"{key!r} has shape {value.shape}; expected {ndim} dimensions", path=source.path, field=key
        )
    return value.astype(np.float64)


def _names(source: SourceFile, entries: Entries, keys: tuple[str, ...], count: int, default: str) -> tuple[str, ...]:
    for key in _matching(entries, keys):
        value = entries[key]
        if value.dtype.kind not in "USO" and key != keys[0]:
            continue
        names = tuple(_text(name) for name in value.ravel())
        if len(names) != count:
            if key != keys[0]:
                continue
            raise MotionFileError(f"{key!r} has {len(names)} names for {count}", path=source.path, field=key)
        return names
    return tuple(f"{default}_{i}" for i in range(count))


def _text(name: object) -> str:
    if not isinstance(name, bytes):
        return str(name)
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _skeleton(source: SourceFile, entries: Entries, joints: tuple[str, ...]) -> Skeleton | None:
    parents = _numbers(source, entries, "parents", ndim=1)
    offsets = _numbers(source, entries, "offsets", ndim=2)
    if parents is None or offsets is None:
        return None
    if not np.isfinite(parents).all():
        raise MotionFileError("'parents' must be whole numbers", path=source.path, field="parents")
    return Skeleton(joints, tuple(int(p) for p in parents), offsets)
