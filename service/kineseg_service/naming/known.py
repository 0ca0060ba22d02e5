"""The examples of one model as arrays: which of them a segment is like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_service.naming.name import UNKNOWN, Name
from kineseg_service.naming.settings import NamingSettings

Array = NDArray[np.float64]


class KnownNames:
    """What has been taught for one model; shared by all its streams, picklable.

    `replace` puts other arrays in place of the old ones and changes none, so that any thread may ask at any time.

    Args:
        examples: Pairs of a name and a point (E,).
    """

    def __init__(self, examples: Iterable[tuple[str, Sequence[float]]] = ()) -> None:
        self._held: tuple[tuple[str, ...], Array] | None = None
        self.replace(examples)

    def replace(self, examples: Iterable[tuple[str, Sequence[float]]]) -> None:
        """From now on these are the examples."""
        pairs = list(examples)
        names = tuple(name for name, _ in pairs)
        self._held = (names, np.array([point for _, point in pairs], np.float64)) if pairs else None

    def __len__(self) -> int:
        return len(self._held[0]) if self._held is not None else 0

    def nearest(self, point: Array, settings: NamingSettings) -> Name:
        """Name of the example nearest to `point` (E,), if it is near enough and no other name is nearly as near.

        The confidence is 1 where the point is the example, and one half where it would be unknown any further away.
        """
        held = self._held
        if held is None:
            return UNKNOWN
        names, points = held
        difference = points - point
        distances = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        best = int(distances.argmin())
        others = [distance for name, distance in zip(names, distances.tolist(), strict=True) if name != names[best]]
        nearest, limit = float(distances[best]), settings.radius
        if others:
            limit = min(limit, settings.ratio * min(others))
        if nearest > limit or limit <= 0.0:
            return UNKNOWN
        return Name(names[best], 1.0 - 0.5 * nearest / limit)
