"""Every number that naming depends on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamingSettings:
    """When a segment gets a name; the defaults serve embeddings of unit total variance.

    least_probability: the mean probability of a recogniser's likeliest class over a segment from which on that is its
        name.
    lag_s: how long a recogniser still sees the action before: what is left out at a segment's beginning, up to half of
        it.
    radius: distance in the embedding space up to which a segment may be what a taught example is.
    ratio: the nearest example must be nearer than this share of the distance to the nearest one of any other name.
    """

    least_probability: float = 0.5
    lag_s: float = 0.4
    radius: float = 0.4
    ratio: float = 0.7

    @classmethod
    def from_bundle(cls, calibration: Mapping[str, float], *, median_squared_distance: float = 1.0) -> NamingSettings:
        """The defaults, with what a bundle's calibration says put over them.

        The default radius grows with the embedding: `median_squared_distance` is that of two blocks of a stream.

        Raises ValueError naming a setting that does not exist or is out of range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if unknown := sorted(set(calibration) - set(known)):
            raise ValueError(f"calibration.naming: unknown settings {', '.join(unknown)}; known are {known}")
        defaults = cls()
        scaled = dataclasses.replace(defaults, radius=defaults.radius * math.sqrt(median_squared_distance))
        chosen = dataclasses.replace(scaled, **{name: float(value) for name, value in calibration.items()})
        for name, low, high in (
            ("least_probability", 0.0, 1.0),
            ("lag_s", 0.0, 10.0),
            ("radius", 0.0, 1e9),
            ("ratio", 0.0, 1.0),
        ):
            value = getattr(chosen, name)
            if not low <= value <= high:
                raise ValueError(f"calibration.naming: {name} is {value:g}, it must be {low:g} to {high:g}")
        return chosen
