"""How the joints of a body hang together where only their names are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kineseg.motion.joint_mapping import find_joints
from kineseg.motion.joint_names import split_joint_names

# Of each canonical joint those above it, the nearest first.
_ABOVE = {
    "spine": ("hips",),
    "chest": ("spine", "hips"),
    "neck": ("chest", "spine"),
    "head": ("neck",),
    "shoulder": ("chest", "neck", "spine"),
    "elbow": ("shoulder",),
    "wrist": ("elbow",),
    "hip": ("hips",),
    "knee": ("hip",),
    "ankle": ("knee",),
    "toe": ("ankle",),
}
# What the canonical pose does not have.
_BEYOND = {"hand": "wrist", "handtip": "wrist", "thumb": "wrist", "foot": "ankle"}


def tree_of(names: Sequence[str], mapping: Mapping[str, str] | None = None) -> tuple[int, ...]:
    """The parents of joints by their names.

    Args:
        names: Of J joints.
        mapping: Canonical name -> source name, where the names do not say it.

    Returns:
        J indices into `names`: the joint above each as far as the names say it, for all others the root, which is the
        hips or else the first of them; -1 for the root itself.

    Raises:
        JointMappingError: The mapping names a joint that does not exist.
    """
    found = find_joints(names, mapping)
    above: list[int | None] = [None] * len(names)
    for canonical, joint in found.items():
        side, _, word = canonical.rpartition("_")
        above[joint] = _first(found, side, _ABOVE.get(word, ()))
    for joint, (found_side, word) in enumerate(split_joint_names(names)):
        if joint not in found.values() and word in _BEYOND:
            above[joint] = _first(found, found_side or "", (_BEYOND[word],))
    root = found.get("hips", above.index(None))
    return tuple(-1 if joint == root else root if parent is None else parent for joint, parent in enumerate(above))


def _first(found: Mapping[str, int], side: str, words: Sequence[str]) -> int | None:
    """The first of these joints that there is, on that side or in the middle."""
    names = (name for word in words for name in (f"{side}_{word}", word))
    return next((found[name] for name in names if name in found), None)
