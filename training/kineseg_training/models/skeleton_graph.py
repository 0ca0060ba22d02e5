"""The skeleton as a graph: which joints are neighbours, split into self, towards the centre and away from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from kineseg.motion import CANONICAL_BONES, CANONICAL_JOINTS
from numpy.typing import NDArray

from kineseg_training.errors import SettingsError

Array = NDArray[np.float64]

# The hips are the root of the canonical pose, and a body's centre of mass lies just above them.
CENTRE = "hips"
PARTITIONS = ("self", "towards the centre", "away from the centre")


def adjacency(joints: Sequence[str] = CANONICAL_JOINTS, bones: Sequence[tuple[str, str]] = CANONICAL_BONES) -> Array:
    """``(V, V)`` symmetric zeros and ones: whether two joints share a bone; none is its own neighbour.

    Raises:
        SettingsError: A bone ends in a joint that there is not.
    """
    place = {joint: i for i, joint in enumerate(joints)}
    found = np.zeros((len(joints), len(joints)))
    for bone in bones:
        missing = [end for end in bone if end not in place]
        if missing:
            raise SettingsError(
                f"bones: {bone} ends in {missing[0]!r}, which is none of the joints {', '.join(joints)}"
            )
        a, b = (place[end] for end in bone)
        found[a, b] = found[b, a] = 1.0
    return found


def partitions(neighbours: Array, centre: int) -> Array:
    """The spatial configuration partitioning of Yan, Xiong & Lin 2018 (section 3.3).

    Args:
        neighbours: ``(V, V)`` from `adjacency`, connected.
        centre: The joint that distances are counted from, in bones.

    Returns:
        ``(3, V, V)`` zeros and ones in the order of `PARTITIONS`: entry ``[k, v, w]`` says that w is in partition k of
        the neighbourhood of v. A neighbour as far from the centre as the joint itself counts with the joint, as in the
        paper. Over k they sum to the adjacency with ones on its diagonal.

    Raises:
        SettingsError: A joint is not connected with the centre.
    """
    hops = _hops(neighbours, centre)
    if not np.isfinite(hops).all():
        raise SettingsError(f"bones: {int(np.isinf(hops).sum())} joints are not connected with the centre")
    with_self = neighbours + np.eye(len(neighbours))
    ahead = hops[None, :] - hops[:, None]  # how much further from the centre w is than v
    return np.stack([with_self * (ahead == 0), with_self * (ahead < 0), with_self * (ahead > 0)])


def normalised(parts: Array) -> Array:
    """Each row of each partition divided by its number of neighbours, so that a joint hears their mean.

    Yan, Xiong & Lin divide by the square root of the degree on both sides, which for these one-sided partitions is no
    mean of anything; dividing by the degree keeps features of joints with many bones (chest, hips) at the size of the
    others. Rows without neighbours stay zero.

    Args:
        parts: ``(K, V, V)``.
    """
    degree = parts.sum(axis=2, keepdims=True)
    return np.asarray(parts / np.maximum(degree, 1.0))


def canonical_graph() -> Array:
    """``(3, 19, 19)``: the normalised partitions of the canonical skeleton about its hips."""
    return normalised(partitions(adjacency(), CANONICAL_JOINTS.index(CENTRE)))


def _hops(neighbours: Array, start: int) -> Array:
    """``(V,)``: bones between each joint and `start`; infinite where there is no way."""
    hops = np.full(len(neighbours), np.inf)
    reached, distance = np.zeros(len(neighbours), bool), 0
    reached[start] = True
    while np.isinf(hops[reached]).any():
        hops[reached & np.isinf(hops)] = distance
        reached |= (neighbours[reached] > 0).any(axis=0)
        distance += 1
    return hops
