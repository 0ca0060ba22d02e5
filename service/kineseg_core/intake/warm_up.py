"""Compiles what takes chunks, so that no stream has to wait for it: seconds, or a moment where it is cached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from kineseg.motion import CANONICAL_CHANNELS, CANONICAL_JOINTS, Joints

from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.source_pose import canonical_source
from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import take_together

_RATE_HZ, _MODEL_RATE_HZ, _FRAMES = 60.0, 30.0, 8
_LOST = 3


def warm_up() -> None:
    """Takes a few frames in every way that is usual: channels, with capture times and without, joints, and chunks of
    several streams at once."""
    channels = ("a", "b")
    times = [round(frame * SECOND / _RATE_HZ) for frame in range(_FRAMES)]
    _take(Intake(channels, None, _RATE_HZ, _MODEL_RATE_HZ, IntakeLimits()), len(channels), times)
    _take(Intake(channels, (1, 0), _RATE_HZ, _MODEL_RATE_HZ, IntakeLimits()), len(channels))
    parents = (-1, *range(len(CANONICAL_JOINTS) - 1))
    body = Joints(names=CANONICAL_JOINTS, parents=parents, offsets=np.ones((len(parents), 3)))
    for joints in (body, replace(body, rotations="quaternions")):
        pose = canonical_source(joints, _RATE_HZ)
        intake = Intake(CANONICAL_CHANNELS, None, _RATE_HZ, _MODEL_RATE_HZ, IntakeLimits(), pose=pose)
        _take(intake, joints.width)
    several = [Intake(channels, None, _RATE_HZ, _MODEL_RATE_HZ, IntakeLimits()) for _ in range(2)]
    data = np.ones((_FRAMES, len(channels)), "<f4").tobytes()
    take_together([(intake, 0, data, ()) for intake in several])


def _take(intake: Intake, numbers: int, times_ns: Sequence[int] = ()) -> None:
    """Takes frames of so many numbers, and some more after a gap."""
    data = np.random.default_rng(0).standard_normal((_FRAMES, numbers)).astype("<f4").tobytes()
    _drain(intake.take(0, data, times_ns))
    later = [time_ns + (_FRAMES + _LOST) * intake.period_ns for time_ns in times_ns]
    _drain(intake.take(_FRAMES + _LOST, data, later))


def _drain(taken: Iterable[Taken]) -> None:
    for _ in taken:
        pass
