"""What a labeller has to choose between at each segment of a stream, if its labels so far were right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from kineseg_core.segmenter.labels.neighbours import Neighbours
from kineseg_core.segmenter.labels.repetition import Known, features
from numpy.typing import NDArray

from kineseg_training.default.repetition.segments import Found, FoundStream

Array = NDArray[np.float64]

PUREST = 0.7
"""A segment of which less is one action has no right label."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One segment and the actions before it.

    Attributes:
        rows: ``(K, F)`` `features` of each known action.
        right: Which of them it is; None: a new one.
    """

    rows: Array
    right: int | None


def choices(stream: FoundStream) -> Iterator[Choice]:
    """The choice at each segment but the first."""
    known: dict[int, _Action] = {}
    neighbours = Neighbours()
    for segment in stream.segments:
        point = segment.point
        if known and segment.purity >= PUREST:
            usual = neighbours.usual_with(point.mean, segment.unit)
            rows = features(point, _known(list(known.values())), segment.unit, usual)
            right = list(known).index(segment.action) if segment.action in known else None
            yield Choice(rows, right)
        neighbours.add(point.mean, segment.unit)
        known.setdefault(segment.action, _Action(segment)).take(segment)


class _Action:
    """Segments of one action, put together as `PrototypeClusterer` does it."""

    def __init__(self, first: Found) -> None:
        self.mean = np.zeros_like(first.point.mean)
        self.variance = np.zeros_like(first.point.variance)
        self.error = self._weight = 0.0

    def take(self, segment: Found) -> None:
        point = segment.point
        self._weight += point.length
        share = point.length / self._weight if self._weight else 0.0
        self.mean = self.mean + (point.mean - self.mean) * share
        self.variance = self.variance + (point.variance - self.variance) * share
        self.error = (1.0 - share) ** 2 * self.error + share**2 * point.error


def _known(actions: list[_Action]) -> Known:
    return Known(
        np.stack([action.mean for action in actions]),
        np.array([action.error for action in actions]),
        np.stack([action.variance for action in actions]),
    )
