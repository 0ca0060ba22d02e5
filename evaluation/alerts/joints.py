"""The tree of a body's joints, and which joints or channels are next to which."""

from __future__ import annotations

from collections.abc import Collection

from kineseg.motion import Recording, tree_of

from evaluation.alerts.stream import AlertStream

_AXES = ("x", "y", "z")


def parents_of(recording: Recording) -> tuple[int, ...]:
    """Index of each joint's parent, -1 for the root: the skeleton's, or what the names say."""
    if recording.skeleton is not None:
        return recording.skeleton.parents
    return tree_of(recording.joints, recording.mapping)


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
