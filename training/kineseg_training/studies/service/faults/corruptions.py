"""What goes wrong in capture, put into a recording on purpose: the generator's faults, and what real systems do.

All work on joint positions, in the world and in the source's units, and say in ``Recording.faults`` where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from kineseg.motion import Fault, Recording, inject
from kineseg.motion.joint_mapping import split_joint_name
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError

Array = NDArray[np.float64]
Change = Callable[[Array, tuple[str, ...], slice, float, np.random.Generator], tuple[str, ...]]

_SPIKE = 0.3  # of the body's extent
_DRIFT = 0.3
_TREMOR, _TREMOR_HZ = 0.06, 6.0
_LATE_S = 0.3
_SHRUNK = 0.8


@dataclass(frozen=True)
class Corruption:
    """A kind of fault.

    Attributes:
        name: In tables.
        duration_s: From its first to its last frame.
        grows: Whether it grows from nothing to its full size at the end: a failure that could be warned of.
        what: In words.
    """

    name: str
    duration_s: float
    grows: bool
    what: str


CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("gap", 0.4, False, "frames are missing"),
    Corruption("frozen", 1.0, False, "the end of a limb stays where it was"),
    Corruption("jitter", 1.0, False, "three joints shake"),
    Corruption("swapped", 1.0, False, "an arm or leg is taken for the other one"),
    Corruption("occluded", 1.0, False, "the end of a limb is not seen (no values)"),
    Corruption("spike", 0.05, False, "the end of a limb jumps away for a twentieth of a second"),
    Corruption("stalled", 1.0, False, "the same pose comes again and again"),
    Corruption("late", 2.0, False, "the end of a limb arrives 0.3 s late"),
    Corruption("rescaled", 2.0, False, "the body shrinks by a fifth"),
    Corruption("drift", 6.0, True, "the end of a limb slips away, by a third of the body's height in the end"),
    Corruption("tremor", 6.0, True, "the end of a limb trembles at 6 Hz, ever more"),
)


def corrupted(recording: Recording, kind: str, start_s: float, seed: int) -> Recording:
    """A copy of a recording with one fault more, noted in its ``faults``.

    Args:
        recording: With joint positions.
        kind: Name of one of `CORRUPTIONS`.
        start_s: Seconds from the first frame.
        seed: Chooses the joint.

    Raises:
        SettingsError: No such kind.
        DataError: No positions, or the fault would not lie within the recording.
    """
    known = {corruption.name: corruption for corruption in CORRUPTIONS}
    if kind not in known:
        raise SettingsError(f"kind: there is no fault {kind!r}; there are {', '.join(known)}")
    if recording.positions is None:
        raise DataError(f"{recording.name}: has no joint positions to put faults in")
    duration_s = known[kind].duration_s
    if start_s < 0 or start_s + duration_s > recording.duration_s:
        raise DataError(
            f"{recording.name}: lasts {recording.duration_s:.1f} s; a fault of {duration_s} s at {start_s:.1f} s does "
            "not fit"
        )
    if kind not in _CHANGES:
        return inject(recording, kind, start_s, duration_s, seed)
    times = recording.times() - recording.times()[0]
    first, last = np.searchsorted(times, (start_s - 1e-9, start_s + duration_s - 1e-9))
    rows = slice(int(first), max(int(first) + 1, int(last)))
    positions = np.array(recording.positions)
    joints = _CHANGES[kind](positions, recording.joints, rows, recording.rate, np.random.default_rng(seed))
    return replace(
        recording,
        name=f"{recording.name}+synthetic-{kind}",
        synthetic=True,
        frames=positions.reshape(len(positions), -1),
        channels=tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz"),
        positions=positions,
        faults=(*recording.faults, Fault(kind, rows.start, rows.stop, joints=joints)),
    )


def _occlude(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    joint = _limb_end(joints, rng)
    positions[rows, joint] = np.nan
    return (joints[joint],)


def _spike(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    joint = _limb_end(joints, rng)
    positions[rows, joint] += _SPIKE * _extent(positions) * _direction(rng)
    return (joints[joint],)


def _stall(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    positions[rows] = positions[rows.start]
    return joints


def _delay(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    joint = _limb_end(joints, rng)
    back = round(_LATE_S * rate)
    from_rows = np.maximum(np.arange(rows.start, rows.stop) - back, 0)
    # A late place is late with respect to the body, which has moved on.
    root = positions[:, 0]
    positions[rows, joint] = positions[from_rows, joint] - root[from_rows] + root[rows]
    return (joints[joint],)


def _shrink(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    root = positions[rows, :1]
    positions[rows] = root + _SHRUNK * (positions[rows] - root)
    return joints


def _drift(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    joint = _limb_end(joints, rng)
    growing = np.linspace(0.0, 1.0, rows.stop - rows.start)[:, None]
    positions[rows, joint] += _DRIFT * _extent(positions) * growing * _direction(rng)
    return (joints[joint],)


def _tremble(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    joint = _limb_end(joints, rng)
    at = np.arange(rows.stop - rows.start)
    wave = np.sin(2 * np.pi * _TREMOR_HZ * at / rate) * at / len(at)
    positions[rows, joint] += _TREMOR * _extent(positions) * wave[:, None] * _direction(rng)
    return (joints[joint],)


_CHANGES: dict[str, Change] = {
    "occluded": _occlude,
    "spike": _spike,
    "stalled": _stall,
    "late": _delay,
    "rescaled": _shrink,
    "drift": _drift,
    "tremor": _tremble,
}
_ENDS = ("wrist", "hand", "ankle", "foot")


def _limb_end(joints: tuple[str, ...], rng: np.random.Generator) -> int:
    """A hand or foot."""
    ends = [at for at, name in enumerate(joints) if split_joint_name(name)[1] in _ENDS]
    return int(rng.choice(ends or len(joints)))


def _extent(positions: Array) -> float:
    """How large the body usually is, in the source's units."""
    return float(np.nanmedian(np.ptp(positions, axis=1).max(axis=1)))


def _direction(rng: np.random.Generator) -> Array:
    """``(3,)``, of length 1."""
    vector = rng.standard_normal(3)
    return np.asarray(vector / np.linalg.norm(vector))
