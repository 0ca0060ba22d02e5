"""The frames of one `send` as rows of numbers, whatever shape a stream's frames have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kineseg._errors import InvalidRequest, WrongChannels

if TYPE_CHECKING:
    from kineseg.motion import JointFrames, Joints


def channel_rows(given: NDArray[Any], channels: int) -> NDArray[Any]:
    """``(T, C)`` out of the same, or of ``(C,)`` for one frame.

    Raises:
        InvalidRequest: There are fewer or more dimensions.
        WrongChannels: The frames have another number of channels.
    """
    if given.ndim not in (1, 2):
        raise InvalidRequest(
            f"frames must have shape (frames, channels), or (channels,) for one; got {given.shape}", field="frames"
        )
    rows = np.atleast_2d(given)
    if rows.shape[1] != channels:
        hint = ""
        if given.ndim == 1 and channels == 1:
            hint = "; one channel over time is frames.reshape(-1, 1)"
        elif given.ndim == 2 and given.shape[0] == channels:
            hint = "; a row is a frame: frames.T"
        has = f"{channels} channels" if channels > 1 else "1 channel"
        raise WrongChannels(
            f"a frame of this stream has {has}, got {rows.shape[1]} (shape {given.shape}){hint}",
            field="frames",
        )
    return rows


def joint_rows(given: NDArray[Any], joints: Joints) -> NDArray[Any]:
    """``(T, W)`` out of positions ``(T, J, 3)``, or ``(J, 3)`` for one frame; rows with rotations are such already.

    Raises:
        WrongChannels: The frames have another shape.
    """
    names = f"{joints.names[0]} to {joints.names[-1]}" if len(joints.names) > 1 else joints.names[0]
    if joints.rotations == "none":
        frame: tuple[int, ...] = (len(joints.names), 3)
        what = f"positions of joints {names} have shape (frames, {frame[0]}, 3), or {frame} for one frame"
    else:
        frame = (joints.width,)
        what = (
            f"frames with the rotations of joints {names} have shape (frames, {joints.width}), or {frame} for one, "
            "see Joints.rows"
        )
    if given.shape != frame and given.shape[1:] != frame:
        is_flat = given.shape[-1:] == (joints.width,) and joints.rotations == "none"
        hint = f"; frames.reshape(-1, {frame[0]}, 3) makes it such" if is_flat else ""
        raise WrongChannels(f"{what}; got {given.shape}{hint}", field="frames")
    return given.reshape(-1, joints.width)


def check_rotations(rows: NDArray[np.float32], joint_frames: JointFrames) -> None:
    """Raises InvalidRequest for a quaternion of length 0, which is no rotation."""
    found = joint_frames.without_rotation(rows)
    if found is not None:
        row, joint = found
        raise InvalidRequest(
            f"frame {row} of those sent: the quaternion of joint {joint!r} has length 0, which is no "
            "rotation; send NaN for a joint that is not seen",
            field="frames",
        )
