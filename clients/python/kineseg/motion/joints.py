"""The joints of a body as a live source describes them: what the numbers of its frames mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion.errors import JointMappingError, RecordingError, SkeletonError
from kineseg.motion.joint_mapping import find_joints
from kineseg.motion.recording import Recording, Up
from kineseg.motion.skeleton import Skeleton

LengthUnit = Literal["", "m", "cm", "mm", "in"]
"""Metres, centimetres, millimetres, inches; empty: not known."""
Rotations = Literal["none", "quaternions", "euler"]
"""How frames say where joints are, see `Joints`."""

MOST_JOINTS = 512
_LONGEST_NAME = 128
_LARGEST_OFFSET = 1e9
_SHOWN = 64  # characters of a name in an error


@dataclass(frozen=True, kw_only=True)
class Joints:
    """J joints of a body, and how frames say where they are.

    Coordinates are right-handed. Neither the unit of length nor where the origin is matters to the canonical pose.

    What a frame holds depends on `rotations`:

    - ``"none"``: x, y, z of each joint in the world: 3 J numbers. NaN: the joint is not seen.
    - ``"quaternions"``: x, y, z of the root in the world, then x, y, z, w of each joint's rotation: 3 + 4 J numbers.
    - ``"euler"``: x, y, z of the root in the world, then each joint's angles in degrees about the moving axes, in the
      order of `euler_orders`: the rows of a BVH file whose root begins with X, Y and Z position, and whose other joints
      have rotations only.

    Rotations are local: each turns a joint's own axes into its parent's, the root's into the world's.

    Attributes:
        names: J unique names, at most 512, in the order sent.
        parents: J indices into `names`; -1 for the root, which is first; a parent comes before its children. Empty: not
            known.
        offsets: J positions at rest, x, y, z relative to the parent, in the unit of the positions; ``(J, 3)`` of any
            kind, kept as tuples. Empty: not known. With parents they give the size of the body; without, it is the
            mean over all frames so far.
        up: The vertical axis, ``y`` or ``z``.
        unit: The unit of length, for those who read the session.
        mapping: Canonical joint -> name in `names`, for names that are not recognised.
        rotations: How frames say where the joints are; rotations need parents and offsets.
        euler_orders: For ``"euler"`` the axes of each joint's angles in the order sent, such as ``"ZXY"``: up to three
            different letters, none for a joint that does not turn.

    Raises:
        SkeletonError: Something does not fit the rest; `field` says what.
        JointMappingError: The mapping names a joint that does not exist.
    """

    names: Sequence[str]
    parents: Sequence[int] = ()
    offsets: Sequence[Sequence[float]] | NDArray[np.floating] = ()
    up: Up = "y"
    unit: LengthUnit = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    rotations: Rotations = "none"
    euler_orders: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._check_names()
        object.__setattr__(self, "parents", _indices(self.parents))
        object.__setattr__(self, "offsets", _points(self.offsets))
        try:
            object.__setattr__(self, "mapping", dict(self.mapping))
        except (TypeError, ValueError):
            raise SkeletonError(
                'mapping must be canonical joint to joint name, such as {"left_elbow": "LFarm"}', field="mapping"
            ) from None
        object.__setattr__(self, "euler_orders", tuple(self.euler_orders))
        self._check_tree()
        _check_choice("up", self.up, get_args(Up))
        _check_choice("unit", self.unit, get_args(LengthUnit))
        _check_choice("rotations", self.rotations, get_args(Rotations))
        self._check_mapping()
        self._check_rotations()

    @classmethod
    def of(cls, recording: Recording) -> Joints:
        """The joints of a recording's positions.

        Raises:
            RecordingError: It has no joint positions.
            SkeletonError: Its joints cannot be sent: too many, or with endless names.
        """
        if recording.positions is None:
            raise RecordingError(f"{recording.name!r} has no joint positions", field="positions")
        skeleton = recording.skeleton
        known = skeleton is not None and skeleton.names == recording.joints
        return cls(
            names=recording.joints,
            parents=skeleton.parents if skeleton is not None and known else (),
            offsets=skeleton.offsets if skeleton is not None and known else (),
            up=recording.up,
            mapping=recording.mapping,
        )

    @property
    def skeleton(self) -> Skeleton | None:
        """The joints as a tree at rest; None unless parents and offsets are known."""
        if not self.parents or not len(self.offsets):
            return None
        return Skeleton(tuple(self.names), tuple(self.parents), np.array(self.offsets))

    @property
    def numbers(self) -> tuple[str, ...]:
        """The name of each number of a frame: ``LeftHand.x``, ``LeftHand.rotation_w``, ``LeftHand.Zrotation``, ..."""
        if self.rotations == "none":
            return tuple(f"{name}.{axis}" for name in self.names for axis in "xyz")
        root = tuple(f"{self.names[0]}.{axis}" for axis in "xyz")
        if self.rotations == "quaternions":
            return (*root, *(f"{name}.rotation_{part}" for name in self.names for part in "xyzw"))
        orders = zip(self.names, self.euler_orders, strict=True)
        return (*root, *(f"{name}.{axis}rotation" for name, order in orders for axis in order))

    @property
    def width(self) -> int:
        """How many numbers a frame holds."""
        if self.rotations == "none":
            return 3 * len(self.names)
        if self.rotations == "quaternions":
            return 3 + 4 * len(self.names)
        return 3 + sum(map(len, self.euler_orders))

    def rows(self, root: ArrayLike, rotations: ArrayLike) -> NDArray[np.float64]:
        """Frames to send, from positions of the root and rotations.

        Args:
            root: ``(T, 3)`` in the world.
            rotations: ``(T, J, 4)`` quaternions x, y, z, w; or ``(T, n)`` angles in degrees, joint by joint.

        Returns:
            ``(T, W)`` with W as `width` says.

        Raises:
            SkeletonError: Another shape, or these joints send positions.
        """
        if self.rotations == "none":
            raise SkeletonError("these joints send positions, not rotations", field="rotations")
        places, turns = np.asarray(root, np.float64), np.asarray(rotations, np.float64)
        wanted = self.width - 3
        if places.ndim != 2 or places.shape[1] != 3:
            raise SkeletonError(f"root must have shape (frames, 3), got {places.shape}", field="root")
        if turns.ndim not in (2, 3) or len(turns) != len(places) or turns[0:1].size != len(turns[0:1]) * wanted:
            shape = f"({len(places)}, {len(self.names)}, 4)" if self.rotations == "quaternions" else ""
            raise SkeletonError(
                f"rotations must have shape {shape or f'({len(places)}, {wanted})'}, got {turns.shape}",
                field="rotations",
            )
        return np.concatenate([places, turns.reshape(len(places), wanted)], axis=1)

    def _check_names(self) -> None:
        if isinstance(self.names, str) or not isinstance(self.names, Iterable):
            what = "one string" if isinstance(self.names, str) else type(self.names).__name__
            raise SkeletonError(f"names must be a sequence of names, got {what}", field="names")
        names = tuple(self.names)
        object.__setattr__(self, "names", names)
        if not 1 <= len(names) <= MOST_JOINTS:
            raise SkeletonError(f"there must be 1 to {MOST_JOINTS} joints, got {len(names)}", field="names")
        for at, name in enumerate(names):
            if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
                raise SkeletonError(
                    f"joint {at} needs a name of 1 to {_LONGEST_NAME} characters, got {str(name)[:_SHOWN]!r}",
                    field="names",
                )
        if len(set(names)) != len(names):
            twice = next(name for at, name in enumerate(names) if name in names[:at])
            raise SkeletonError(f"joint names must be unique; {twice[:_SHOWN]!r} is there twice", field="names")

    def _check_tree(self) -> None:
        if not self.parents:
            if len(self.offsets):
                raise SkeletonError("offsets are relative to parents: give parents, too", field="parents")
            return
        offsets = np.array(self.offsets) if len(self.offsets) else np.zeros((len(self.names), 3))
        Skeleton(tuple(self.names), tuple(self.parents), offsets)
        if np.abs(offsets).max() > _LARGEST_OFFSET:
            joint = int(np.abs(offsets).max(axis=1).argmax())
            raise SkeletonError(
                f"the offset of joint {self.names[joint][:_SHOWN]!r} must lie within {_LARGEST_OFFSET:g}",
                field="offsets",
            )

    def _check_mapping(self) -> None:
        for canonical, name in self.mapping.items():
            if not (isinstance(name, str) and len(canonical) <= _LONGEST_NAME and len(name) <= _LONGEST_NAME):
                raise JointMappingError(
                    f"the mapping must be from canonical joint to the name of a joint; {str(canonical)[:_SHOWN]!r} is "
                    "not, or its joint is not",
                    field="mapping",
                )
        if self.mapping:
            find_joints(tuple(self.names), self.mapping)

    def _check_rotations(self) -> None:
        if self.rotations != "euler" and self.euler_orders:
            raise SkeletonError("euler_orders are for rotations sent as Euler angles", field="euler_orders")
        if self.rotations == "none":
            return
        if self.skeleton is None:
            missing = "parents" if not self.parents else "offsets"
            raise SkeletonError(
                f"rotations say where joints are only with parents and offsets: give {missing}, or send positions",
                field=missing,
            )
        if self.rotations != "euler":
            return
        if len(self.euler_orders) != len(self.names):
            raise SkeletonError(
                f"{len(self.euler_orders)} orders of Euler angles for {len(self.names)} joints; a joint that does not "
                "turn has an empty one",
                field="euler_orders",
            )
        for name, order in zip(self.names, self.euler_orders, strict=True):
            if not isinstance(order, str) or set(order) - set("XYZ") or len(set(order)) != len(order):
                raise SkeletonError(
                    f"the order of joint {name[:_SHOWN]!r} must be up to three different letters out of X, Y and Z, "
                    f"got {str(order)[:_SHOWN]!r}",
                    field="euler_orders",
                )


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        raise SkeletonError(f"{name} must be one of {known}, got {str(value)[:_SHOWN]!r}", field=name)


def _indices(parents: Sequence[int]) -> tuple[int, ...]:
    try:
        return tuple(int(parent) for parent in parents)
    except (TypeError, ValueError) as error:
        raise SkeletonError(f"parents must be whole numbers: {error}", field="parents") from None


def _points(offsets: object) -> tuple[tuple[float, ...], ...]:
    try:
        points = np.array(offsets, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SkeletonError(f"offsets must be numbers, three for each joint: {error}", field="offsets") from None
    if points.size and (points.ndim != 2 or points.shape[1] != 3):
        raise SkeletonError(f"offsets must have shape (joints, 3), got {points.shape}", field="offsets")
    return tuple(map(tuple, points.tolist())) if points.size else ()
