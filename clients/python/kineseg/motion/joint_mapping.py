"""Finds the joints of the canonical pose among the joint names that motion sources use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from kineseg.motion.errors import JointMappingError
from kineseg.motion.joint_names import ALIASES, RESOLVE, SIDED, split_joint_name, split_joint_names

__all__ = ["CANONICAL_JOINTS", "REQUIRED_JOINTS", "find_joints", "map_joints", "split_joint_name"]

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

_SHOWN, _SHOWN_BYTES = 60, 1500  # names in an error, and bytes of them: an error travels in a header of few kB


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
    found = find_joints(names, mapping)
    missing = [joint for joint in REQUIRED_JOINTS if joint not in found]
    if missing:
        raise JointMappingError(
            f"no joint found for {', '.join(missing)} among: {_listed(names)}. Rename them, or give a mapping from "
            f'canonical joint to joint name: mapping={{"{missing[0]}": "..."}} in Python, --mapping FILE (the same as '
            "JSON or TOML) on the command line",
            field="joints",
        )
    return found


def find_joints(names: Sequence[str], mapping: Mapping[str, str] | None = None) -> dict[str, int]:
    """What `map_joints` finds, also where it is too little for a body.

    Raises:
        JointMappingError: The mapping names a joint that does not exist.
    """
    found = _map_given(names, mapping or {})
    taken = set(found.values())
    parsed = split_joint_names(names)
    for joint in RESOLVE:
        for side in ("left", "right") if joint in SIDED else (None,):
            canonical = joint if side is None else f"{side}_{joint}"
            if canonical in found:
                continue
            index = _first_match(parsed, side, ALIASES[joint], taken)
            if index is not None:
                found[canonical] = index
                taken.add(index)
    return {joint: found[joint] for joint in CANONICAL_JOINTS if joint in found}


def _map_given(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for canonical, name in mapping.items():
        if canonical not in CANONICAL_JOINTS:
            raise JointMappingError(
                f"{canonical!r} is not a canonical joint; those are: {', '.join(CANONICAL_JOINTS)}", field="mapping"
            )
        if not isinstance(name, str) or name not in names:
            raise JointMappingError(
                f"no joint {name!r}, which the mapping gives for {canonical}, among: {_listed(names)}", field="mapping"
            )
        found[canonical] = list(names).index(name)
    return found


def _listed(names: Sequence[str]) -> str:
    sizes = accumulate(len(name.encode(errors="replace")) + 2 for name in names)
    shown = min(_SHOWN, sum(size <= _SHOWN_BYTES for size in sizes))
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _first_match(
    parsed: Sequence[tuple[str | None, str]], side: str | None, aliases: Sequence[str], taken: set[int]
) -> int | None:
    for alias in aliases:
        for index, key in enumerate(parsed):
            if key == (side, alias) and index not in taken:
                return index
    return None
