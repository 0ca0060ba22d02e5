"""Finds the joints of the canonical pose among the joint names that motion sources use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kineseg.motion.errors import JointMappingError

CANONICAL_JOINTS: tuple[str, ...] = (
    "hips",
    "spine",
    "chest",
    "neck",
    "head",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_hip",
    "left_knee",
    "left_ankle",
    "left_toe",
    "right_hip",
    "right_knee",
    "right_ankle",
    "right_toe",
)

REQUIRED_JOINTS: tuple[str, ...] = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)

# The names a joint goes by, best first, without side and separators. One name can mean two joints ("foot" is the ankle
# to most and the toe to SMPL; "shoulder" the collar to most): the order here and in _RESOLVE settles it, since a source
# joint is given away once.
_ALIASES: dict[str, tuple[str, ...]] = {
    "hips": ("hips", "pelvis", "hip", "root", "midhip", "pelvisroot"),
    "spine": ("spine", "spine1", "abdomen", "torso", "lowerback", "upperback", "belly"),
    "chest": ("spine3", "spine2", "upperchest", "chest", "spine1", "thorax", "upperback", "spine01", "spine02"),
    "neck": ("neck1", "neck", "upperneck", "lowerneck", "neck01"),
    "head": ("head", "nose", "skull"),
    "shoulder": ("upperarm", "arm", "uparm", "humerus", "shoulder"),
    "elbow": ("elbow", "forearm", "lowerarm", "radius", "loarm"),
    "wrist": ("wrist", "hand"),
    "hip": ("upleg", "upperleg", "thigh", "femur", "hip", "hipjoint"),
    "knee": ("knee", "lowerleg", "shin", "calf", "tibia", "loleg", "leg"),
    "ankle": ("ankle", "foot"),
    "toe": ("toebase", "toes", "toe", "toe0", "ball", "footindex", "bigtoe", "foot"),
}
_RESOLVE = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe", "hips", "neck", "head", "chest", "spine")
_SIDED = frozenset(("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe"))
_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")
_SIDED_ALIASES = frozenset(alias for joint in _SIDED for alias in _ALIASES[joint])


def map_joints(names: Sequence[str], mapping: Mapping[str, str] | None = None) -> dict[str, int]:
    """Find canonical joints by name.

    Args:
        names: The source's joint names; letter case, separators, prefixes like ``mixamorig:`` and the place of the side
            (``LeftFoot``, ``foot_l``, ``L_Foot``) do not matter.
        mapping: Canonical name -> source name, where the names do not say it; it comes first.

    Returns:
        Canonical joint -> index into ``names``, for those that were found.

    Raises:
        JointMappingError: A required joint (shoulders, elbows, wrists, hips, knees, ankles) is not there, or the
            mapping names a joint that does not exist.
    """
    found = _map_given(names, mapping or {})
    taken = set(found.values())
    parsed = [split_joint_name(name) for name in names]
    for joint in _RESOLVE:
        for side in ("left", "right") if joint in _SIDED else (None,):
            canonical = joint if side is None else f"{side}_{joint}"
            if canonical in found:
                continue
            index = _first_match(parsed, side, _ALIASES[joint], taken)
            if index is not None:
                found[canonical] = index
                taken.add(index)
    missing = [joint for joint in REQUIRED_JOINTS if joint not in found]
    if missing:
        raise JointMappingError(
            f"no joint found for {', '.join(missing)} among: {', '.join(names)}. "
            "Rename them or give a mapping from canonical joint to joint name",
            field="joints",
        )
    return {joint: found[joint] for joint in CANONICAL_JOINTS if joint in found}


def _map_given(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for canonical, name in mapping.items():
        if canonical not in CANONICAL_JOINTS:
            raise JointMappingError(
                f"{canonical!r} is not a canonical joint; those are: {', '.join(CANONICAL_JOINTS)}", field="mapping"
            )
        if name not in names:
            raise JointMappingError(f"no joint {name!r} among: {', '.join(names)}", field="mapping")
        found[canonical] = list(names).index(name)
    return found


def _first_match(
    parsed: Sequence[tuple[str | None, str]], side: str | None, aliases: Sequence[str], taken: set[int]
) -> int | None:
    for alias in aliases:
        for index, key in enumerate(parsed):
            if key == (side, alias) and index not in taken:
                return index
    return None


def split_joint_name(name: str) -> tuple[str | None, str]:
    """A joint's side (``left``, ``right`` or None) and the rest of its name, lower case without separators."""
    words = [word.lower() for word in _WORDS.findall(name.rsplit(":", 1)[-1])]
    if len(words) > 1 and re.fullmatch(r"(bip|character|mixamorig|j|b)\d*", words[0]):
        words = words[1:]
    for place in (0, -1):
        if len(words) > 1 and words[place] in _SIDES:
            side = _SIDES[words[place]]
            rest = words[1:] if place == 0 else words[:-1]
            return side, "".join(rest)
    whole = "".join(words)
    for prefix, side in _SIDES.items():
        if whole.startswith(prefix) and whole[len(prefix) :] in _SIDED_ALIASES:
            return side, whole[len(prefix) :]
    return None, whole
