"""What the canonical pose keeps between frames, as arrays: whoever computes it in another way goes on from the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.joint_mapping import CANONICAL_JOINTS

Array = NDArray[np.float64]

SEEN, LAST_S, SIZE_SUM, SIZED, LEFT_X, LEFT_Z, RECENT = range(7)
"""Places in `CanonicalState.numbers`."""
HIPS, LEFT, AT = slice(0, 3), slice(3, 5), 5
"""Columns of `CanonicalState.recent`."""


@dataclass(slots=True)
class CanonicalState:
    """How far the canonical pose of one source has come. Picklable.

    Attributes:
        numbers: ``(7,)``: how many frames were seen, and the time of the last one in seconds (NaN: frames have no
            times); the sum of body sizes and of how many; the unit vector on the floor towards the body's left (x, z);
            how many rows of `recent` there are.
        body: ``(19, 3)`` the last body, y up.
        recent: ``(lag, 6)`` of the latest frames, the oldest first: hips (x, y, z), left (x, z), and the frame's
            number in frame periods.
        anchors: For each joint of the base that is lost the whole body when it was seen last.
    """

    numbers: Array
    body: Array
    recent: Array
    anchors: dict[int, Array] = field(default_factory=dict)

    @classmethod
    def before_all(cls, lag: int) -> CanonicalState:
        """Before the first frame; speeds will be over `lag` frame periods."""
        numbers = np.zeros(7)
        numbers[LAST_S] = np.nan
        numbers[LEFT_X] = 1.0  # until a frame shows it
        return cls(numbers, np.full((len(CANONICAL_JOINTS), 3), np.nan), np.zeros((lag, 6)))

    def remember(self, rows: Array) -> None:
        """Keeps the latest of `recent` and these rows."""
        kept = np.concatenate([self.recent[: int(self.numbers[RECENT])], rows])[-len(self.recent) :]
        self.recent[: len(kept)] = kept
        self.numbers[RECENT] = len(kept)
