"""The examples of one model as arrays: which of them a segment is like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.naming.name import UNKNOWN, Name
from kineseg_core.naming.settings import NamingSettings

Array = NDArray[np.float64]


class KnownNames:
    """What has been taught for one model; shared by all its streams, picklable.

    `replace` puts other arrays in place of the old ones and changes none, so that any thread may ask at any time.

    Args:
        examples: Pairs of a name and a point (E,).
    """

    def __init__(self, examples: Iterable[tuple[str, Sequence[float]]] = ()) -> None:
        self._examples: tuple[list[str], NDArray[np.int64], Array] | None = None
        self.replace(examples)

    def replace(self, examples: Iterable[tuple[str, Sequence[float]]]) -> None:
        """From now on these are the examples."""
        pairs = list(examples)
        names = list(dict.fromkeys(name for name, _ in pairs))
        which = np.array([names.index(name) for name, _ in pairs], np.int64)
        self._examples = (names, which, np.array([point for _, point in pairs], np.float64)) if pairs else None

    def nearest(self, point: Array, settings: NamingSettings) -> Name:
        """Name of the example nearest to `point` (E,), if it is near enough and no other name is nearly as near.

        The confidence is 1 where the point is the example, and one half where it would be unknown any further away.
        """
        known = self._examples
        if known is None:
            return UNKNOWN
        names, which, points = known
        difference = points - point
        distances = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        best = int(distances.argmin())
        others = distances[which != which[best]]
        nearest, limit = float(distances[best]), settings.radius
        if len(others):
            limit = min(limit, settings.ratio * float(others.min()))
        if nearest > limit or limit <= 0.0:
            return UNKNOWN
        return Name(names[which[best]], 1.0 - 0.5 * nearest / limit)
