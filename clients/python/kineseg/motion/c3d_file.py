"""Reads C3D files, the biomechanics laboratories' format of markers and analogue channels.

By the package c3d, which is Python alone: it reads bytes, so that packed files need no copy on disk, knows all three
kinds of processors whose numbers such files hold, and raises where they are damaged.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MissingDependencyError, MotionError, MotionFileError
from kineseg.motion.recording import Recording
from kineseg.motion.source_file import SourceFile
from kineseg.motion.timing import required_rate

# Lists of what is kept among the points though it is no place, such as Plug-in Gait's angles.
_NO_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS")
_LABELS = 40  # parameters LABELS, LABELS2, ... of 255 names each


def read_c3d(source: SourceFile, *, rate: float | None = None) -> Recording:
    """Read a C3D file: the positions of its points, or, where it has none, its analogue channels.

    Args:
        source: The file.
        rate: Frames per second, instead of what the file says.

    Returns:
        Channels and positions in the file's unit; NaN where a point was not seen.

    Raises:
        MotionFileError: It is damaged or has no frames.
        MissingDependencyError: The package c3d is not installed.
    """
    try:
        import c3d
    except ImportError:
        raise MissingDependencyError(
            "reading .c3d files needs the package c3d: pip install 'kineseg[c3d]'", path=source.path
        ) from None
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of what is missing, which is said here
            return _recording(source, c3d.Reader(io.BytesIO(source.data)), rate)
    except MotionError:
        raise
    except Exception as error:  # of any kind, where bytes are not what they should be
        raise MotionFileError(f"a damaged C3D file ({type(error).__name__}: {error})", path=source.path) from None


def _recording(source: SourceFile, reader: Any, rate: float | None) -> Recording:
    points, analog, promised = _frames(source, reader)
    notes = (
        [] if len(points) == promised else [f"the file says {promised} frames, and has {len(points)}: these are read"]
    )
    if not points.shape[1]:
        return _analogue(source, reader, analog, rate, notes)
    labels = _names(_labels(reader, "POINT"), points.shape[1], "point")
    places = points[..., :3].astype(np.float64)
    places[(points[..., 3] < 0) | (places == 0.0).all(axis=2) | ~np.isfinite(places).all(axis=2)] = np.nan
    beside = _beside(reader)
    kept = [at for at, label in enumerate(labels) if label not in beside and not np.isnan(places[:, at]).all()]
    if not kept:
        raise MotionFileError("no point is seen in any frame", path=source.path)
    if len(kept) < len(labels):
        left_out = len(labels) - len(kept)
        notes.append(f"{left_out} of {len(labels)} points are left out: never seen, or angles, forces and their like")
    if analog.shape[1]:
        notes.append(f"{analog.shape[1]} analogue channels are left out")
    joints = tuple(labels[at] for at in kept)
    positions = places[:, kept]
    unit = "".join(_strings(reader, "POINT:UNITS")[:1]) or "an unknown unit"
    return Recording(
        frames=positions.reshape(len(positions), -1),
        rate=required_rate(rate or _said(reader.point_rate), path=source.path, remedy="give a rate"),
        channels=tuple(f"{joint}.{axis}" for joint in joints for axis in "xyz"),
        positions=positions,
        name=source.name,
        joints=joints,
        notes=(f"C3D: positions of {len(joints)} points, in {unit}", *notes),
    )


def _frames(source: SourceFile, reader: Any) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
    """Points ``(T, P, 5)`` and analogue values ``(T, A, S)`` with S samples a frame, and the frames there should be."""
    n_points, n_analog = int(reader.point_used), int(reader.analog_used)
    promised = max(0, int(reader.frame_count))
    samples = int(reader.analog_per_frame) if n_analog else 0
    if n_points + n_analog * samples == 0 or not promised:
        raise MotionFileError("a C3D file without frames", path=source.path)
    # At least two bytes a number: what says more than the file has is not believed.
    if (4 * n_points + n_analog * samples) * 2 > len(source.data):
        raise MotionFileError("a damaged C3D file: a frame is larger than the file", path=source.path)
    points, analog = [], []
    for _, point, sample in reader.read_frames(copy=True):
        points.append(point)
        analog.append(sample)
    if not points:
        raise MotionFileError("a damaged C3D file: it ends before its first frame", path=source.path)
    values = np.array(analog, np.float64).reshape(len(points), n_analog, samples)
    return np.array(points, np.float32), values, promised


def _analogue(
    source: SourceFile, reader: Any, analog: NDArray[np.float64], rate: float | None, notes: list[str]
) -> Recording:
    frames = analog.transpose(0, 2, 1).reshape(-1, analog.shape[1])
    return Recording(
        frames=np.where(np.isfinite(frames), frames, np.nan),
        rate=required_rate(rate or _said(reader.analog_rate), path=source.path, remedy="give a rate"),
        channels=_names(_labels(reader, "ANALOG"), frames.shape[1], "channel"),
        name=source.name,
        notes=("C3D without points: its analogue channels", *notes),
    )


def _said(rate: object) -> float | None:
    value = float(rate) if isinstance(rate, int | float | np.number) else 0.0
    return value if value > 0 else None


def _strings(reader: Any, name: str) -> list[str]:
    parameter = reader.get(name)
    if parameter is None:
        return []
    found = (
        parameter.string_array if parameter.dimensions and len(parameter.dimensions) > 1 else [parameter.string_value]
    )
    return [str(text).replace("\0", " ").strip() for text in np.ravel(np.asarray(found, dtype=object))]


def _labels(reader: Any, group: str) -> list[str]:
    labels = _strings(reader, f"{group}:LABELS")
    for at in range(2, _LABELS):
        more = _strings(reader, f"{group}:LABELS{at}")
        if not more:
            break
        labels += more
    return labels


def _beside(reader: Any) -> set[str]:
    return {label for kind in _NO_PLACES for label in _strings(reader, f"POINT:{kind}") if label}


def _names(labels: Iterable[str], count: int, kind: str) -> tuple[str, ...]:
    """As many unique names."""
    listed = list(labels)[:count]
    listed += [""] * (count - len(listed))
    named = [label or f"{kind}_{at}" for at, label in enumerate(listed)]
    seen = Counter(named)
    taken: set[str] = set()
    unique = []
    for at, name in enumerate(named):
        candidate = name if seen[name] == 1 else f"{name}_{at}"
        while candidate in taken or (candidate != name and candidate in seen):
            candidate += "_"
        taken.add(candidate)
        unique.append(candidate)
    return tuple(unique)
