"""The canonical pose: what a person does, freed of who they are, where they stand and which way they face.

Every frame becomes 59 numbers. 54 are the positions of eighteen joints relative to the hips along three axes that turn
with the body about the vertical only: x to the body's left, y up, z forward; then the height of the hips above the
lowest joint; then how the hips travel along those axes per second, and how fast the body turns. All lengths are in body
sizes (the length of a leg and of the spine up to the head), so a model trained on one skeleton serves another.

Everything is causal: a frame's numbers depend on it and on earlier frames only, and never on how the frames were
grouped into chunks, so a live stream and a file give the same bits.

A joint that was not seen (NaN) is missing from the pose, too, and nothing else is: where the hips would have to be
known for the rest, they are taken to have moved along with the trunk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion.canonical_state import (
    AT,
    HIPS,
    LAST_S,
    LEFT,
    LEFT_X,
    LEFT_Z,
    RECENT,
    SEEN,
    SIZE_SUM,
    SIZED,
    CanonicalState,
)
from kineseg.motion.carried import carried
from kineseg.motion.errors import JointMappingError, RecordingError
from kineseg.motion.joint_mapping import CANONICAL_JOINTS, map_joints
from kineseg.motion.recording import Recording, Up, check_rate
from kineseg.motion.skeleton import Skeleton

Array = NDArray[np.float64]

ROOT_CHANNELS: tuple[str, ...] = ("root.velocity_x", "root.velocity_y", "root.velocity_z", "root.yaw_rate")
CANONICAL_CHANNELS: tuple[str, ...] = (
    *(f"{joint}.{axis}" for joint in CANONICAL_JOINTS[1:] for axis in "xyz"),
    "hips.y",
    *ROOT_CHANNELS,
)

CANONICAL_BONES: tuple[tuple[str, str], ...] = (
    ("hips", "spine"),
    ("spine", "chest"),
    ("chest", "neck"),
    ("neck", "head"),
    *(
        bone
        for side in ("left", "right")
        for bone in (
            ("chest", f"{side}_shoulder"),
            (f"{side}_shoulder", f"{side}_elbow"),
            (f"{side}_elbow", f"{side}_wrist"),
            ("hips", f"{side}_hip"),
            (f"{side}_hip", f"{side}_knee"),
            (f"{side}_knee", f"{side}_ankle"),
            (f"{side}_ankle", f"{side}_toe"),
        )
    ),
)

_AT = {joint: i for i, joint in enumerate(CANONICAL_JOINTS)}
_LEGS = tuple((f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in ("left", "right"))
_BACK = ("hips", "chest", "neck", "head")
# What place and heading are determined from.
_BASE = [_AT[joint] for joint in ("hips", "left_hip", "right_hip")]
# What moves with them as one piece, near enough.
_TRUNK = [_AT[joint] for joint in ("hips", "spine", "chest", "neck", "left_shoulder", "right_shoulder")] + _BASE[1:]
# Seen from the side of the body, the line through the hips says nothing about where it faces once it stands steeper
# than this (share of the distance between the hips that is left on the floor): lying on a side, a cartwheel.
LEAST_FLOOR_SHARE = 0.25
# Where a source has no toes: this far from the ankle, in body sizes (down, forward), about as in a standing person.
TOE_DOWN, TOE_FORWARD = 0.025, 0.1


class Canonicalizer:
    """Turns joint positions into canonical poses, chunk by chunk.

    Joints that a source lacks are filled in: hips, the middle of the two hip joints; neck, the middle of the shoulders;
    chest, two thirds of the way from hips to neck; spine, the middle of hips and chest; head, as far above the neck as
    the chest is below; toes, a fixed step forward and down from the ankles.

    Args:
        joint_names: J names of the joints that will be pushed.
        rate: Frames per second.
        skeleton: Gives the body size from its rest pose. Without it the size is the mean over all frames so far.
        up: The vertical axis of the positions, ``y`` or ``z``; both right-handed.
        mapping: Canonical joint -> joint name, for names that are not recognised.

    Attributes:
        found: Canonical joint -> which of the joints that will be pushed it is, for those that are there.
        body_size: What lengths are divided by; None: the mean over all frames so far.
        lag: Speeds are over so many frame periods.
        state: How far it has come.

    Raises:
        JointMappingError: A joint that cannot be filled in was not found; says which, and what there was.
        RecordingError: The rate or the up axis is impossible.
    """

    def __init__(
        self,
        joint_names: Sequence[str],
        rate: float,
        *,
        skeleton: Skeleton | None = None,
        up: Up = "y",
        mapping: Mapping[str, str] | None = None,
    ) -> None:
        if up not in ("y", "z"):
            raise RecordingError(f"the up axis must be 'y' or 'z', got {up!r}", field="up")
        self.joint_names = tuple(joint_names)
        self.rate = check_rate(rate)
        self.up = up
        self.lag = max(1, round(self.rate / 30.0))
        self.found = map_joints(self.joint_names, mapping)
        self.body_size = None if skeleton is None else self._rest_size(skeleton, mapping)
        self.reset()

    def reset(self) -> None:
        """Forget all frames pushed so far."""
        self.state = CanonicalState.before_all(self.lag)

    def push(self, positions: ArrayLike, timestamps: ArrayLike | None = None) -> Array:
        """Convert the next frames.

        Args:
            positions: ``(T, J, 3)`` in any one unit of length; NaN where a joint was not seen.
            timestamps: ``(T,)`` seconds, increasing, for a source that loses frames: speeds are then right across the
                holes. Without it, frames follow at `rate`. To be given with every frame or with none.

        Returns:
            ``(T, 59)``, channels as in `CANONICAL_CHANNELS`; NaN where a joint was not seen.

        Raises:
            RecordingError: Another shape, infinite positions, or impossible timestamps; nothing has advanced then.
        """
        points = np.asarray(positions, dtype=np.float64)
        expected = (len(self.joint_names), 3)
        if points.ndim != 3 or points.shape[1:] != expected:
            raise RecordingError(
                f"positions must have shape (frames, {expected[0]}, 3), got {points.shape}", field="positions"
            )
        if np.isinf(points).any():
            frame, joint, _ = (int(i) for i in np.argwhere(np.isinf(points))[0])
            frame += int(self.state.numbers[SEEN])
            raise RecordingError(
                f"frame {frame}: the position of {self.joint_names[joint]!r} is not finite",
                field="positions",
            )
        steps = self._steps(timestamps, len(points))
        if not len(points):
            return np.empty((0, len(CANONICAL_CHANNELS)))
        seen = self._pick(points)
        body = self._with_base(seen)
        size = self._sizes(body)
        left = self._headings(body)
        out = np.empty((len(body), len(CANONICAL_CHANNELS)))
        hips = body[:, 0]
        local = _turn(body[:, 1:] - hips[:, None], left[:, None]) / size[:, None, None]
        self._fill_toes(local)
        local[np.isnan(seen[:, 1:, 0])] = np.nan
        out[:, :54] = local.reshape(len(body), 54)
        lowest = np.fmin.reduce(local[..., 1], axis=1)
        out[:, 54] = -np.where(lowest >= 0.0, 0.0, lowest)
        out[np.isnan(seen[:, 0, 0]), 54] = np.nan
        self._motion(out[:, 55:], hips, left, size, steps)
        self.state.numbers[SEEN] += len(body)
        return out

    def _pick(self, points: Array) -> Array:
        """``(T, 19, 3)`` with y up; joints filled in, except toes, which wait for the heading."""
        if self.up == "z":
            points = points[..., [1, 2, 0]]
        unseen = np.asarray(np.isnan(points).any(axis=2))
        if unseen.any():
            points = np.where(unseen[..., None], np.nan, points)
        body = np.zeros((len(points), len(CANONICAL_JOINTS), 3))
        for joint, index in self.found.items():
            body[:, _AT[joint]] = points[:, index]

        def missing(joint: str) -> bool:
            return joint not in self.found

        hips, neck, chest = (body[:, _AT[joint]] for joint in ("hips", "neck", "chest"))
        if missing("hips"):
            hips[:] = (body[:, _AT["left_hip"]] + body[:, _AT["right_hip"]]) / 2.0
        if missing("neck"):
            neck[:] = (body[:, _AT["left_shoulder"]] + body[:, _AT["right_shoulder"]]) / 2.0
        if missing("chest"):
            chest[:] = hips + (neck - hips) * (2.0 / 3.0)
        if missing("spine"):
            body[:, _AT["spine"]] = (hips + chest) / 2.0
        if missing("head"):
            body[:, _AT["head"]] = neck + (neck - chest)
        for side in ("left", "right"):
            if missing(f"{side}_toe"):
                body[:, _AT[f"{side}_toe"]] = body[:, _AT[f"{side}_ankle"]]
        return body

    def _with_base(self, seen: Array) -> Array:
        """The same with the joints that determine place and heading, as far as they were ever seen."""
        anchors, last = self.state.anchors, self.state.body
        lost = np.isnan(seen[:, _BASE, 0])
        if not lost.any():
            anchors.clear()
            last[:] = seen[-1]
            return seen
        body = seen.copy()
        for row in range(len(body)):
            for place, joint in enumerate(_BASE):
                if not lost[row, place]:
                    anchors.pop(joint, None)
                    continue
                if joint not in anchors:
                    anchors[joint] = last.copy()
                body[row, joint] = carried(anchors[joint], seen[row], joint, _TRUNK)
            if np.isnan(body[row, 0, 0]):
                body[row, 0] = (body[row, _BASE[1]] + body[row, _BASE[2]]) / 2.0
            last[:] = body[row]
        return body

    def _steps(self, timestamps: ArrayLike | None, count: int) -> NDArray[np.int64]:
        """``(T,)`` frame periods from the frame before to each."""
        numbers = self.state.numbers
        last_s, is_first = numbers[LAST_S], numbers[SEEN] == 0
        if (timestamps is None) != np.isnan(last_s) and not is_first:
            raise RecordingError("give timestamps with every frame or with none", field="timestamps")
        if timestamps is None:
            return np.ones(count, np.int64)
        times = np.asarray(timestamps, dtype=np.float64)
        if times.shape != (count,):
            raise RecordingError(f"{count} frames need as many timestamps, got {times.shape}", field="timestamps")
        spans = np.diff(times, prepend=times[:1] - 1.0 / self.rate if is_first else last_s)
        if not (np.isfinite(times).all() and (spans > 0).all()):
            raise RecordingError("timestamps must be finite and increase", field="timestamps")
        if count:
            numbers[LAST_S] = times[-1]
        # To the nearest frame: what a clock is off by is no motion.
        return np.maximum(np.rint(spans * self.rate), 1.0).astype(np.int64)

    def _fill_toes(self, local: Array) -> None:
        for side in ("left", "right"):
            if f"{side}_toe" not in self.found:
                local[:, _AT[f"{side}_toe"] - 1, 1] -= TOE_DOWN
                local[:, _AT[f"{side}_toe"] - 1, 2] += TOE_FORWARD

    def _rest_size(self, skeleton: Skeleton, mapping: Mapping[str, str] | None) -> float:
        known = self.found
        try:
            self.found = map_joints(skeleton.names, mapping)
            size = float(_body_length(self._pick(skeleton.rest_positions()[None]))[0])
        finally:
            self.found = known
        if size <= 0.0:
            raise JointMappingError("the skeleton's legs and spine have no length at rest", field="skeleton")
        return size

    def _sizes(self, body: Array) -> Array:
        if self.body_size is not None:
            return np.full(len(body), self.body_size)
        lengths = _body_length(body)
        whole = ~np.isnan(lengths)
        # cumsum adds strictly in order, so the running sum does not depend on where a chunk begins.
        numbers = self.state.numbers
        sums = np.cumsum(np.concatenate((numbers[SIZE_SUM : SIZE_SUM + 1], np.where(whole, lengths, 0.0))))[1:]
        counts = int(numbers[SIZED]) + np.cumsum(whole)
        numbers[SIZE_SUM], numbers[SIZED] = sums[-1], counts[-1]
        sizes = sums / np.maximum(counts, 1)
        # A body of no size (all joints in one point) has nothing to be divided by; one not yet seen whole has no size.
        return np.where(counts > 0, np.where(sizes > 0.0, sizes, 1.0), np.nan)

    def _headings(self, body: Array) -> Array:
        """``(T, 2)`` unit vectors on the floor (x, z) to the body's left; kept where a frame does not show it."""
        across = body[:, _AT["left_hip"]] - body[:, _AT["right_hip"]]
        x, y, z = across[:, 0], across[:, 1], across[:, 2]
        floor = x * x + z * z
        shown = floor > LEAST_FLOOR_SHARE**2 * (floor + y * y)
        length = np.sqrt(np.where(shown, floor, 1.0))
        new = np.stack([x / length, z / length], axis=1)
        numbers = self.state.numbers
        candidates = np.concatenate([[[numbers[LEFT_X], numbers[LEFT_Z]]], new])
        latest = np.maximum.accumulate(np.where(shown, np.arange(1, len(body) + 1), 0))
        left = candidates[latest]
        numbers[LEFT_X], numbers[LEFT_Z] = left[-1]
        return left

    def _motion(self, out: Array, hips: Array, left: Array, size: Array, steps: NDArray[np.int64]) -> None:
        """Velocity and yaw rate from the frame `lag` periods back or the one before that, or the first one."""
        recent = self.state.recent[: int(self.state.numbers[RECENT])]
        all_hips = np.concatenate([recent[:, HIPS], hips])
        all_left = np.concatenate([recent[:, LEFT], left])
        at = np.cumsum(steps) + (int(recent[-1, AT]) if len(recent) else 0)
        all_at = np.concatenate([recent[:, AT].astype(np.int64), at])
        before = np.maximum(np.searchsorted(all_at, at - self.lag, side="right") - 1, 0)
        per_second = self.rate / np.maximum(at - all_at[before], 1)
        moved = _turn(hips - all_hips[before], left) * per_second[:, None]
        out[:, :3] = moved / size[:, None]
        old = all_left[before]
        # Positive turns to the left (counter-clockwise from above); over so few frames it stays within half a turn.
        sin = old[:, 1] * left[:, 0] - old[:, 0] * left[:, 1]
        cos = old[:, 0] * left[:, 0] + old[:, 1] * left[:, 1]
        # The C library's, which is the same for one angle as for many; NumPy's depends on the processor.
        out[:, 3] = np.array(list(map(math.atan2, sin.tolist(), cos.tolist()))) * per_second
        self.state.remember(np.concatenate([hips, left, at[:, None]], axis=1)[-self.lag :])


def canonical_pose(recording: Recording, *, mapping: Mapping[str, str] | None = None) -> Recording:
    """The canonical pose of a recording, by the same code that serves live streams.

    Args:
        recording: With joint positions, or already in canonical channels (returned as it is).
        mapping: Canonical joint -> joint name, for names that are not recognised; wins over the recording's own.

    Returns:
        A recording with channels `CANONICAL_CHANNELS`; rate, timestamps, name, truth, faults and notes are kept.

    Raises:
        RecordingError: The recording has no joint positions.
        JointMappingError: Its joints do not make a body.
    """
    if recording.channels == CANONICAL_CHANNELS:
        return recording
    if recording.positions is None:
        raise RecordingError(
            f"{recording.name!r} has no joint positions, so it has no canonical pose; "
            f"its channels are {', '.join(recording.channels[:6])} ...",
            field="positions",
        )
    canonicalizer = Canonicalizer(
        recording.joints,
        recording.rate,
        skeleton=recording.skeleton,
        up=recording.up,
        mapping={**recording.mapping, **(mapping or {})},
    )
    return replace(
        recording,
        frames=canonicalizer.push(recording.positions, recording.timestamps),
        channels=CANONICAL_CHANNELS,
        skeleton=None,
        positions=None,
        joints=(),
        up="y",
        mapping={},
    )


def canonical_positions(frames: ArrayLike) -> Array:
    """Joint positions for drawing, out of canonical poses.

    Args:
        frames: ``(T, 59)``.

    Returns:
        ``(T, 19, 3)`` in body sizes: hips above the origin, x to the body's left, y up from the floor, z forward.

    Raises:
        RecordingError: Another shape.
    """
    values = np.asarray(frames, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(CANONICAL_CHANNELS):
        raise RecordingError(f"expected (frames, {len(CANONICAL_CHANNELS)}), got {values.shape}", field="frames")
    body = np.zeros((len(values), len(CANONICAL_JOINTS), 3))
    body[:, 1:] = values[:, :54].reshape(-1, 18, 3)
    body[..., 1] += values[:, 54, None]
    return body


def _turn(vectors: Array, left: Array) -> Array:
    """World vectors (..., 3) along the body's left, up and forward; written out, since a matrix product may add in an
    order that depends on the number of frames."""
    lx, lz = left[..., 0], left[..., 1]
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack([x * lx + z * lz, y, z * lx - x * lz], axis=-1)


def _body_length(body: Array) -> Array:
    legs = sum(_chain_length(body, leg) for leg in _LEGS) / len(_LEGS)
    return np.asarray(legs + _chain_length(body, _BACK))


def _chain_length(body: Array, chain: Sequence[str]) -> Array:
    total = np.zeros(len(body))
    for a, b in pairwise(chain):
        step = body[:, _AT[b]] - body[:, _AT[a]]
        total += np.sqrt(step[:, 0] * step[:, 0] + step[:, 1] * step[:, 1] + step[:, 2] * step[:, 2])
    return total
