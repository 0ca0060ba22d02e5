"""What goes wrong with the joints of a body, put into their positions in the world, in the source's units."""

from __future__ import annotations

import numpy as np
from kineseg.motion.joint_mapping import split_joint_name
from numpy.typing import NDArray

from kineseg_training.data.faults.source import Change, loop, stall

Array = NDArray[np.float64]

_SPIKE = 0.3  # of the body's extent
_DRIFT, _SLIP = 0.3, 0.08
_TREMOR, _TREMOR_HZ = 0.06, 6.0
_GROWING_TREMOR, _GROWING_TREMOR_HZ = 0.02, 4.5
_LATE_S = 0.3
_SHRUNK = 0.8
_UNIT = 1e-3  # metres where millimetres were agreed


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


def _change_unit(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    positions[rows] *= _UNIT
    return joints


def _flip_axis(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    # Upright bodies vary least in the two horizontal axes, whichever of y and z is up.
    extents = np.nanmedian(np.ptp(positions, axis=1), axis=0)
    horizontal = np.argsort(extents)[:2]
    positions[rows, :, int(rng.choice(horizontal))] *= -1.0
    return joints


def _delay(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    joint = _limb_end(joints, rng)
    _make_late(positions, [joint], rows, rate)
    return (joints[joint],)


def _delay_limb(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    limb = _limb(joints, rng)
    _make_late(positions, limb, rows, rate)
    return tuple(joints[joint] for joint in limb)


def _make_late(positions: Array, late: list[int], rows: slice, rate: float) -> None:
    from_rows = np.maximum(np.arange(rows.start, rows.stop) - round(_LATE_S * rate), 0)
    # A late place is late with respect to the body, which has moved on.
    root = positions[:, :1]
    moved_on = root[rows] - root[from_rows]
    positions[rows, late] = positions[from_rows[:, None], late] + moved_on


def _shrink(
    positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    root = positions[rows, :1]
    positions[rows] = root + _SHRUNK * (positions[rows] - root)
    return joints


def _growing_offset(share: float) -> Change:
    def change(
        positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
    ) -> tuple[str, ...]:
        joint = _limb_end(joints, rng)
        growing = np.linspace(0.0, 1.0, rows.stop - rows.start)[:, None]
        positions[rows, joint] += share * _extent(positions) * growing * _direction(rng)
        return (joints[joint],)

    return change


def _growing_wave(share: float, frequency_hz: float) -> Change:
    def change(
        positions: Array, joints: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
    ) -> tuple[str, ...]:
        joint = _limb_end(joints, rng)
        at = np.arange(rows.stop - rows.start)
        wave = np.sin(2 * np.pi * frequency_hz * at / rate) * at / len(at)
        positions[rows, joint] += share * _extent(positions) * wave[:, None] * _direction(rng)
        return (joints[joint],)

    return change


BODY_CHANGES: dict[str, Change] = {
    "occluded": _occlude,
    "stalled": stall,
    "looped": loop,
    "unit": _change_unit,
    "spike": _spike,
    "axis_flip": _flip_axis,
    "rescaled": _shrink,
    "late": _delay,
    "limb_late": _delay_limb,
    "drift": _growing_offset(_DRIFT),
    "slip": _growing_offset(_SLIP),
    "tremor": _growing_wave(_TREMOR, _TREMOR_HZ),
    "growing_tremor": _growing_wave(_GROWING_TREMOR, _GROWING_TREMOR_HZ),
}
"""Those that are not made by `kineseg.motion.inject`."""

_ENDS = ("wrist", "hand", "ankle", "foot")
_ARM = ("elbow", "forearm", "lowerarm", "wrist", "hand", "finger", "thumb")
_LEG = ("knee", "leg", "lowerleg", "ankle", "foot", "toe")


def _limb_end(joints: tuple[str, ...], rng: np.random.Generator) -> int:
    """A hand or foot."""
    ends = [at for at, name in enumerate(joints) if split_joint_name(name)[1] in _ENDS]
    return int(rng.choice(ends or len(joints)))


def _limb(joints: tuple[str, ...], rng: np.random.Generator) -> list[int]:
    """An arm from the elbow or a leg from the knee, to its end; one joint where there are no such names."""
    split = [split_joint_name(name) for name in joints]
    limbs = [
        [at for at, (found, word) in enumerate(split) if found == side and word.startswith(words)]
        for side in ("left", "right")
        for words in (_ARM, _LEG)
    ]
    there = [limb for limb in limbs if limb]
    return there[int(rng.integers(len(there)))] if there else [_limb_end(joints, rng)]


def _extent(positions: Array) -> float:
    """How large the body usually is, in the source's units."""
    return float(np.nanmedian(np.ptp(positions, axis=1).max(axis=1)))


def _direction(rng: np.random.Generator) -> Array:
    """``(3,)``, of length 1."""
    vector = rng.standard_normal(3)
    return np.asarray(vector / np.linalg.norm(vector))
