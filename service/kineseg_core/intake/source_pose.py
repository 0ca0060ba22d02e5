"""What a stream with joints sends, made into the channels of a model: the canonical pose, or the bare positions.

The canonical pose is made by the code that files go through, frame by frame at the source's own rate, before values
that are missing are filled and frames are resampled. A body smaller than any, or one that jumps, makes numbers out of
sane ones that are not; no model is given them. Where frames are missing it goes by the times of those that came:
speeds are right across a hole, however long, and which way the body faced and how large it is stays known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from kineseg.motion import (
    CANONICAL_CHANNELS,
    CANONICAL_JOINTS,
    Canonicalizer,
    JointFrames,
    JointMappingError,
    Joints,
)
from kineseg.motion.canonical_state import LAST_S, RECENT, CanonicalState
from kineseg.motion.joint_frames import SHORTEST_QUATERNION
from numpy.typing import NDArray

from kineseg_core.errors import InvalidFrame, InvalidRequest, WrongChannels
from kineseg_core.intake.body_pose import plan_of, pose_bodies
from kineseg_core.intake.body_turns import place_joints
from kineseg_core.intake.chunk import LARGEST_VALUE
from kineseg_core.intake.clock import SECOND
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

keeps("state", fixed="joint_names rate up lag found body_size")(Canonicalizer)
keeps("numbers body recent anchors")(CanonicalState)
within("numbers may be nan", "body may be nan", "recent may be nan", "anchors may be nan")(CanonicalState)
_CHANNELS = len(CANONICAL_CHANNELS)
_SHORTEST = np.float32(SHORTEST_QUATERNION)


@keeps("_canonicalizer", fixed="_joints _turns _angles _body channels")
class SourcePose:
    """Makes a model's channels of the frames of one stream. Picklable.

    Args:
        joints: What the numbers of a frame mean.
        canonicalizer: What makes poses of them; none: the channels are the positions.

    Attributes:
        channels: Names of what is made.
    """

    def __init__(self, joints: Joints, canonicalizer: Canonicalizer | None) -> None:
        self._joints = joints
        self._turns = _Turns.of(joints) if joints.rotations == "quaternions" else None
        self._angles = JointFrames(joints) if joints.rotations == "euler" else None
        self._canonicalizer = canonicalizer
        self._body = None if canonicalizer is None else _Body.of(canonicalizer)
        self.channels = CANONICAL_CHANNELS
        if canonicalizer is None:
            self.channels = tuple(f"{name}.{axis}" for name in joints.names for axis in "xyz")

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of what comes, W numbers a frame."""
        return self._joints.numbers

    def check_kept(self) -> None:
        """Raises `ValueError` unless the body's recent frames are as many as it says, and its numbers known."""
        if self._canonicalizer is None:
            return
        state = self._canonicalizer.state
        known = np.delete(state.numbers, LAST_S)
        if not (np.isfinite(known).all() and (known >= -1.0).all()):
            raise ValueError("the numbers of a body are none")
        if float(state.numbers[RECENT]) not in range(len(state.recent) + 1):
            raise ValueError("there are not so many recent frames")
        if not all(anchor.shape == state.body.shape for anchor in state.anchors.values()):
            raise ValueError("a body that was lost has other joints")

    def check(self, frames: F32) -> None:
        """Looks at what only a body's frames can have wrong; changes nothing.

        Args:
            frames: ``(n, W)``, finite or NaN.

        Raises:
            InvalidFrame: A quaternion says no rotation.
        """
        found = JointFrames(self._joints).without_rotation(frames)
        if found is not None:
            row, joint = found
            raise InvalidFrame(
                f"frame {row} of the chunk has a quaternion of length 0 for joint {joint!r}, which is no "
                "rotation; of a joint that is not seen it must be NaN",
                field="data",
            )

    def positions(self, frames: F32) -> F32 | F64:
        """Where the joints are.

        Args:
            frames: ``(n, W)``, finite or NaN.

        Returns:
            ``(n, J, 3)``; NaN where a joint is not seen.

        Raises:
            InvalidFrame: A quaternion says no rotation.
        """
        if self._turns is not None:
            parents, is_turning, offsets = self._turns
            places = np.empty((len(frames), len(parents), 3))
            if not place_joints(frames, parents, is_turning, offsets, _SHORTEST, places):
                self.check(frames)
            return places
        if self._angles is not None:
            with np.errstate(over="ignore", invalid="ignore"):  # what is too large is cut off
                return np.clip(self._angles.positions(frames), -LARGEST_VALUE, LARGEST_VALUE)
        return frames.reshape(len(frames), -1, 3)

    def push(self, positions: F32 | F64, times_ns: I64, *, has_holes: bool) -> tuple[F32, bool]:
        """The next frames.

        Args:
            positions: ``(n, J, 3)`` of them, see `positions`.
            times_ns: ``(n,)`` since the first frame, increasing.
            has_holes: Some of what came is NaN.

        Returns:
            ``(n, C)``; NaN where a joint is not seen; and whether there may be such a one.
        """
        if self._canonicalizer is None or self._body is None:
            return positions.reshape(len(positions), -1).astype(np.float32), has_holes
        if has_holes:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is too large is cut off
                poses = self._canonicalizer.push(positions, times_ns / SECOND)
                return np.clip(poses, -LARGEST_VALUE, LARGEST_VALUE).astype(np.float32), True
        (found, plan), state = self._body, self._canonicalizer.state
        state.anchors.clear()  # all joints are there
        made = np.empty((len(positions), _CHANNELS), np.float32)
        whole = pose_bodies(positions, times_ns, found, plan, state.numbers, state.body, state.recent, made)
        return made, not whole


class _Turns(NamedTuple):
    """What the kernels of forward kinematics want to know of J joints.

    Attributes:
        parents: ``(J,)``; anything for the root.
        is_turning: ``(J,)`` something hangs on the joint.
        offsets: ``(J, 3)``
    """

    parents: NDArray[np.uint16]
    is_turning: NDArray[np.bool_]
    offsets: F64

    @classmethod
    def of(cls, joints: Joints) -> _Turns:
        parents = np.array(joints.parents)
        is_turning = np.isin(np.arange(len(parents)), parents)
        return cls(parents.astype(np.uint16), is_turning, np.array(joints.offsets, np.float64))


class _Body(NamedTuple):
    """What the kernel of the canonical pose wants to know.

    Attributes:
        found: ``(19,)`` for each canonical joint which of those that come it is; -1: none.
        plan: ``(7,)`` see `plan_of`.
    """

    found: NDArray[np.int16]
    plan: F64

    @classmethod
    def of(cls, canonicalizer: Canonicalizer) -> _Body:
        return cls(
            np.array([canonicalizer.found.get(joint, -1) for joint in CANONICAL_JOINTS], np.int16),
            plan_of(canonicalizer),
        )


def canonical_source(joints: Joints, rate_hz: float) -> SourcePose:
    """What makes canonical poses of these joints.

    Raises:
        WrongChannels: They do not make a body.
        InvalidRequest: The body has no size at rest.
    """
    try:
        canonicalizer = Canonicalizer(
            joints.names, rate_hz, skeleton=joints.skeleton, up=joints.up, mapping=joints.mapping
        )
    except JointMappingError as error:
        if error.field == "skeleton":
            raise InvalidRequest(str(error), field="joints.offsets") from error
        raise WrongChannels(str(error), field="joints.names") from error
    return SourcePose(joints, canonicalizer)


def any_source(joints: Joints, rate_hz: float, most_channels: int) -> SourcePose:
    """The same where they make a body; otherwise what gives their positions.

    Raises:
        WrongChannels: They make no body, and more channels than there may be.
        InvalidRequest: The body has no size at rest.
    """
    try:
        return canonical_source(joints, rate_hz)
    except WrongChannels as error:
        channels = 3 * len(joints.names)
        if channels > most_channels:
            raise WrongChannels(
                f"the joints make no body, and their positions {channels} channels, of which the model takes at most "
                f"{most_channels}: send the joints that matter; as a body: {error.message}",
                field=error.field,
            ) from error
        return SourcePose(joints, None)
