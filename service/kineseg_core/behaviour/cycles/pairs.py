"""Hands and feet of both sides among the channels of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kineseg.motion.joint_names import ALIASES, split_joint_names

_AXES = (".x", ".y", ".z")
_ENDS = ("ankle", "wrist")


class Pair(NamedTuple):
    """A joint of both sides.

    Attributes:
        joints: Names of the left and the right one.
        left, right: Where their three coordinates stand.
    """

    joints: tuple[str, str]
    left: tuple[int, ...]
    right: tuple[int, ...]


def limb_pairs(channels: Sequence[str]) -> tuple[Pair, ...]:
    """Ankles (or feet) and wrists (or hands), of each the pair whose names say so best; empty: names say nothing.

    Args:
        channels: Names; those of a joint end with ``.x``, ``.y`` and ``.z``.
    """
    at = {name: place for place, name in enumerate(channels)}
    joints = [name[:-2] for name in channels if name.endswith(".x")]
    joints = [joint for joint in joints if all(joint + axis in at for axis in _AXES)]
    of = {split: joint for joint, split in zip(joints, split_joint_names(joints), strict=True)}
    pairs = []
    for end in _ENDS:
        both = (tuple(of.get((side, alias), "") for side in ("left", "right")) for alias in ALIASES[end])
        found = next(((left, right) for left, right in both if left and right), None)
        if found is not None:
            left, right = (tuple(at[joint + axis] for axis in _AXES) for joint in found)
            pairs.append(Pair(found, left, right))
    return tuple(pairs)
