"""Which values a source has, in one row: detector after detector, unit after unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.signs import DetectorClass

NONE = -1
LARGEST_OTHER = -2
"""As a rival: the largest of the same detector's other values."""


@dataclass(frozen=True)
class Detector:
    """A detector.

    Attributes:
        name: Of it.
        of: Its class.
        units: Of each of its values the unit that it is about; `NONE`: the whole source.
        others: Of each the other unit that it depends on, or `NONE`.
        rivals: Of each the value of this detector that explains it if it is as large: what the whole body or rig does
            is no fault of one unit. Index within the detector, `NONE` or `LARGEST_OTHER`.
        floor: Values below it are as good as none.
        weight: Share of the budget.
        share: Of what is usual among the units, below which no unit's limit lies; 0 where they are not alike.
        warm_up_s: How long a stream must have been watched before it says something.
        most_excess: Times the prior's mean that an excess of the stream's own counts as at most. Large: what the stream
            has done may come again. 1: what is found with it may happen often and still be worth an alarm.
        relative: Whether its values are relative to what is usual already: their limit is `floor`.
    """

    name: str
    of: DetectorClass
    units: tuple[int, ...]
    others: tuple[int, ...]
    rivals: tuple[int, ...]
    floor: float
    weight: float
    share: float
    warm_up_s: float = 10.0
    most_excess: float = 2.5
    relative: bool = False


class LayoutArrays(NamedTuple):
    """A layout as arrays.

    Attributes:
        start: ``(D + 1,)`` where each detector's values begin.
        unit, other, rival: ``(N,)`` see `Detector`; rivals as indices of the row.
        floor: ``(D,)``
        share: ``(D,)``
        weight: ``(D,)`` which sum to 1.
        most_excess, relative: ``(D,)`` see `Detector`.
    """

    start: NDArray[np.int64]
    unit: NDArray[np.int64]
    other: NDArray[np.int64]
    rival: NDArray[np.int64]
    floor: NDArray[np.float64]
    share: NDArray[np.float64]
    weight: NDArray[np.float64]
    most_excess: NDArray[np.float64]
    relative: NDArray[np.bool_]


class ValueLayout:
    """The values of D detectors in one row of N.

    Args:
        detectors: All of them.

    Attributes:
        detectors: The same.
        arrays: The same as arrays.
    """

    def __init__(self, detectors: tuple[Detector, ...]) -> None:
        self.detectors = detectors
        start = np.cumsum([0, *(len(detector.units) for detector in detectors)], dtype=np.int64)
        weight = np.array([detector.weight for detector in detectors])
        self.arrays = LayoutArrays(
            start=start,
            unit=np.array([unit for detector in detectors for unit in detector.units], np.int64),
            other=np.array([unit for detector in detectors for unit in detector.others], np.int64),
            rival=np.array(
                [
                    rival + first if rival >= 0 else rival
                    for detector, first in zip(detectors, start.tolist(), strict=False)
                    for rival in detector.rivals
                ],
                np.int64,
            ),
            floor=np.array([detector.floor for detector in detectors]),
            share=np.array([detector.share for detector in detectors]),
            weight=weight / weight.sum(),
            most_excess=np.array([detector.most_excess for detector in detectors]),
            relative=np.array([detector.relative for detector in detectors]),
        )

    def __reduce__(self) -> tuple[type[ValueLayout], tuple[tuple[Detector, ...]]]:
        """All of it follows from the detectors, and a stream's state is to be small."""
        return ValueLayout, (self.detectors,)

    def __len__(self) -> int:
        return int(self.arrays.start[-1])

    def of(self, name: str) -> slice:
        """The values of a detector; none if there is no such detector."""
        for d, detector in enumerate(self.detectors):
            if detector.name == name:
                return slice(int(self.arrays.start[d]), int(self.arrays.start[d + 1]))
        return slice(0, 0)
