"""Hands and feet of both sides among the channels of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kineseg.motion.joint_names import ALIASES, split_joint_names

_AXES = (".x", ".y", ".z")
_ENDS = ("ankle", "wrist")


class Pair(NamedTuple):
    """A joint of both sides.

    Attributes:
        units: What the source calls them: two joints, or their channels.
        said: What the left and the right one are called in a sentence.
        left, right: Where their three coordinates stand.
    """

    units: tuple[str, ...]
    said: tuple[str, str]
    left: tuple[int, ...]
    right: tuple[int, ...]


def limb_pairs(channels: Sequence[str], joints: Mapping[str, str] | None = None) -> tuple[Pair, ...]:
    """Ankles (or feet) and wrists (or hands), of each the pair whose names say so best; empty: names say nothing.

    Args:
        channels: Names; those of a joint end with ``.x``, ``.y`` and ``.z``.
        joints: What the source calls the joints that channels name; None: it sends these channels.
    """
    at = {name: place for place, name in enumerate(channels)}
    named = [name[:-2] for name in channels if name.endswith(".x")]
    named = [joint for joint in named if all(joint + axis in at for axis in _AXES)]
    of = {split: joint for joint, split in zip(named, split_joint_names(named), strict=True)}
    pairs = []
    for end in _ENDS:
        both = (tuple(of.get((side, alias), "") for side in ("left", "right")) for alias in ALIASES[end])
        found = next(((left, right) for left, right in both if left and right), None)
        if found is not None:
            left, right = (tuple(at[joint + axis] for axis in _AXES) for joint in found)
            units = tuple(channels[place] for place in (*left, *right))
            if joints is not None:
                units = tuple(joints.get(joint, joint) for joint in found)
            pairs.append(Pair(units, (f"left {end}", f"right {end}"), left, right))
    return tuple(pairs)
