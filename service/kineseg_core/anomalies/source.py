"""What a stream's frames are: the joints of a body, or channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.errors import InvalidRequest


@dataclass(frozen=True)
class WatchedSource:
    """What is watched.

    Attributes:
        names: Of the U joints or channels.
        parents: Of each joint, -1 for the root; None: channels.
        rate_hz: Frames a second that the source says it sends.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...] | None
    rate_hz: float

    def __post_init__(self) -> None:
        if not self.names:
            raise InvalidRequest("names: there is nothing to watch; name at least one joint or channel", field="names")
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise InvalidRequest(f"names: {twice!r} is there more than once; name each once", field="names")
        if not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise InvalidRequest(
                f"rate_hz: is {self.rate_hz}; expected frames a second, a number above 0", field="rate_hz"
            )
        if self.parents is not None:
            _check_parents(self.parents, len(self.names))

    @classmethod
    def of_joints(cls, names: Sequence[str], parents: Sequence[int], rate_hz: float) -> WatchedSource:
        """A body.

        Args:
            names: Of J joints.
            parents: Index of each joint's parent, -1 for a root.
            rate_hz: Frames a second.

        Raises:
            InvalidRequest: No joints, a name twice, parents that make no tree, or a rate that cannot be.
        """
        return cls(tuple(names), tuple(int(parent) for parent in parents), float(rate_hz))

    @classmethod
    def of_channels(cls, names: Sequence[str], rate_hz: float) -> WatchedSource:
        """Any other channels.

        Args:
            names: Of C channels.
            rate_hz: Frames a second.

        Raises:
            InvalidRequest: No channels, a name twice, or a rate that cannot be.
        """
        return cls(tuple(names), None, float(rate_hz))

    @property
    def numbers(self) -> int:
        """Of a unit in a frame."""
        return 1 if self.parents is None else 3

    @property
    def root(self) -> int:
        """The joint that has no parent (the first of them); -1: channels."""
        return -1 if self.parents is None else self.parents.index(-1)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a frame: ``(J, 3)`` or ``(C,)``."""
        return (len(self.names),) if self.parents is None else (len(self.names), 3)


def _check_parents(parents: tuple[int, ...], joints: int) -> None:
    if len(parents) != joints:
        raise InvalidRequest(f"parents: {len(parents)} for {joints} joints; give one for each", field="parents")
    for joint in range(joints):
        seen, at = {joint}, joint
        while (at := parents[at]) != -1:
            if not 0 <= at < joints:
                raise InvalidRequest(
                    f"parents: {at} is no joint; expected 0 to {joints - 1}, or -1 for a root", field="parents"
                )
            if at in seen:
                raise InvalidRequest(f"parents: joint {joint} is its own ancestor; give a tree", field="parents")
            seen.add(at)
