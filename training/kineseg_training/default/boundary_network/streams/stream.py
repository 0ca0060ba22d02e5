"""A training stream: what a source would send, and where it was made to change."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Kind = Literal["body", "sensors", "process", "idle", "annotated"]

BODY_RATE = 60.0
"""Frames per second of bodies, before a camera or sensors see them."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Where a stream was made to change.

    Attributes:
        boundaries: ``(K, 2)`` seconds at which a segment begins, increasing, and half of how long the change takes.
        certainty: ``(K + 1,)`` by segment, 0 to 1: how certain it is that its inside holds no boundary. A recorded
            clip of one action by name may hold several.
        actions: ``(K + 1,)`` by segment: two with the same number are the same action.
    """

    boundaries: Array
    certainty: Array
    actions: Integers

    @classmethod
    def of(
        cls,
        boundaries: Sequence[tuple[float, float]] | Array,
        certainty: Sequence[float] | Array,
        actions: Sequence[Hashable] | None = None,
    ) -> Truth:
        """From one pair a boundary, one number a segment, and what each segment is; all differ unless it is given."""
        if actions is None:
            actions = range(len(certainty))
        numbers = {action: number for number, action in enumerate(dict.fromkeys(actions))}
        return cls(
            np.array(boundaries, dtype=np.float64).reshape(-1, 2),
            np.array(certainty, dtype=np.float64),
            np.array([numbers[action] for action in actions], dtype=np.int64),
        )

    @classmethod
    def of_one_segment(cls) -> Truth:
        """No boundary at all."""
        return cls.of([], [1.0])

    def until(self, end_s: float) -> Truth:
        """Without the boundaries from `end_s` on."""
        kept = int(np.searchsorted(self.boundaries[:, 0], end_s))
        return Truth(self.boundaries[:kept], self.certainty[: kept + 1], self.actions[: kept + 1])


@dataclass(frozen=True, eq=False)
class TrainingStream:
    """A stream to train on.

    Attributes:
        kind: What it was made as.
        canonical: Whether its frames are canonical poses; otherwise they are channels of any meaning.
        frames: ``(T, C)`` finite.
        rate: Frames per second.
        truth: Its boundaries.
    """

    kind: Kind
    canonical: bool
    frames: Array
    rate: float
    truth: Truth

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.frames) / self.rate
