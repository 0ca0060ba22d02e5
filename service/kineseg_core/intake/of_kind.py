"""Which streams' chunks may go through one kernel."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kineseg_core.intake.watch import Watched


class OfKind(NamedTuple):
    """What `together` knows an intake by, as long as it is there.

    Attributes:
        kind: The same, and no other's, for all whose plain chunks may go through one kernel.
        distance: See `Resampler`.
        made_per_frame: See `Resampler`.
        watched: What looks for anomalies; none: nothing does.
    """

    kind: object
    distance: int
    made_per_frame: float
    watched: Watched | None


@lru_cache(maxsize=256)
def kind_of(resampled: object, order: tuple[int, ...] | None, watched: object) -> object:
    """The same for the same."""
    return object()
