"""The kernel of the canonical pose for frames in which every joint is seen.

It does what `kineseg.motion.Canonicalizer` does, number for number and in the same order, and goes on from the same
state; so either may take the next frame.
"""

from __future__ import annotations

import math

import numpy as np
from kineseg.motion import Canonicalizer
from kineseg.motion.canonical import LEAST_FLOOR_SHARE, TOE_DOWN, TOE_FORWARD
from numpy.typing import NDArray

from kineseg_core.intake.chunk import LARGEST_VALUE
from kineseg_core.intake.clock import SECOND
from kineseg_core.kernels import kernel

# Places in a plan, see `plan_of`.
_RATE, _SIZE, _FLOOR_SHARE, _TOE_DOWN, _TOE_FORWARD, _LAG, _Z_UP = range(7)
# Places in `CanonicalState.numbers` and columns of its `recent`, as they are there.
_SEEN, _LAST_S, _SIZE_SUM, _SIZED, _LEFT_X, _LEFT_Z, _RECENT = range(7)
_X, _Y, _Z, _OLD_LEFT_X, _OLD_LEFT_Z, _AT = range(6)
_HIPS, _SPINE, _CHEST, _NECK, _HEAD = range(5)
_SHOULDERS, _HIP_JOINTS, _KNEES, _ANKLES, _TOES = (5, 8), (11, 15), (12, 16), (13, 17), (14, 18)
_JOINTS, _HEIGHT, _MOTION = 19, 54, 55


def plan_of(canonicalizer: Canonicalizer) -> NDArray[np.float64]:
    """How poses are made.

    Returns:
        ``(7,)``: frames a second; what lengths are divided by, or 0: the mean over all frames so far; the share of the
        line through the hips of which more must be left on the floor to show the heading; from an ankle to a toe that
        the source has not, down and forward; over how many frame periods speeds are; 1: z is the vertical axis, 0: y.
    """
    return np.array(
        [
            canonicalizer.rate,
            canonicalizer.body_size or 0.0,
            LEAST_FLOOR_SHARE,
            TOE_DOWN,
            TOE_FORWARD,
            canonicalizer.lag,
            canonicalizer.up == "z",
        ]
    )


@kernel(nogil=True)
def pose_bodies(positions, times_ns, found, plan, numbers, body, recent, poses):  # type: ignore[no-untyped-def]
    """Makes the canonical poses of frames.

    Args:
        positions: ``(n, J, 3)`` finite.
        times_ns: ``(n,)`` int64, increasing.
        found: ``(19,)`` for each canonical joint its place in `positions`; -1: it is to be filled in.
        plan: ``(7,)`` see `plan_of`.
        numbers, body, recent: See `kineseg.motion.canonical_state.CanonicalState`, which has no anchors.
        poses: ``(n, 59)`` float32, to be filled.

    Returns:
        Whether all numbers of the poses are known: speeds are not, if hips had not been seen before.
    """
    whole = True
    for row in range(len(positions)):
        step = _periods(plan, numbers, times_ns[row] / SECOND)
        _fill_in(positions, row, found, plan[_Z_UP] > 0.0, body)
        size = _size(plan, numbers, body)
        _face(plan, numbers, body)
        _posture(plan, numbers, size, body, found, poses, row)
        whole &= _motion(plan, numbers, size, step, body, recent, poses, row)
        numbers[_SEEN] += 1
    return whole


@kernel(nogil=True)
def _periods(plan, numbers, time_s):  # type: ignore[no-untyped-def]
    """Frame periods since the frame before: to the nearest frame, as what a clock is off by is no motion."""
    before_s = numbers[_LAST_S] if numbers[_SEEN] else time_s - 1.0 / plan[_RATE]
    numbers[_LAST_S] = time_s
    return np.int64(max(np.rint((time_s - before_s) * plan[_RATE]), 1.0))


@kernel(nogil=True)
def _fill_in(positions, row, found, is_z_up, body):  # type: ignore[no-untyped-def]
    """``(19, 3)`` with y up; toes that the source has not are at the ankles."""
    for joint in range(_JOINTS):
        at = found[joint]
        if at >= 0:
            x, y = np.float64(positions[row, at, 0]), np.float64(positions[row, at, 1])
            z = np.float64(positions[row, at, 2])
            body[joint, 0], body[joint, 1], body[joint, 2] = (y, z, x) if is_z_up else (x, y, z)
    for k in range(3):
        if found[_HIPS] < 0:
            body[_HIPS, k] = (body[_HIP_JOINTS[0], k] + body[_HIP_JOINTS[1], k]) / 2.0
        if found[_NECK] < 0:
            body[_NECK, k] = (body[_SHOULDERS[0], k] + body[_SHOULDERS[1], k]) / 2.0
        if found[_CHEST] < 0:
            body[_CHEST, k] = body[_HIPS, k] + (body[_NECK, k] - body[_HIPS, k]) * (2.0 / 3.0)
        if found[_SPINE] < 0:
            body[_SPINE, k] = (body[_HIPS, k] + body[_CHEST, k]) / 2.0
        if found[_HEAD] < 0:
            body[_HEAD, k] = body[_NECK, k] + (body[_NECK, k] - body[_CHEST, k])
        for side in range(2):
            if found[_TOES[side]] < 0:
                body[_TOES[side], k] = body[_ANKLES[side], k]


@kernel(nogil=True)
def _size(plan, numbers, body):  # type: ignore[no-untyped-def]
    if plan[_SIZE] > 0.0:
        return plan[_SIZE]
    left = _length(body, _HIP_JOINTS[0], _KNEES[0]) + _length(body, _KNEES[0], _ANKLES[0])
    right = _length(body, _HIP_JOINTS[1], _KNEES[1]) + _length(body, _KNEES[1], _ANKLES[1])
    back = _length(body, _HIPS, _CHEST) + _length(body, _CHEST, _NECK) + _length(body, _NECK, _HEAD)
    numbers[_SIZE_SUM] += (left + right) / 2.0 + back
    numbers[_SIZED] += 1
    size = numbers[_SIZE_SUM] / numbers[_SIZED]
    # A body of no size (all joints in one point) has nothing to be divided by.
    return size if size > 0.0 else 1.0


@kernel(nogil=True)
def _length(body, a, b):  # type: ignore[no-untyped-def]
    x, y, z = body[b, 0] - body[a, 0], body[b, 1] - body[a, 1], body[b, 2] - body[a, 2]
    return math.sqrt(x * x + y * y + z * z)


@kernel(nogil=True)
def _face(plan, numbers, body):  # type: ignore[no-untyped-def]
    """Which way the body's left is, if the frame shows it."""
    left, right = _HIP_JOINTS
    x, y, z = body[left, 0] - body[right, 0], body[left, 1] - body[right, 1], body[left, 2] - body[right, 2]
    floor = x * x + z * z
    if floor > plan[_FLOOR_SHARE] ** 2 * (floor + y * y):
        length = math.sqrt(floor)
        numbers[_LEFT_X], numbers[_LEFT_Z] = x / length, z / length


@kernel(nogil=True)
def _posture(plan, numbers, size, body, found, poses, row):  # type: ignore[no-untyped-def]
    """Joints relative to the hips, along left, up and forward, and how high the hips are."""
    lowest = np.inf
    left_x, left_z = numbers[_LEFT_X], numbers[_LEFT_Z]
    hips_x, hips_y, hips_z = body[_HIPS, 0], body[_HIPS, 1], body[_HIPS, 2]
    for joint in range(1, _JOINTS):
        x, z = body[joint, 0] - hips_x, body[joint, 2] - hips_z
        to_left = (x * left_x + z * left_z) / size
        up = (body[joint, 1] - hips_y) / size
        forward = (z * left_x - x * left_z) / size
        if found[joint] < 0 and (joint == _TOES[0] or joint == _TOES[1]):
            up -= plan[_TOE_DOWN]
            forward += plan[_TOE_FORWARD]
        lowest = min(lowest, up)
        at = 3 * joint - 3
        poses[row, at], poses[row, at + 1], poses[row, at + 2] = _cut(to_left), _cut(up), _cut(forward)
    poses[row, _HEIGHT] = _cut(-lowest if lowest < 0.0 else -0.0)


@kernel(nogil=True)
def _motion(plan, numbers, size, step, body, recent, poses, row):  # type: ignore[no-untyped-def]
    """Velocity and yaw rate from the frame `lag` periods back or the one before that, or the first one."""
    left_x, left_z = numbers[_LEFT_X], numbers[_LEFT_Z]
    count = int(numbers[_RECENT])
    now = step + (recent[count - 1, _AT] if count else 0.0)
    at = 0
    while at + 1 < count and recent[at + 1, _AT] <= now - plan[_LAG]:
        at += 1
    x = y = z = 0.0
    periods, sin, cos = 1.0, left_z * left_x - left_x * left_z, left_x * left_x + left_z * left_z
    if count:
        x = body[_HIPS, 0] - recent[at, _X]
        y = body[_HIPS, 1] - recent[at, _Y]
        z = body[_HIPS, 2] - recent[at, _Z]
        periods = max(now - recent[at, _AT], 1.0)
        old_x, old_z = recent[at, _OLD_LEFT_X], recent[at, _OLD_LEFT_Z]
        sin, cos = old_z * left_x - old_x * left_z, old_x * left_x + old_z * left_z
    per_second = plan[_RATE] / periods
    poses[row, _MOTION] = _cut((x * left_x + z * left_z) * per_second / size)
    poses[row, _MOTION + 1] = _cut(y * per_second / size)
    poses[row, _MOTION + 2] = _cut((z * left_x - x * left_z) * per_second / size)
    poses[row, _MOTION + 3] = _cut(math.atan2(sin, cos) * per_second)
    _remember(numbers, body, now, recent)
    return not (math.isnan(x) or math.isnan(y) or math.isnan(z))


@kernel(nogil=True)
def _remember(numbers, body, now, recent):  # type: ignore[no-untyped-def]
    """Puts the frame behind the recent ones, of which the oldest goes when they are full."""
    at = int(numbers[_RECENT])
    if at == len(recent):
        at -= 1
        for old in range(at):
            for k in range(6):
                recent[old, k] = recent[old + 1, k]
    recent[at, _X], recent[at, _Y], recent[at, _Z] = body[_HIPS, 0], body[_HIPS, 1], body[_HIPS, 2]
    recent[at, _OLD_LEFT_X], recent[at, _OLD_LEFT_Z], recent[at, _AT] = numbers[_LEFT_X], numbers[_LEFT_Z], now
    numbers[_RECENT] = at + 1


@kernel(nogil=True)
def _cut(number):  # type: ignore[no-untyped-def]
    """What is too large is cut off; NaN stays."""
    if number > LARGEST_VALUE:
        return np.float32(LARGEST_VALUE)
    if number < -LARGEST_VALUE:
        return np.float32(-LARGEST_VALUE)
    return np.float32(number)
