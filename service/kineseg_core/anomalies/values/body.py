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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.signs import DetectorClass
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.bones import BoneBaseline, bones_of, new_baseline, see_bones
from kineseg_core.anomalies.values.extent import BodyExtent, new_extent, see_extent
from kineseg_core.anomalies.values.filters import band_pass, high_pass, smoothing
from kineseg_core.anomalies.values.layout import NONE, Detector, ValueLayout
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_MEANS_S = (0.15, 0.5, 0.3, 0.1, 0.7, 0.1, 0.6, 0.8, 0.7)
"""Of shake, speed, tremble, smooth, slow, and of bones: bone, strain, tremble and slip."""
_SHAKE_HELD_S, _TREMBLE_HELD_S = 0.3, 0.8
_SHAKE_SPEED, _TREMBLE_SPEED = 0.15, 0.1
"""Body heights a second below which a joint counts as still."""
_SHORTEST_BONE = 0.015
"""Body heights; the logarithm of anything that is usually shorter says nothing."""
_ZERO = 1e-24
_MOST_AT_ONCE = 5.0
_SHARE = 0.3
"""Of what is usual among joints and bones, which are alike."""
_LEAST_DEVIATION = 0.0015


class _State(NamedTuple):
    """Of J joints and B bones, in the source's units."""

    row: F64
    """``(N,)`` the latest values."""
    least: F64
    """``(N,)`` see `renew`."""
    extent: BodyExtent
    baseline: BoneBaseline

    ring: F32
    """``(2 step + 1, J, 3)`` of the last frames: places relative to the root, less the first one of each joint."""
    known: NDArray[np.bool_]
    """``(J,)``"""
    last: F32
    """``(J, 3)`` of the last frame that was looked at."""
    high: F32
    """``(J, 3, 2)`` state of the high-pass filter."""
    band: F32
    """``(J, 3, 2)`` state of the band-pass filter."""
    first: F64
    """``(J, 3)`` the first place of each joint."""
    smooth: F32
    """``(J, 3)`` smoothed step."""
    powers: F32
    """``(4, J)`` mean squares: above 8 Hz, step, band, smoothed step."""
    shake_held: F32
    """``(J, n)`` the last ratios."""
    tremble_held: F32
    """``(J, m)``"""
    bone_means: F32
    """``(4, B)`` mean square deviations of 0.1 and 0.6 s, of their band of tremors, and mean deviation."""
    bone_band: F32
    """``(B, 2)`` state of the band-pass filter."""
    lengths: F32
    """``(B,)`` log lengths."""
    deviations: F64
    """``(B,)`` of these from their baseline; NaN: unknown."""
    common: F64
    """``(2,)`` median deviation, and smoothed."""
    tele: F32
    """``(J,)`` largest second difference since the values before."""
    frames: NDArray[np.int64]
    """``(2,)`` frames, frames looked at."""


class _Constants(NamedTuple):
    high: F64
    band: F64
    weights: F64
    """Of the newest value in each of the means of `_MEANS_S`."""
    bones: NDArray[np.int64]
    """``(B, 2)`` joint and parent."""
    root: int
    step: int
    rate: float


@kernel(inlined=True)
def _filtered(x, c, z):  # type: ignore[no-untyped-def]
    y = c[0] * x + z[0]
    z[0] = c[1] * x - c[3] * y + z[1]
    z[1] = c[2] * x - c[4] * y
    return y


@kernel(inlined=True)
def _place(frame, state, constants):  # type: ignore[no-untyped-def]
    """Puts a frame into the ring; joints that are seen for the first time have been there always."""
    ring = state.ring
    row, size, root = state.frames[0] % len(ring), len(ring), constants.root
    older, oldest = (row - constants.step) % size, (row - 2 * constants.step) % size
    rooted = not (math.isnan(frame[root, 0]) or math.isnan(frame[root, 1]) or math.isnan(frame[root, 2]))
    for joint in range(frame.shape[0]):
        seen = rooted
        for axis in range(3):
            seen = seen and not math.isnan(frame[joint, axis])
        for axis in range(3):
            place = 0.0
            if seen:
                place = frame[joint, axis] - (frame[root, axis] if joint != root else 0.0)
                if not state.known[joint]:
                    state.first[joint, axis] = place
                place -= state.first[joint, axis]
            ring[row, joint, axis] = place
        if seen:
            state.known[joint] = True
        square = 0.0
        for axis in range(3):
            square += (ring[row, joint, axis] - 2.0 * ring[older, joint, axis] + ring[oldest, joint, axis]) ** 2
        state.tele[joint] = max(state.tele[joint], math.sqrt(square))
    state.frames[0] += 1
    return row


@kernel(inlined=True)
def _shaking(row, extent, state, constants, values):  # type: ignore[no-untyped-def]
    """Writes tele, hfr and bpr of all joints, and jump."""
    joints = state.ring.shape[1]
    shake, speed, tremble, smooth, slow = constants.weights[:5]
    powers = state.powers
    at_shake = state.frames[1] % state.shake_held.shape[1]
    at_tremble = state.frames[1] % state.tremble_held.shape[1]
    for joint in range(joints):
        high, step, band, even = 0.0, 0.0, 0.0, 0.0
        for axis in range(3):
            place = state.ring[row, joint, axis]
            moved = place - state.last[joint, axis]
            state.last[joint, axis] = place
            high += _filtered(place, constants.high, state.high[joint, axis]) ** 2
            band += _filtered(place, constants.band, state.band[joint, axis]) ** 2
            state.smooth[joint, axis] += smooth * (moved - state.smooth[joint, axis])
            step += moved * moved
            even += state.smooth[joint, axis] ** 2
        powers[0, joint] += shake * (high - powers[0, joint])
        powers[1, joint] += speed * (step - powers[1, joint])
        powers[2, joint] += tremble * (band - powers[2, joint])
        powers[3, joint] += slow * (even - powers[3, joint])
        still = extent / constants.rate
        state.shake_held[joint, at_shake] = math.sqrt(powers[0, joint]) / (
            constants.rate * (math.sqrt(powers[1, joint]) + _SHAKE_SPEED * still)
        )
        state.tremble_held[joint, at_tremble] = math.sqrt(powers[2, joint]) / (
            constants.rate * (math.sqrt(powers[3, joint]) + _TREMBLE_SPEED * still)
        )
        values[joint] = state.tele[joint] * constants.rate / extent
        state.tele[joint] = 0.0
        values[joints + joint] = state.shake_held[joint].min()
        values[2 * joints + joint] = state.tremble_held[joint].min()
    values[3 * joints] = np.median(values[:joints])


@kernel(inlined=True)
def _measure(frame, extent, baseline, state, constants):  # type: ignore[no-untyped-def]
    """Log lengths of the bones whose ends are known and usually not in one place."""
    for b in range(len(constants.bones)):
        joint, parent = constants.bones[b]
        square = 0.0
        for axis in range(3):
            square += (frame[joint, axis] - frame[parent, axis]) ** 2
        if math.isnan(baseline[b]) and square < (_SHORTEST_BONE * extent) ** 2:
            square = math.nan
        state.lengths[b] = 0.5 * math.log(square + _ZERO)


@kernel(inlined=True)
def _shape(baseline, state, constants, values):  # type: ignore[no-untyped-def]
    """Writes bone, strain, tremble, slip and scale."""
    weight, long, tremble, slow = constants.weights[5:]
    means = state.bone_means
    known, bones = 0, len(constants.bones)
    for b in range(bones):
        deviation = state.lengths[b] - baseline[b]
        state.deviations[b] = deviation
        if math.isnan(deviation):
            continue
        known += 1
        means[0, b] += weight * (deviation**2 - means[0, b])
        means[1, b] += long * (deviation**2 - means[1, b])
        trembling = _filtered(deviation, constants.band, state.bone_band[b])
        # A jump is no tremor: one value can only add so much.
        square = min(trembling**2, _MOST_AT_ONCE * (means[2, b] + _LEAST_DEVIATION**2))
        means[2, b] += tremble * (square - means[2, b])
        means[3, b] += slow * (deviation - means[3, b])
        values[b] = math.sqrt(means[0, b])
        values[bones + b] = math.sqrt(means[1, b])
        values[2 * bones + b] = math.sqrt(means[2, b])
        values[3 * bones + b] = abs(means[3, b])
    state.common[0] = np.nanmedian(state.deviations) if known else 0.0
    state.common[1] += weight * (state.common[0] - state.common[1])
    values[4 * bones] = abs(state.common[1])


@kernel(inlined=True)
def take_body(frame, state, constants):  # type: ignore[no-untyped-def]
    """Takes a frame; where a row of values is due it is written.

    Args:
        frame: ``(J, 3)`` with the last known places where joints are lost, NaN where there are none.
        state, constants: Of `BodyValues`.

    Returns:
        Whether there is a new row of values.
    """
    row = _place(frame, state, constants)
    if (state.frames[0] - 1) % constants.step:
        return False
    extent, baseline = state.extent.value[0], state.baseline.value
    _measure(frame, extent, baseline, state, constants)
    _shaking(row, extent, state, constants, state.row)
    _shape(baseline, state, constants, state.row[3 * len(state.known) + 1 :])
    state.frames[1] += 1
    see_extent(state.extent, frame, constants.rate)
    see_bones(state.baseline, state.lengths, constants.rate)
    return True


class BodyValues:
    """Values of one stream's joints. Picklable.

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
            high=high_pass(8.0, rate),
            band=band_pass(3.5, 8.0, rate),
            weights=np.array([smoothing(seconds, rate) for seconds in _MEANS_S]),
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
            ring=np.zeros((2 * step + 1, joints, 3), np.float32),
            known=np.zeros(joints, bool),
            last=np.zeros((joints, 3), np.float32),
            high=np.zeros((joints, 3, 2), np.float32),
            band=np.zeros((joints, 3, 2), np.float32),
            first=np.zeros((joints, 3)),
            smooth=np.zeros((joints, 3), np.float32),
            powers=np.zeros((4, joints), np.float32),
            shake_held=np.zeros((joints, max(1, round(_SHAKE_HELD_S * rate))), np.float32),
            tremble_held=np.zeros((joints, max(1, round(_TREMBLE_HELD_S * rate))), np.float32),
            bone_means=np.zeros((4, len(self._bones)), np.float32),
            bone_band=np.zeros((len(self._bones), 2), np.float32),
            lengths=np.zeros(len(self._bones), np.float32),
            deviations=np.full(len(self._bones), np.nan),
            common=np.zeros(2),
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
        return self.state.deviations

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Joint and parent of each bone."""
        return self._bones

    @property
    def common_deviation(self) -> float:
        """Median of the deviations."""
        return float(self.state.common[0])

    @property
    def moved(self) -> float:
        """Body heights that half of the joints are from where they would be if they had gone on."""
        return float(self.state.row[3 * len(self.state.known)]) / self.constants.rate

    def last_places(self) -> F64:
        """``(3, J, 3)`` of the last three rows, relative to the root, body heights."""
        newest = self.state.frames[0] - 1
        rows = (newest - self.constants.step * np.array([2, 1, 0])) % len(self.state.ring)
        return np.asarray((self.state.ring[rows] + self.state.first) / self.extent)


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
        detectors += [Detector(name, of, units, others, rivals, _LEAST_DEVIATION, 0.08, _SHARE) for name in names]
    detectors.append(Detector("scale", DetectorClass.SHAPE, (NONE,), (NONE,), (NONE,), _LEAST_DEVIATION, 0.1, _SHARE))
    return ValueLayout(tuple(detectors))
