"""What the segmenter asks of whatever gives its segments their labels."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Labeller(Protocol):
    """Gives labels to segments, each a point (dim,); picklable, and of bounded size.

    Attributes:
        length_scale: The stream's length scale at present, set before every question.
    """

    length_scale: float

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that are remembered."""

    @property
    def merged(self) -> tuple[tuple[int, int], ...]:
        """Pairs (label, into) that `learn` has merged when it was last called, in order; the older label remains."""

    def mint(self) -> int:
        """A label greater than any given before; only `learn` can make it one that is remembered."""

    def nearest(self, point: Array, error: float = 0.0) -> int | None:
        """Label that `point`, of squared standard error `error`, would get, None if a new one; changes nothing."""

    def learn(self, point: Array, weight: float = 1.0, new_label: int | None = None, error: float = 0.0) -> int:
        """Takes `point` in and returns its label: where that must be new, `new_label` if it was minted and not used.

        Of minted labels that are not used the last 16 are remembered; an older one counts as used. `weight` is the
        number of blocks that the point is the mean of.
        """
