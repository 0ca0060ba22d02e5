"""What of a recording is sent to a model: its channels, or the joints that the server makes the model's channels of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from kineseg._errors import WrongChannels
from kineseg._info import Model

if TYPE_CHECKING:
    from kineseg.motion import Joints, Recording


@dataclass(frozen=True, eq=False)
class ModelInput:
    """A recording as a model gets it.

    Attributes:
        recording: What is sent, and a note on it where it is not what one would think.
        joints: The joints whose positions are sent; None: its channels are.
    """

    recording: Recording
    joints: Joints | None = None

    @classmethod
    def of(cls, recording: Recording, model: Model) -> ModelInput:
        """What is sent of this recording.

        Its channels if they are the model's, or its joints if the model is one of canonical poses. A model that takes
        any channels gets the joints of a body, too: it does not know how bodies are built.

        Raises:
            WrongChannels: It has neither the model's channels nor joints that make them.
            MotionError: Its joints do not make a body.
        """
        if set(recording.channels) == set(model.channels):
            return cls(recording)
        from kineseg.motion import CANONICAL_CHANNELS, MotionError

        if model.takes_any_channels:
            try:
                return cls(recording) if recording.positions is None else _body(recording)
            except MotionError as error:  # joints of something that is no human body
                note = f"its channels are sent as they are, not as poses of a body: {error}"
                return cls(replace(recording, notes=(*recording.notes, note)))
        if recording.positions is not None and set(model.channels) == set(CANONICAL_CHANNELS):
            return _body(recording)
        missing = [name for name in model.channels if name not in recording.channels]
        surplus = [name for name in recording.channels if name not in model.channels]
        raise WrongChannels(
            f"{recording.name!r} does not have the channels of model {model.name!r}"
            f" (missing: {_some(missing)}; not wanted: {_some(surplus)}): convert it, or use a model trained on such "
            "data",
            field="channels",
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that are sent; none if joints are."""
        return () if self.joints is not None else self.recording.channels

    @property
    def frames(self) -> NDArray[Any]:
        """``(T, C)`` channels, or ``(T, J, 3)`` positions."""
        if self.joints is None:
            return self.recording.frames
        assert self.recording.positions is not None  # its joints are known
        return self.recording.positions

    @cached_property
    def pose(self) -> Recording:
        """The recording in the channels that the model gets: what the server makes of joints is made here, too."""
        from kineseg.motion import canonical_pose

        return self.recording if self.joints is None else canonical_pose(self.recording)


def _body(recording: Recording) -> ModelInput:
    """The joints of a body; where they cannot be sent as they are, their canonical pose.

    Raises:
        MotionError: They do not make a body.
    """
    from kineseg.motion import Canonicalizer, Joints, SkeletonError, canonical_pose

    # What the server will do with them: what is wrong with them is found before anything is sent.
    Canonicalizer(
        recording.joints, recording.rate, skeleton=recording.skeleton, up=recording.up, mapping=recording.mapping
    )
    try:
        joints = Joints.of(recording)
    except SkeletonError:  # more joints than a stream may have, or endless names
        return ModelInput(canonical_pose(recording))
    return ModelInput(recording, joints)


def _some(names: Sequence[str]) -> str:
    if not names:
        return "none"
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
