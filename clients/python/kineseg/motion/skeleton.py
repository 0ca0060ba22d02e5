"""A skeleton: named joints in one tree, and where each stands relative to its parent at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import SkeletonError


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints.

    Attributes:
        names: J unique joint names.
        parents: J indices into ``names``; -1 for the root, which is first; a parent comes before its children.
        offsets: ``(J, 3)`` rest position of each joint relative to its parent, in the source's units of length.

    Raises:
        SkeletonError: Not one tree, names repeated, or offsets not finite.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "parents", tuple(int(p) for p in self.parents))
        offsets = np.array(self.offsets, dtype=np.float64)
        offsets.setflags(write=False)
        object.__setattr__(self, "offsets", offsets)
        self._check()

    def _check(self) -> None:
        n = len(self.names)
        if n == 0:
            raise SkeletonError("a skeleton needs at least one joint", field="names")
        repeated = sorted(name for name, count in Counter(self.names).items() if count > 1)
        if repeated:
            raise SkeletonError(f"joint names must be unique; repeated: {', '.join(repeated)}", field="names")
        if len(self.parents) != n:
            raise SkeletonError(f"{len(self.parents)} parents for {n} joints", field="parents")
        if self.parents[0] != -1:
            raise SkeletonError("the first joint must be the root (parent -1)", field="parents")
        for joint, parent in enumerate(self.parents[1:], start=1):
            if not 0 <= parent < joint:
                raise SkeletonError(
                    f"joint {joint} ({self.names[joint]}) has parent {parent}: a parent must come before its children "
                    "and only the first joint may be a root",
                    field="parents",
                )
        if self.offsets.shape != (n, 3):
            raise SkeletonError(f"offsets must have shape ({n}, 3), got {self.offsets.shape}", field="offsets")
        if not np.isfinite(self.offsets).all():
            bad = int(np.flatnonzero(~np.isfinite(self.offsets).all(axis=1))[0])
            raise SkeletonError(f"the offset of joint {self.names[bad]} is not finite", field="offsets")

    @property
    def n_joints(self) -> int:
        """Number of joints, J."""
        return len(self.names)

    def index(self, name: str) -> int:
        """The index of the joint of that name.

        Raises:
            SkeletonError: There is no such joint.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise SkeletonError(f"no joint {name!r}; there are: {', '.join(self.names)}", field="names") from None

    def indices(self, names: Sequence[str]) -> list[int]:
        """The indices of several joints; see `index`."""
        return [self.index(name) for name in names]

    def rest_positions(self) -> NDArray[np.float64]:
        """``(J, 3)`` joint positions with no joint rotated and the root at its own offset."""
        positions = np.array(self.offsets)
        for joint, parent in enumerate(self.parents[1:], start=1):
            positions[joint] += positions[parent]
        return positions
