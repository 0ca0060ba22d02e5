"""Frames of a source kept in a file, to be replayed bit for bit; `kineseg.motion.read` reads them, too."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import Joints
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import Frames, SourceInfo

_MARK = "kineseg_frame_numbers"


class Recorder:
    """Collects the frames of one stream.

    Args:
        info: What they are.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._info = info
        self._values: list[NDArray[np.float32]] = []
        self._times: list[NDArray[np.int64]] = []
        self._numbers: list[NDArray[np.int64]] = []

    @property
    def n_frames(self) -> int:
        """How many it has."""
        return sum(map(len, self._values))

    def add(self, frames: Frames) -> None:
        """Add frames."""
        self._values.append(frames.values)
        self._times.append(frames.capture_times_ns)
        self._numbers.append(frames.first_frame + np.arange(frames.n_frames, dtype=np.int64))

    def save(self, path: Path) -> None:
        """Write a ``.npz``; raises OSError."""
        if not self._values:
            return
        info = self._info
        times = np.concatenate(self._times)
        arrays: dict[str, Any] = {
            "rate": np.float64(info.rate),
            "time_ns": times - times[0],
            _MARK: np.concatenate(self._numbers),
        }
        values = np.concatenate(self._values)
        if info.joints is None:
            arrays |= {"frames": values, "channels": np.array(info.channels)}
        else:
            joints = info.joints
            arrays |= {"positions": values, "joints": np.array(joints.names)}
            arrays |= {"kineseg_up": np.array(joints.up), "kineseg_unit": np.array(joints.unit)}
            if joints.parents:
                arrays["parents"] = np.array(joints.parents)
            if len(joints.offsets):
                arrays["offsets"] = np.array(joints.offsets)
            if joints.mapping:
                arrays["kineseg_mapping"] = np.array(list(joints.mapping.items()))
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a `Recorder` has kept.

    Attributes:
        info: What the frames are.
        values: ``(T, J, 3)`` or ``(T, C)``, float32.
        times_ns: ``(T,)``, from 0.
        numbers: ``(T,)`` indices in the stream; a jump: frames were lost.
    """

    info: SourceInfo
    values: NDArray[np.float32]
    times_ns: NDArray[np.int64]
    numbers: NDArray[np.int64]


def load_recorded(path: Path) -> Recorded | None:
    """What is in such a file; None if it is another one.

    Raises:
        SourceError: It is damaged.
    """
    if path.suffix != ".npz" or not zipfile.is_zipfile(path):
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            if _MARK not in archive.files:
                return None
            arrays = {name: archive[name] for name in archive.files}
        if strange := [name for name, value in arrays.items() if not isinstance(value, np.ndarray)]:
            raise ValueError(f"{strange[0]!r} is no array of NumPy's")
        return _recorded(arrays)
    except Exception as error:  # NumPy raises whatever the bytes lead it to
        raise SourceError(f"{path}: damaged ({error})") from error


def _recorded(arrays: dict[str, NDArray[Any]]) -> Recorded:
    joints = None
    if "positions" in arrays:
        joints = Joints(
            names=tuple(map(str, arrays["joints"])),
            parents=tuple(map(int, arrays.get("parents", ()))),
            offsets=arrays.get("offsets", ()),
            up="z" if str(arrays["kineseg_up"]) == "z" else "y",
            unit=str(arrays["kineseg_unit"]),  # type: ignore[arg-type]  # Joints checks it
            mapping={str(joint): str(name) for joint, name in arrays.get("kineseg_mapping", ())},
        )
    rate = float(arrays["rate"])
    channels = () if joints is not None else tuple(map(str, arrays["channels"]))
    info = SourceInfo("", 0, joints, channels, rate, rate, rate, "sender")
    values = arrays["positions" if joints is not None else "frames"].astype(np.float32)
    numbers, times = arrays[_MARK].astype(np.int64), arrays["time_ns"].astype(np.int64)
    if not len(values) == len(numbers) == len(times) > 0 or (np.diff(numbers) < 1).any() or (np.diff(times) < 1).any():
        raise ValueError("its frames and times do not fit")
    return Recorded(info, values, times, numbers)
