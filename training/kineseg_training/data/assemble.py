"""Builds long streams out of short clips: one performance of several actions, with known joins.

The character is carried on from where it stood and the way it faced, and postures pass over into each other bone by
bone, so that bones keep their lengths. Most actions are put together from several clips, so that a join says nothing
about whether the action changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from kineseg.motion import Annotation, Recording, Skeleton
from kineseg.motion.joint_mapping import map_joints
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """How a stream is put together; all times in seconds.

    Attributes:
        segments: How many.
        pool: Of how many different actions at most; with fewer than segments, some come back.
        shortest: A segment is at least this long ...
        longest: ... and goes on until a length drawn up to this is reached.
        blend: How long a join takes.
        whole: Clips up to this length are taken whole; of longer ones a piece
        piece: of a length drawn between these two, from anywhere in it.
        least_clip: Shorter clips are left out.
    """

    segments: int = 12
    pool: int = 7
    shortest: float = 4.0
    longest: float = 9.0
    blend: float = 1.0 / 3.0
    whole: float = 8.0
    piece: tuple[float, float] = (3.0, 5.0)
    least_clip: float = 1.2


@dataclass(frozen=True, eq=False)
class Assembled:
    """What came out.

    Attributes:
        recording: With truth; its boundaries are the middles of the joins, its tolerance their ends.
        joins: Middle frames of all joins, those within a segment too.
    """

    recording: Recording
    joins: tuple[int, ...]


def assemble(
    clips: Mapping[str, Sequence[Recording]], seed: int, *, name: str, rules: Rules | None = None
) -> Assembled:
    """A stream of segments, each of one action and at least ``rules.shortest`` long.

    Args:
        clips: Recordings by action, all with positions, one skeleton's joints and one rate.
        seed: Decides everything random.
        name: Of the recording.
        rules: How to put it together.

    Raises:
        ValueError: There are not two actions with clips that are long enough, or the clips do not fit together.
    """
    rules = rules or Rules()
    rng = np.random.default_rng(seed)
    usable = {
        action: [clip for clip in clips[action] if clip.duration_s >= rules.least_clip] for action in sorted(clips)
    }
    actions = [action for action, found in usable.items() if found]
    if len(actions) < 2:
        raise ValueError(f"{name}: needs at least two actions with clips of {rules.least_clip:g} s or more")
    pool = [actions[i] for i in rng.permutation(len(actions))[: rules.pool]]
    first = usable[pool[0]][0]
    if any(c.rate != first.rate or c.joints != first.joints for a in pool for c in usable[a]):
        raise ValueError(f"{name}: clips of one stream need the same rate and joints")
    body = _Body(first)
    blend = max(2, round(rules.blend * first.rate))
    motion: Array | None = None
    joins: list[int] = []
    starts: list[int] = [0]
    names: list[str] = []
    for _ in range(rules.segments):
        choices = [action for action in pool if not names or action != names[-1]]
        action = choices[int(rng.integers(len(choices)))]
        need = rng.uniform(rules.shortest, rules.longest) * first.rate + blend
        begin = 0 if motion is None else len(motion) - blend + blend // 2
        made = 0
        while made < need:
            clip = usable[action][int(rng.integers(len(usable[action])))]
            piece = _piece(clip, rng, rules)
            if motion is None:
                motion = piece
            else:
                joins.append(len(motion) - blend + blend // 2)
                motion = body.join(motion, piece, blend)
            made = len(motion) - begin
        if names:
            starts.append(begin)
        names.append(action)
    assert motion is not None  # there is at least one segment
    half = blend // 2
    truth = Annotation.from_names(starts, names, [(max(0, s - half), s + blend - half) for s in starts])
    recording = Recording(
        frames=motion.reshape(len(motion), -1),
        rate=first.rate,
        channels=tuple(f"{joint}.{axis}" for joint in first.joints for axis in "xyz"),
        skeleton=first.skeleton,
        positions=motion,
        joints=first.joints,
        name=name,
        truth=truth,
    )
    return Assembled(recording, tuple(joins))


def _piece(clip: Recording, rng: np.random.Generator, rules: Rules) -> Array:
    positions = np.asarray(clip.positions)
    if clip.duration_s <= rules.whole:
        return positions
    length = round(rng.uniform(*rules.piece) * clip.rate)
    start = int(rng.integers(0, len(positions) - length + 1))
    return positions[start : start + length]


class _Body:
    """Knows which joints determine place and heading, and along which bones to blend. World is y up."""

    def __init__(self, recording: Recording) -> None:
        skeleton = recording.skeleton
        if skeleton is None or recording.up != "y" or recording.joints != skeleton.names:
            raise ValueError(f"{recording.name}: only y-up recordings with a skeleton can be put together")
        found = map_joints(skeleton.names)
        self._sides = found["left_hip"], found["right_hip"]
        self._hips = found.get("hips", 0)
        self._bones = _bones_from(skeleton, self._hips)
        self._parents = skeleton.parents

    def join(self, before: Array, after: Array, blend: int) -> Array:
        """``(T1 + T2 - blend, J, 3)``: `after` moved to where `before` ends, the last frames passing over to it."""
        if min(len(before), len(after)) < blend:
            raise ValueError(f"pieces of {len(before)} and {len(after)} frames are too short for a blend of {blend}")
        after = self._carried_on(before[-blend:], after, blend)
        share = (np.arange(blend) + 1.0) / (blend + 1.0)
        share = (share * share * (3.0 - 2.0 * share))[:, None, None]
        passing = self._blend(before[-blend:], after[:blend], share)
        return np.concatenate([before[:-blend], passing, after[blend:]])

    def _carried_on(self, tail: Array, after: Array, blend: int) -> Array:
        """`after` turned about the vertical and moved over the floor so that both agree at the middle of the join."""
        middle = blend // 2
        turn = self._heading(tail[middle]) - self._heading(after[middle])
        cos, sin = np.cos(turn), np.sin(turn)
        x, z = after[..., 0], after[..., 2]
        turned = np.stack([cos * x + sin * z, after[..., 1], cos * z - sin * x], axis=-1)
        shift = tail[middle, self._hips] - turned[middle, self._hips]
        shift[1] = 0.0
        return np.asarray(turned + shift)

    def _heading(self, pose: Array) -> float:
        """Angle about the vertical of the line from the right to the left hip."""
        left, right = self._sides
        across = pose[left] - pose[right]
        return float(np.arctan2(-across[2], across[0]))

    def _blend(self, a: Array, b: Array, share: Array) -> Array:
        """Between two motions: the root's way straight, every bone's direction and length on its own."""
        out = a + share * (b - a)
        for joint in self._bones:
            parent = self._parents[joint]
            bone_a, bone_b = a[:, joint] - a[:, parent], b[:, joint] - b[:, parent]
            s = share[:, 0]
            length_a, length_b = (np.linalg.norm(bone, axis=1, keepdims=True) for bone in (bone_a, bone_b))
            length = length_a + s * (length_b - length_a)
            out[:, joint] = out[:, parent] + length * _turned(_unit(bone_a, length_a), _unit(bone_b, length_b), s)
        return out


def _bones_from(skeleton: Skeleton, hips: int) -> list[int]:
    """Joints in order that hang below the hips' chain; the hips and what is above them move as points."""
    chain = {hips}
    while (parent := skeleton.parents[min(chain)]) >= 0:
        chain.add(parent)
    return [joint for joint in range(skeleton.n_joints) if joint not in chain]


def _unit(vectors: Array, lengths: Array) -> Array:
    return np.asarray(vectors / np.where(lengths > 0.0, lengths, 1.0))


def _turned(a: Array, b: Array, share: Array) -> Array:
    """Directions a share of the way from `a` to `b`, turning evenly, so that even a wide turn has no rush in it."""
    angle = np.arccos(np.clip((a * b).sum(axis=1, keepdims=True), -1.0, 1.0))
    sine = np.sin(angle)
    wide = sine > 1e-6
    safe = np.where(wide, sine, 1.0)
    weight_a = np.where(wide, np.sin((1.0 - share) * angle) / safe, 1.0 - share)
    weight_b = np.where(wide, np.sin(share * angle) / safe, share)
    return np.asarray(weight_a * a + weight_b * b)
