"""Reads NumPy files: an array of channels or of joint positions, alone (.npy) or with names and rate (.npz)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.recording import Recording, Up
from kineseg.motion.skeleton import Skeleton
from kineseg.motion.text_numbers import require_file
from kineseg.motion.timing import rate_from_times, required_rate

_KEYS = "'frames' (T, C) or 'positions' (T, J, 3), and optionally 'rate', 'timestamps', 'channels', 'joints', 'parents'"


def read_npy(path: str | Path, *, rate: float | None = None, up: Up = "y") -> Recording:
    """Read a ``.npy`` file.

    Args:
        path: One array: ``(T, C)`` channels, named ``channel_0`` and so on, or ``(T, J, 3)`` positions of joints named
            ``joint_0`` and so on.
        rate: Frames per second; the file cannot say.
        up: The vertical axis of positions.

    Raises:
        MotionFileError: Not such a file, or no rate.
    """
    file = Path(path)
    array = _load(file)
    if not isinstance(array, np.ndarray):
        raise MotionFileError("this is an .npz archive; give it that suffix", path=file)
    return _recording(file, {"positions" if array.ndim == 3 else "frames": array}, rate, up)


def read_npz(path: str | Path, *, rate: float | None = None, up: Up = "y") -> Recording:
    """Read a ``.npz`` file.

    Keys: ``frames`` ``(T, C)`` or ``positions`` ``(T, J, 3)`` (or both); ``rate`` (frames per second) or ``timestamps``
    ``(T,)`` (seconds); ``channels`` (C names), ``joints`` (J names) and ``parents`` (J indices, -1 for the root; with
    ``offsets`` ``(J, 3)`` they make a skeleton) are optional.

    Args:
        path: The file.
        rate: Frames per second, instead of what the file says.
        up: The vertical axis of positions.

    Raises:
        MotionFileError: Not such a file; names the key.
    """
    file = Path(path)
    archive = _load(file)
    if isinstance(archive, np.ndarray):
        raise MotionFileError("this is a single array; give it the suffix .npy", path=file)
    entries: dict[str, NDArray[np.generic]] = {}
    with archive:
        for key in archive.files:
            try:
                entries[key] = archive[key]
            except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError) as error:
                raise MotionFileError(f"entry {key!r} cannot be read ({error})", path=file, field=key) from None
    return _recording(file, entries, rate, up)


def _load(file: Path) -> np.ndarray | np.lib.npyio.NpzFile:
    require_file(file)
    try:
        # Pickled objects could run code on loading, so they stay off.
        loaded: np.ndarray | np.lib.npyio.NpzFile = np.load(io.BytesIO(file.read_bytes()), allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        # NumPy advises to allow pickles, for any file that it does not know: nothing to pass on.
        reason = "" if "pickle" in str(error) else f" ({error})"
        raise MotionFileError(f"not a NumPy file of plain numbers{reason}", path=file) from None
    return loaded


def _recording(file: Path, entries: dict[str, NDArray[np.generic]], rate: float | None, up: Up) -> Recording:
    positions = _numbers(file, entries, "positions", ndim=3)
    frames = _numbers(file, entries, "frames", ndim=2)
    if positions is None and frames is None:
        raise MotionFileError(f"found {', '.join(map(repr, entries)) or 'nothing'}; expected {_KEYS}", path=file)
    joints: tuple[str, ...] = ()
    skeleton = None
    if positions is not None:
        if positions.shape[2] != 3:
            raise MotionFileError(
                f"'positions' has shape {positions.shape}; expected (frames, joints, 3)", path=file, field="positions"
            )
        joints = _names(file, entries, "joints", positions.shape[1], "joint")
        skeleton = _skeleton(file, entries, joints)
    if frames is None:
        assert positions is not None
        frames = positions.reshape(len(positions), -1)
        channels = tuple(f"{joint}.{axis}" for joint in joints for axis in "xyz")
    else:
        channels = _names(file, entries, "channels", frames.shape[1], "channel")
    timestamps = _numbers(file, entries, "timestamps", ndim=1)
    stored = _numbers(file, entries, "rate", ndim=0)
    if rate is None and stored is not None:
        rate = float(stored)
    elif rate is None and timestamps is not None:
        rate = rate_from_times(timestamps, path=file, field="timestamps")
    return Recording(
        frames=frames,
        rate=required_rate(rate, path=file, remedy="give a rate, or store 'rate' in an .npz"),
        channels=channels,
        skeleton=skeleton,
        timestamps=timestamps,
        positions=positions,
        name=file.stem,
        joints=joints,
        up=up,
    )


def _numbers(file: Path, entries: dict[str, NDArray[np.generic]], key: str, *, ndim: int) -> NDArray[np.float64] | None:
    if key not in entries:
        return None
    value = entries[key]
    if value.dtype.kind not in "fiub":
        raise MotionFileError(f"{key!r} holds {value.dtype}; expected numbers", path=file, field=key)
    if ndim == 0 and value.size == 1:
        value = value.reshape(())
    if value.ndim != ndim:
        raise MotionFileError(f"{key!r} has shape {value.shape}; expected {ndim} dimensions", path=file, field=key)
    return value.astype(np.float64)


def _names(file: Path, entries: dict[str, NDArray[np.generic]], key: str, count: int, default: str) -> tuple[str, ...]:
    if key not in entries:
        return tuple(f"{default}_{i}" for i in range(count))
    names = tuple(str(name) for name in entries[key].ravel())
    if len(names) != count:
        raise MotionFileError(f"{key!r} has {len(names)} names for {count}", path=file, field=key)
    return names


def _skeleton(file: Path, entries: dict[str, NDArray[np.generic]], joints: tuple[str, ...]) -> Skeleton | None:
    parents, offsets = _numbers(file, entries, "parents", ndim=1), _numbers(file, entries, "offsets", ndim=2)
    if parents is None or offsets is None:
        return None
    return Skeleton(joints, tuple(int(p) for p in parents), offsets)
