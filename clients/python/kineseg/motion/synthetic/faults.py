"""Puts made-up sensor faults into a recording, to see how a detector takes them. The result says it is synthetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from reprlib import repr as short

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.annotation import Annotation
from kineseg.motion.arguments import check_number, check_whole
from kineseg.motion.errors import RecordingError
from kineseg.motion.joint_mapping import split_joint_name
from kineseg.motion.recording import Fault, Recording

Array = NDArray[np.float64]
_LONGEST_S = 1e9
_JITTER_SHARE = 0.04  # of the body's extent


def inject(recording: Recording, fault: str, start_s: float, duration_s: float = 1.0, seed: int = 0) -> Recording:
    """A copy of a recording with one fault, which is added to its ``faults``.

    Args:
        recording: With joint positions, except for ``gap``, which needs none.
        fault: ``gap``: frames are missing, and the timestamps say so; ``frozen``: a limb's last joint stays where it
            was in the world; ``jitter``: three joints shake; ``swapped``: an arm or leg is taken for the other one.
        start_s: Seconds from the first frame.
        duration_s: Seconds.
        seed: Chooses the joints and the shaking.

    Returns:
        A recording marked synthetic. Faults of joints change positions, and its channels are then the positions.

    Raises:
        RecordingError: No such fault, no positions to put it in, or a time outside the recording.
    """
    if not isinstance(fault, str) or fault not in FAULTS:
        raise RecordingError(f"unknown fault {short(fault)}; there are: {', '.join(FAULTS)}", field="fault")
    check_number("start_s", start_s, -_LONGEST_S, _LONGEST_S, "seconds")
    check_number("duration_s", duration_s, 0.0, _LONGEST_S, "seconds")
    check_whole("seed", seed, 0)
    times = recording.times() - recording.times()[0]
    start, stop = (int(i) for i in np.searchsorted(times, (start_s - 1e-9, start_s + duration_s - 1e-9)))
    if not start < stop:
        raise RecordingError(
            f"no frames in {duration_s} s from {start_s} s; the recording lasts {recording.duration_s:.3f} s",
            field="start_s",
        )
    named = replace(recording, name=f"{recording.name}+synthetic-{fault}", synthetic=True)
    if fault == "gap":
        return _gap(named, start, stop)
    if recording.positions is None:
        raise RecordingError(f"{recording.name!r} has no joint positions to put {fault!r} in", field="positions")
    positions = np.array(recording.positions)
    joints = _JOINT_FAULTS[fault](positions, recording.joints, start, stop, np.random.default_rng(seed))
    return replace(
        named,
        frames=positions.reshape(len(positions), -1),
        channels=tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz"),
        positions=positions,
        faults=(*recording.faults, Fault(fault, start, stop, joints=joints)),
    )


def _gap(recording: Recording, start: int, stop: int) -> Recording:
    if start == 0 or stop >= recording.n_frames:
        raise RecordingError("a gap needs frames before and after it", field="start_s")
    kept = np.r_[0:start, stop : recording.n_frames]
    missing = stop - start

    def moved(frame: int) -> int:
        return frame if frame <= start else max(start, frame - missing)

    faults = tuple(replace(f, start=moved(f.start), stop=moved(f.stop)) for f in recording.faults)
    return replace(
        recording,
        frames=recording.frames[kept],
        timestamps=recording.times()[kept],
        positions=None if recording.positions is None else recording.positions[kept],
        truth=None if recording.truth is None else _without(recording.truth, start, stop, recording.n_frames),
        faults=(*faults, Fault("gap", start, start, missing=missing)),
    )


def _without(truth: Annotation, start: int, stop: int, n_frames: int) -> Annotation:
    """The truth with the frames of the gap taken out; segments wholly inside it vanish."""
    missing = stop - start
    ends = (*truth.boundaries[1:], n_frames)
    kept = [i for i, (a, b) in enumerate(zip(truth.boundaries, ends, strict=True)) if a < start or b > stop]

    def moved(frame: int) -> int:
        return frame if frame <= start else max(start, frame - missing)

    return Annotation(
        boundaries=tuple(moved(truth.boundaries[i]) for i in kept),
        labels=tuple(truth.labels[i] for i in kept),
        names=tuple(truth.names[i] for i in kept),
        tolerance=tuple((moved(truth.tolerance[i][0]), moved(truth.tolerance[i][1])) for i in kept if truth.tolerance),
    )


def _freeze(
    positions: Array, joints: tuple[str, ...], start: int, stop: int, rng: np.random.Generator
) -> tuple[str, ...]:
    index = int(rng.choice(_ends_of_limbs(joints)))
    positions[start:stop, index] = positions[start, index]
    return (joints[index],)


def _shake(
    positions: Array, joints: tuple[str, ...], start: int, stop: int, rng: np.random.Generator
) -> tuple[str, ...]:
    chosen = sorted(int(i) for i in rng.choice(len(joints), size=min(3, len(joints)), replace=False))
    extent = float(np.median(np.ptp(positions, axis=1).max(axis=1)))
    positions[start:stop, chosen] += _JITTER_SHARE * extent * rng.standard_normal((stop - start, len(chosen), 3))
    return tuple(joints[i] for i in chosen)


def _swap(
    positions: Array, joints: tuple[str, ...], start: int, stop: int, rng: np.random.Generator
) -> tuple[str, ...]:
    limbs = [limb for words in _LIMBS if (limb := _pairs(joints, words))]
    if not limbs:
        raise RecordingError(f"no left and right arms or legs to swap among: {', '.join(joints)}", field="joints")
    pairs = limbs[int(rng.integers(len(limbs)))]
    for left, right in pairs:
        positions[start:stop, [left, right]] = positions[start:stop, [right, left]]
    return tuple(joints[i] for pair in pairs for i in pair)


_LIMBS = (
    ("elbow", "wrist", "forearm", "lowerarm", "hand"),
    ("knee", "leg", "lowerleg", "ankle", "foot", "toe", "toebase", "toes"),
)
_JOINT_FAULTS: dict[str, Callable[[Array, tuple[str, ...], int, int, np.random.Generator], tuple[str, ...]]] = {
    "frozen": _freeze,
    "jitter": _shake,
    "swapped": _swap,
}
FAULTS: tuple[str, ...] = ("gap", *_JOINT_FAULTS)


def _ends_of_limbs(joints: tuple[str, ...]) -> list[int]:
    ends = [i for i, name in enumerate(joints) if split_joint_name(name)[1] in ("wrist", "hand", "ankle", "foot")]
    return ends or list(range(len(joints)))


def _pairs(joints: tuple[str, ...], words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Left and right joints of the same name, for those names that are among the words."""
    at = {split_joint_name(name): i for i, name in enumerate(joints)}
    return [(at["left", word], at["right", word]) for word in words if ("left", word) in at and ("right", word) in at]
