"""Values of a body's joints: lengths in body heights, places relative to the root, so that size and walking are none.

=======  ====================================================================================================
tele     second difference of a joint's place
jump     median of that over the joints
hfr      least of 0.3 s: movement above 8 Hz over speed
bpr      least of 0.8 s: movement of 3.5 to 8 Hz over smoothed speed, which a tremor keeps up (Deuschl 1998)
bone     deviation of a bone's log length from its baseline, root mean square of 0.1 s
strain   the same of 0.6 s, which shows what is small but does not end
tremble  of the part of the deviation between 3.5 and 8 Hz, 0.8 s
slip     size of the mean deviation of 0.7 s: a marker that moves away slowly
scale    size of the median deviation, 0.1 s
=======  ====================================================================================================
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.signs import DetectorClass
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.bones import BoneBaseline, bones_of, new_baseline, see_bones
from kineseg_core.anomalies.values.extent import BodyExtent, new_extent, see_extent
from kineseg_core.anomalies.values.layout import NONE, Detector, ValueLayout
from kineseg_core.anomalies.values.median import median_of_few
from kineseg_core.anomalies.values.shaking import (
    Shaking,
    ShakingConstants,
    new_shaking,
    see_shaking,
    shaking_constants,
)
from kineseg_core.anomalies.values.shape import (
    LEAST_DEVIATION,
    Shape,
    ShapeConstants,
    measure,
    new_shape,
    see_shape,
    shape_constants,
)
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_SHARE = 0.3
"""Of what is usual among joints and bones, which are alike."""


class _State(NamedTuple):
    """Of J joints and B bones, in the source's units; places, and what is made of them, axis after axis."""

    row: F64
    """``(N,)`` the latest values."""
    least: F64
    """``(N,)`` see `renew`."""
    extent: BodyExtent
    baseline: BoneBaseline
    shaking: Shaking
    shape: Shape

    ring: F32
    """``(2 step + 1, 3 J)`` of the last frames: places relative to the root, less the first one of each joint."""
    known: NDArray[np.bool_]
    """``(J,)``"""
    first: F64
    """``(3, J)`` the first place of each joint."""
    bends: F32
    """``(3 J,)`` squares of the newest frame's second differences; nothing is kept in them."""
    tele: F32
    """``(J,)`` square of the largest second difference since the values before."""
    frames: NDArray[np.int64]
    """``(2,)`` frames, and joints that are known."""


class _Constants(NamedTuple):
    shaking: ShakingConstants
    shape: ShapeConstants
    bones: NDArray[np.int64]
    """``(B, 2)`` joint and parent."""
    root: int
    step: int
    rate: float


@kernel(inlined=True)
def _place(frame, state, constants):  # type: ignore[no-untyped-def]
    """Puts a frame into the ring, and returns its row there."""
    ring, joints, root = state.ring, len(state.known), constants.root
    row, size = state.frames[0] % len(ring), len(ring)
    places = ring[row]
    if state.frames[1] < joints:
        _place_some(frame, state, root, places)
    else:
        for axis in range(3):
            now, first, part = frame[axis], state.first[axis], places[axis * joints : (axis + 1) * joints]
            for joint in range(joints):
                part[joint] = now[joint] - now[root] - first[joint]
            part[root] = now[root] - first[root]
    older, oldest = ring[(row - constants.step) % size], ring[(row - 2 * constants.step) % size]
    bends, tele = state.bends, state.tele
    for k in range(len(bends)):
        bend = (places[k] - older[k]) - (older[k] - oldest[k])
        bends[k] = bend * bend
    for joint in range(joints):
        tele[joint] = max(tele[joint], bends[joint] + bends[joints + joint] + bends[2 * joints + joint])
    state.frames[0] += 1
    return row


@kernel()
def _place_some(frame, state, root, places):  # type: ignore[no-untyped-def]
    """The same while joints are missing; those that are seen for the first time have been there always."""
    joints = len(state.known)
    rooted = not (math.isnan(frame[0, root]) or math.isnan(frame[1, root]) or math.isnan(frame[2, root]))
    state.frames[1] = 0
    for joint in range(joints):
        seen = rooted
        for axis in range(3):
            seen = seen and not math.isnan(frame[axis, joint])
        for axis in range(3):
            place = 0.0
            if seen:
                place = frame[axis, joint] - (frame[axis, root] if joint != root else 0.0)
                if not state.known[joint]:
                    state.first[axis, joint] = place
                place -= state.first[axis, joint]
            places[axis * joints + joint] = place
        state.known[joint] |= seen
        state.frames[1] += state.known[joint]


@kernel(inlined=True)
def _jumps(state, constants, values):  # type: ignore[no-untyped-def]
    """Writes tele of all joints, and jump."""
    tele, joints = state.tele, len(state.known)
    bodies_a_row = constants.rate / state.extent.value[0]
    for joint in range(joints):
        values[joint] = math.sqrt(tele[joint]) * bodies_a_row
        tele[joint] = 0.0
    values[3 * joints] = median_of_few(values[:joints])


@kernel(inlined=True)
def take_body(frame, state, constants):  # type: ignore[no-untyped-def]
    """Takes a frame; where a row of values is due it is written.

    Args:
        frame: ``(3, J)`` with the last known places where joints are lost, NaN where there are none.
        state, constants: Of `BodyValues`.

    Returns:
        Whether there is a new row of values.
    """
    row = _place(frame, state, constants)
    if (state.frames[0] - 1) % constants.step:
        return False
    values, joints, extent = state.row, len(state.known), state.extent.value[0]
    measure(frame, constants.bones, extent, state.baseline.value, state.shape)
    _jumps(state, constants, values)
    see_shaking(
        state.ring[row],
        extent,
        state.shaking,
        constants.shaking,
        values[joints : 2 * joints],
        values[2 * joints : 3 * joints],
    )
    see_shape(state.baseline.value, state.shape, constants.shape, values[3 * joints + 1 :])
    see_extent(state.extent, frame, constants.rate)
    see_bones(state.baseline, state.shape.lengths, constants.rate)
    return True


class BodyValues:
    """Values of one stream's joints.

    Args:
        source: A body.
        step: Source frames to a row of values.

    Attributes:
        layout: Of the row.
        state: What `take_body` works on.
        constants: The same.
    """

    def __init__(self, source: WatchedSource, step: int) -> None:
        assert source.parents is not None
        joints = len(source.names)
        rate = source.rate_hz / step
        self._bones = bones_of(source)
        self.layout = _layout(source, self._bones)
        self.constants = _Constants(
            shaking=shaking_constants(rate),
            shape=shape_constants(rate),
            bones=np.array(self._bones, np.int64).reshape(-1, 2),
            root=source.root,
            step=step,
            rate=rate,
        )
        self.state = _State(
            row=np.zeros(len(self.layout)),
            least=np.zeros(len(self.layout)),
            extent=new_extent(),
            baseline=new_baseline(len(self._bones)),
            shaking=new_shaking(joints, rate),
            shape=new_shape(len(self._bones)),
            ring=np.zeros((2 * step + 1, 3 * joints), np.float32),
            known=np.zeros(joints, bool),
            first=np.zeros((3, joints)),
            bends=np.zeros(3 * joints, np.float32),
            tele=np.zeros(joints, np.float32),
            frames=np.zeros(2, np.int64),
        )

    @property
    def extent(self) -> float:
        """How large the body is."""
        return float(self.state.extent.value[0])

    @property
    def baseline(self) -> F64:
        """``(B,)`` usual log lengths of the bones; NaN: unknown."""
        return self.state.baseline.value

    @property
    def deviations(self) -> F64:
        """``(B,)`` of the bones' log lengths from their baseline; NaN: unknown."""
        return self.state.shape.deviations

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Joint and parent of each bone."""
        return self._bones

    @property
    def common_deviation(self) -> float:
        """Median of the deviations."""
        return float(self.state.shape.common[0])

    @property
    def moved(self) -> float:
        """Body heights that half of the joints are from where they would be if they had gone on."""
        return float(self.state.row[3 * len(self.state.known)]) / self.constants.rate

    def last_places(self) -> F64:
        """``(3, J, 3)`` of the last three rows, relative to the root, body heights."""
        newest = self.state.frames[0] - 1
        rows = (newest - self.constants.step * np.array([2, 1, 0])) % len(self.state.ring)
        places = self.state.ring[rows].reshape(3, 3, -1) + self.state.first
        return np.asarray(places.swapaxes(1, 2) / self.extent)


@lru_cache(maxsize=64)  # streams of the same kind share it
def _layout(source: WatchedSource, bones: tuple[tuple[int, int], ...]) -> ValueLayout:
    parents = source.parents or ()
    joints = tuple(range(len(source.names)))
    none = (NONE,) * len(joints)
    rivals = tuple(parents)  # the root has none

    def of_joints(name: str, of: DetectorClass, floor: float, weight: float) -> Detector:
        return Detector(name, of, joints, none, rivals, floor, weight, _SHARE)

    detectors = [
        of_joints("tele", DetectorClass.JUMP, 0.02, 0.125),
        of_joints("hfr", DetectorClass.SHAKE, 2e-3, 0.125),
        of_joints("bpr", DetectorClass.SHAKE, 1e-2, 0.125),
        Detector("jump", DetectorClass.JUMP, (NONE,), (NONE,), (NONE,), 0.02, 0.125, _SHARE),
    ]
    if bones:
        units, others = zip(*bones, strict=True)
        rivals = (NONE,) * len(bones)
        of, names = DetectorClass.SHAPE, ("bone", "strain", "tremble", "slip")
        detectors += [Detector(name, of, units, others, rivals, LEAST_DEVIATION, 0.08, _SHARE) for name in names]
    detectors.append(Detector("scale", DetectorClass.SHAPE, (NONE,), (NONE,), (NONE,), LEAST_DEVIATION, 0.1, _SHARE))
    return ValueLayout(tuple(detectors))
