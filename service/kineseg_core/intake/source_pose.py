"""What a stream with joints sends, made into the channels of a model: the canonical pose, or the bare positions.

The canonical pose is made by the code that files go through, frame by frame at the source's own rate, before values
that are missing are filled and frames are resampled. Where frames are missing it goes by the times of those that came:
speeds are right across a hole, however long, and which way the body faced and how large it is stays known.
"""

from __future__ import annotations

import numpy as np
from kineseg.motion import CANONICAL_CHANNELS, Canonicalizer, JointFrames, JointMappingError, Joints
from numpy.typing import NDArray

from kineseg_core.errors import InvalidFrame, InvalidRequest, WrongChannels
from kineseg_core.intake.clock import SECOND

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

# A body smaller than any, or one that jumps, makes larger numbers out of sane ones; no model is given them.
_LARGEST_VALUE = 1e9


class SourcePose:
    """Makes a model's channels of the frames of one stream. Picklable.

    Args:
        joints: What the numbers of a frame mean.
        canonicalizer: What makes poses of them; none: the channels are the positions.

    Attributes:
        channels: Names of what is made.
        numbers: Names of what comes, W numbers a frame.
    """

    def __init__(self, joints: Joints, canonicalizer: Canonicalizer | None) -> None:
        self.numbers = joints.numbers
        self._frames = JointFrames(joints)
        self._canonicalizer = canonicalizer
        self.channels = CANONICAL_CHANNELS
        if canonicalizer is None:
            self.channels = tuple(f"{name}.{axis}" for name in joints.names for axis in "xyz")

    def check(self, frames: F32) -> None:
        """Looks at what only a body's frames can have wrong; changes nothing.

        Args:
            frames: ``(n, W)``, finite or NaN.

        Raises:
            InvalidFrame: A quaternion says no rotation.
        """
        found = self._frames.without_rotation(frames)
        if found is not None:
            row, joint = found
            raise InvalidFrame(
                f"frame {row} of the chunk has a quaternion of length 0 for joint {joint!r}, which is no "
                "rotation; of a joint that is not seen it must be NaN",
                field="data",
            )

    def positions(self, frames: F32) -> F64:
        """Where the joints are.

        Args:
            frames: ``(n, W)`` that `check` has let pass.

        Returns:
            ``(n, J, 3)``; NaN where a joint is not seen.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what is too large is cut off
            return np.clip(self._frames.positions(frames), -_LARGEST_VALUE, _LARGEST_VALUE)

    def push(self, positions: F64, times_ns: I64) -> tuple[F32, bool]:
        """The next frames.

        Args:
            positions: ``(n, J, 3)`` of them, see `positions`.
            times_ns: Their times since the first frame, increasing.

        Returns:
            ``(n, C)``; NaN where a joint is not seen; and whether there is such a one.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is too large is cut off
            if self._canonicalizer is None:
                made = positions.reshape(len(positions), -1)
            else:
                made = self._canonicalizer.push(positions, np.asarray(times_ns, np.float64) / SECOND)
            made = np.clip(made, -_LARGEST_VALUE, _LARGEST_VALUE).astype(np.float32)
        return made, bool(np.isnan(made).any())


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
