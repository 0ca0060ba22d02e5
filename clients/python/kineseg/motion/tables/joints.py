"""Which columns of a table are x, y and z of joints: ``nose.x``, ``nose_X``, ``nose [x]``, ``noseX``, ``x_nose`` ..."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kineseg.motion.time_names import unit_of

_LONGEST = 200  # characters of a name that are looked at
_UNIT = re.compile(
    r"\s*[\[(]\s*(?:mm|cm|dm|m|in|inch|px|pixels?|meters?|metres?|millimet(?:er|re)s?|norm\w*)\s*[\])]\s*$", re.I
)
_LAST = re.compile(
    r"^(.+?)(?:[\s._:/|-]+[\[(]?([xyz])[\])]?|\s*[\[(]([xyz])[\])]|(?<=[a-z0-9])([XYZ])|(?<=[A-Z])([xyz]))$", re.I
)
_GLUED = re.compile(r"^(.+?)([xyz])$", re.I)
_FIRST = re.compile(r"^([xyz])[\s._:-]+(.+)$", re.I)
_POSITION = re.compile(r"[\s._:-]*(?:pos|position|positions|translation|trans|loc|location|coords?|world)$", re.I)
_QUALITY = re.compile(
    r"^(.+?)[\s._:/|-]*[\[(]?(visibility|vis|visible|confidence|conf|likelihood|score|residual|presence|error|err|ncams|"
    r"prob|probability|quality|occluded|tracked|trackingstate|tracking_state|v|c|p|r)[\])]?$",
    re.IGNORECASE,
)
# Three axes of these are no place in space.
_NOT_PLACES = frozenset(
    (
        *("acc", "accel", "accelerometer", "acceleration", "accelerations", "gyr", "gyro", "gyroscope", "mag", "magn"),
        *("magnetometer", "magnetic", "angular", "angvel", "omega", "quat", "quaternion", "q", "rot", "rotation"),
        *("rotations", "euler", "angle", "angles", "orientation", "ori", "vel", "velocity", "speed", "force", "forces"),
        *("moment", "torque", "power", "emg", "grf", "cop", "gravity", "linacc", "linear", "linearacceleration"),
        *("freeacc", "imu", "attitude", "roll", "pitch", "yaw", "scale", "normal", "direction", "dir", "heading"),
        *("axis", "jerk", "deltaq", "deltav", "dq", "dv", "light", "rate"),
    )
)


@dataclass(frozen=True)
class JointColumns:
    """Joints found among columns.

    Attributes:
        joints: Their names.
        places: For each the columns of its x, y and z.
        qualities: Columns that say how well a joint was seen.
        others: Columns that are none of these.
    """

    joints: tuple[str, ...]
    places: tuple[tuple[int, int, int], ...]
    qualities: tuple[int, ...]
    others: tuple[int, ...]


def find_joint_columns(names: Sequence[str]) -> JointColumns:
    """Find the columns that hold positions of joints; none, where there is not one whole x, y, z."""
    bare = [_UNIT.sub("", name[:_LONGEST]).strip() for name in names]
    joints = _group(bare, _LAST, first=False)
    for pattern, first in ((_GLUED, False), (_FIRST, True)):
        joints = joints or _group(bare, pattern, first=first)
    places = {place for axes in joints.values() for place in axes}
    qualities = _qualities(bare, joints, places)
    others = tuple(i for i in range(len(names)) if i not in places and i not in qualities)
    return JointColumns(tuple(joints), tuple(joints.values()), qualities, others)


def _group(names: Sequence[str], pattern: re.Pattern[str], *, first: bool) -> dict[str, tuple[int, int, int]]:
    found: dict[str, dict[str, int]] = {}
    for i, name in enumerate(names):
        match = pattern.match(name)
        if match is None:
            continue
        groups = [group for group in match.groups() if group]
        axis, joint = (groups[0], groups[1]) if first else (groups[-1], groups[0])
        found.setdefault(joint, {}).setdefault(axis.lower(), i)
    whole = {joint: axes for joint, axes in found.items() if len(axes) == 3 and _is_place(joint)}
    named = {joint: _POSITION.sub("", joint) or joint for joint in whole}
    if len(set(named.values())) < len(named):
        named = {joint: joint for joint in whole}
    return {named[joint]: (axes["x"], axes["y"], axes["z"]) for joint, axes in whole.items()}


def _is_place(joint: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", joint)]
    return bool(words) and not set(words) & _NOT_PLACES and unit_of(words[-1]) is None


def _qualities(names: Sequence[str], joints: dict[str, tuple[int, int, int]], places: set[int]) -> tuple[int, ...]:
    found = []
    known = {joint.lower() for joint in joints}
    for i, name in enumerate(names):
        if i in places:
            continue
        match = _QUALITY.match(name)
        if match is not None and (match[1].lower() in known or _POSITION.sub("", match[1]).lower() in known):
            found.append(i)
    return tuple(found)
