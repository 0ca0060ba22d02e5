"""What no body does, found with the first rows of it: a change of axes, or of unit."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.anomalies.diagnosis.axes import LEAST_MOVE, axes_changed
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.rules.book import RuleFinding
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.kept.declared import keeps
from kineseg_core.kernels import kernel

_UNIT = math.log(5.0)
_SPREAD = 0.35
_SETTLED_S = 1.0
_KEPT_S = 20.0
"""Axes that have changed are what is usual after so long."""


@keeps("_changed_s", fixed="_root")
class BodyRules:
    """Exact rules on the values of a body. Picklable.

    Args:
        source: The body.
    """

    _changed_s: float | None

    def __init__(self, source: WatchedSource) -> None:
        self._root = source.root
        self._changed_s = None

    @property
    def idle(self) -> bool:
        """Whether it need not be given a row that `may_be_changed` does not point at."""
        return self._changed_s is None

    def update(self, values: BodyValues, time_s: float, watched_s: float, *, settled: bool) -> list[RuleFinding]:
        """Looks at a new row of values.

        Args:
            values: With that row.
            time_s: Capture time of the row.
            watched_s: For how long there have been rows.
            settled: Whether most joints are seen, and have been for a while, without a gap.
        """
        findings = []
        looked_at = settled and watched_s >= _SETTLED_S and values.moved > LEAST_MOVE
        if looked_at and axes_changed(np.delete(values.last_places(), self._root, axis=1)):
            self._changed_s = time_s if self._changed_s is None else None
        if self._changed_s is not None:
            if time_s - self._changed_s > _KEPT_S:
                self._changed_s = None
            else:
                findings.append(RuleFinding(AnomalyKind.AXES, (), self._changed_s))
        if _other_unit(values):
            findings.append(RuleFinding(AnomalyKind.UNIT, (), time_s))
        return findings


def _other_unit(values: BodyValues) -> bool:
    common = values.common_deviation
    if abs(common) < _UNIT:
        return False
    spread = float(np.nanmedian(np.abs(values.deviations - common)))
    return spread < _SPREAD * abs(common)


@kernel(inlined=True)
def may_be_changed(state, constants):  # type: ignore[no-untyped-def]
    """Whether the newest row is one in which axes or unit may have changed; hardly any is.

    Args:
        state, constants: Of `BodyValues`.
    """
    moved = state.row[3 * len(state.known)] / constants.rate
    return moved > LEAST_MOVE or abs(state.shape.common[0]) >= _UNIT
