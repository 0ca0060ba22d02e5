"""The kernel of the canonical pose for frames in which every joint is seen.

It does what `kineseg.motion.Canonicalizer` does, number for number and in the same order, and goes on from the same
state; so either may take the next frame.
"""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.intake.chunk import LARGEST_VALUE
from kineseg_core.intake.clock import SECOND
from kineseg_core.kernels import kernel

BODY = np.dtype(
    [
        ("rate", np.float64),
        ("size", np.float64),
        ("least_floor_share", np.float64),
        ("toe_down", np.float64),
        ("toe_forward", np.float64),
        ("lag", np.int64),
        ("is_z_up", np.bool_),
    ],
    align=True,
)
"""What a pose is made by, as a record.

- rate: Frames a second.
- size: What lengths are divided by; 0: the mean over all frames so far.
- least_floor_share: The line through the hips shows the heading where so much of it is left on the floor.
- toe_down, toe_forward: From an ankle to a toe that the source has not, in sizes.
- lag: Speeds are over so many frame periods.
- is_z_up: The vertical axis of what comes is z; else y.
"""

_HIPS, _SPINE, _CHEST, _NECK, _HEAD = range(5)
_SHOULDERS, _HIP_JOINTS, _KNEES, _ANKLES, _TOES = (5, 8), (11, 15), (12, 16), (13, 17), (14, 18)
_JOINTS, _HEIGHT, _MOTION = 19, 54, 55
_X, _Y, _Z, _LEFT_X, _LEFT_Z, _AT = range(6)


@kernel(nogil=True)
def pose_bodies(positions, times_ns, found, plan, numbers, body, recent, poses):  # type: ignore[no-untyped-def]
    """Makes the canonical poses of frames.

    Args:
        positions: ``(n, J, 3)`` finite.
        times_ns: ``(n,)`` int64, increasing.
        found: ``(19,)`` for each canonical joint its place in `positions`; -1: it is to be filled in.
        plan: ``(1,)`` `BODY`.
        numbers, body, recent: See `kineseg.motion.canonical_state.CanonicalState`, which has no anchors.
        poses: ``(n, 59)`` float32, to be filled.

    Returns:
        Whether all numbers of the poses are known: speeds are not, if hips had not been seen before.
    """
    p, s = plan[0], numbers[0]
    whole = True
    for i in range(len(positions)):
        step = _periods(p, s, times_ns[i] / SECOND)
        _fill_in(positions[i], found, p.is_z_up, body)
        size = _size(p, s, body)
        _face(p, s, body)
        _posture(p, s, size, body, found, poses[i])
        whole &= _motion(p, s, size, step, body, recent, poses[i])
        s.seen += 1
    return whole


@kernel(nogil=True)
def _periods(p, s, time_s):  # type: ignore[no-untyped-def]
    """Frame periods since the frame before: to the nearest frame, as what a clock is off by is no motion."""
    before_s = s.last_s if s.seen else time_s - 1.0 / p.rate
    s.last_s = time_s
    return np.int64(max(np.rint((time_s - before_s) * p.rate), 1.0))


@kernel(nogil=True)
def _fill_in(points, found, is_z_up, body):  # type: ignore[no-untyped-def]
    """``(19, 3)`` with y up; toes that the source has not are at the ankles."""
    for joint in range(_JOINTS):
        at = found[joint]
        if at >= 0:
            x, y, z = np.float64(points[at, 0]), np.float64(points[at, 1]), np.float64(points[at, 2])
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
def _size(p, s, body):  # type: ignore[no-untyped-def]
    if p.size > 0.0:
        return p.size
    left = _length(body, _HIP_JOINTS[0], _KNEES[0]) + _length(body, _KNEES[0], _ANKLES[0])
    right = _length(body, _HIP_JOINTS[1], _KNEES[1]) + _length(body, _KNEES[1], _ANKLES[1])
    back = _length(body, _HIPS, _CHEST) + _length(body, _CHEST, _NECK) + _length(body, _NECK, _HEAD)
    s.size_sum += (left + right) / 2.0 + back
    s.sized += 1
    size = s.size_sum / s.sized
    # A body of no size (all joints in one point) has nothing to be divided by.
    return size if size > 0.0 else 1.0


@kernel(nogil=True)
def _length(body, a, b):  # type: ignore[no-untyped-def]
    x, y, z = body[b, 0] - body[a, 0], body[b, 1] - body[a, 1], body[b, 2] - body[a, 2]
    return math.sqrt(x * x + y * y + z * z)


@kernel(nogil=True)
def _face(p, s, body):  # type: ignore[no-untyped-def]
    """Which way the body's left is, if the frame shows it."""
    left, right = body[_HIP_JOINTS[0]], body[_HIP_JOINTS[1]]
    x, y, z = left[0] - right[0], left[1] - right[1], left[2] - right[2]
    floor = x * x + z * z
    if floor > p.least_floor_share**2 * (floor + y * y):
        length = math.sqrt(floor)
        s.left_x, s.left_z = x / length, z / length


@kernel(nogil=True)
def _posture(p, s, size, body, found, pose):  # type: ignore[no-untyped-def]
    """Joints relative to the hips, along left, up and forward, and how high the hips are."""
    lowest = np.inf
    left_x, left_z = s.left_x, s.left_z
    hips_x, hips_y, hips_z = body[_HIPS, 0], body[_HIPS, 1], body[_HIPS, 2]
    for joint in range(1, _JOINTS):
        x, z = body[joint, 0] - hips_x, body[joint, 2] - hips_z
        to_left = (x * left_x + z * left_z) / size
        up = (body[joint, 1] - hips_y) / size
        forward = (z * left_x - x * left_z) / size
        if found[joint] < 0 and (joint == _TOES[0] or joint == _TOES[1]):
            up -= p.toe_down
            forward += p.toe_forward
        lowest = min(lowest, up)
        at = 3 * joint - 3
        pose[at], pose[at + 1], pose[at + 2] = _cut(to_left), _cut(up), _cut(forward)
    pose[_HEIGHT] = _cut(-lowest if lowest < 0.0 else -0.0)


@kernel(nogil=True)
def _motion(p, s, size, step, body, recent, pose):  # type: ignore[no-untyped-def]
    """Velocity and yaw rate from the frame `lag` periods back or the one before that, or the first one."""
    hips, left_x, left_z = body[_HIPS], s.left_x, s.left_z
    now = step + (recent[s.recent - 1, _AT] if s.recent else 0.0)
    at = 0
    while at + 1 < s.recent and recent[at + 1, _AT] <= now - p.lag:
        at += 1
    x = y = z = 0.0
    periods, sin, cos = 1.0, left_z * left_x - left_x * left_z, left_x * left_x + left_z * left_z
    if s.recent:
        old = recent[at]
        x, y, z = hips[0] - old[_X], hips[1] - old[_Y], hips[2] - old[_Z]
        periods = max(now - old[_AT], 1.0)
        sin = old[_LEFT_Z] * left_x - old[_LEFT_X] * left_z
        cos = old[_LEFT_X] * left_x + old[_LEFT_Z] * left_z
    per_second = p.rate / periods
    pose[_MOTION] = _cut((x * left_x + z * left_z) * per_second / size)
    pose[_MOTION + 1] = _cut(y * per_second / size)
    pose[_MOTION + 2] = _cut((z * left_x - x * left_z) * per_second / size)
    pose[_MOTION + 3] = _cut(math.atan2(sin, cos) * per_second)
    _remember(s, body, now, recent)
    return not (math.isnan(x) or math.isnan(y) or math.isnan(z))


@kernel(nogil=True)
def _remember(s, body, now, recent):  # type: ignore[no-untyped-def]
    """Puts the frame behind the recent ones, of which the oldest goes when they are full."""
    if s.recent == len(recent):
        for at in range(len(recent) - 1):
            for k in range(6):
                recent[at, k] = recent[at + 1, k]
        s.recent -= 1
    at = s.recent
    recent[at, _X], recent[at, _Y], recent[at, _Z] = body[_HIPS, 0], body[_HIPS, 1], body[_HIPS, 2]
    recent[at, _LEFT_X], recent[at, _LEFT_Z], recent[at, _AT] = s.left_x, s.left_z, now
    s.recent += 1


@kernel(nogil=True)
def _cut(number):  # type: ignore[no-untyped-def]
    """What is too large is cut off; NaN stays."""
    if number > LARGEST_VALUE:
        return np.float32(LARGEST_VALUE)
    if number < -LARGEST_VALUE:
        return np.float32(-LARGEST_VALUE)
    return np.float32(number)
