"""The tree of a body's joints, and which joints or channels are next to which."""

from __future__ import annotations

from collections.abc import Collection

from kineseg.motion import Recording
from kineseg.motion.joint_mapping import split_joint_name

from evaluation.alerts.stream import AlertStream

# Where a source gives no tree: by canonical name, each joint's parent, the nearest that the source has.
_ABOVE = {
    "spine": ("hips",),
    "chest": ("spine", "hips"),
    "neck": ("chest", "spine"),
    "head": ("neck",),
    "shoulder": ("chest", "neck", "spine"),
    "elbow": ("shoulder",),
    "wrist": ("elbow",),
    "hand": ("wrist",),
    "hip": ("hips",),
    "knee": ("hip",),
    "ankle": ("knee",),
    "toe": ("ankle",),
}
_AXES = ("x", "y", "z")


def parents_of(recording: Recording) -> tuple[int, ...]:
    """Index of each joint's parent, -1 for the root: the skeleton's, or what the canonical names say."""
    if recording.skeleton is not None:
        return recording.skeleton.parents
    at = {split_joint_name(name): index for index, name in enumerate(recording.joints)}
    parents = []
    for name in recording.joints:
        side, word = split_joint_name(name)
        above = [key for up in _ABOVE.get(word, ()) for key in ((side, up), (None, up)) if key in at]
        parents.append(at[above[0]] if above else (-1 if word == "hips" else 0))
    return tuple(parents)


def with_neighbours(stream: AlertStream, units: Collection[str]) -> set[str]:
    """These joints and those one bone away; or these channels and those of the same sensor, by name."""
    near = set(units)
    if stream.is_body:
        names = stream.units
        for name, parent in zip(names, stream.parents, strict=True):
            if parent >= 0 and (name in units or names[parent] in units):
                near |= {name, names[parent]}
        return near
    stems = {name[:-1] for name in units if name[-1:].lower() in _AXES}
    return near | {name for name in stream.units if name[:-1] in stems and name[-1:].lower() in _AXES}
