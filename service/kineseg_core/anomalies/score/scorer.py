"""From frames to severities: how rare is what each detector sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.priors import prior_of
from kineseg_core.anomalies.score.ratios import Ratios
from kineseg_core.anomalies.score.tails import Prior, learn_and_judge, new_tails
from kineseg_core.anomalies.signs import DetectorClass, Sign
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.layout import ValueLayout

F64 = NDArray[np.float64]

WARM_UP_S = 10.0
_WARM_UP_S = {DetectorClass.PAST: 30.0}


def warm_up_s(layout: ValueLayout) -> F64:
    """``(D,)`` how long a stream must have been watched before each detector does."""
    return np.array([_WARM_UP_S.get(detector.of, WARM_UP_S) for detector in layout.detectors])


class Scorer:
    """Severities of one stream. Picklable.

    Args:
        source: What the frames are.

    Attributes:
        ratios: What they are made of.
        severities: ``(D,)`` of the last row, nats; -inf: not yet watched.
        highest: Of these.
    """

    def __init__(self, source: WatchedSource) -> None:
        self.ratios = Ratios(source)
        detectors = self.ratios.layout.detectors
        self.severities = np.full(len(detectors), -np.inf)
        self._is_body = source.parents is not None
        self._tails = new_tails(len(detectors))
        self._prior: Prior | None = None
        self._warm_s = warm_up_s(self.ratios.layout)
        self._warm = np.zeros(len(detectors), bool)
        self._is_warm = False
        self.highest = -np.inf

    @property
    def warming_up(self) -> tuple[DetectorClass, ...]:
        """Classes of detectors that do not watch yet."""
        young = self.ratios.seconds < self._warm_s
        classes = {d.of for d, is_young in zip(self.ratios.layout.detectors, young, strict=True) if is_young}
        return tuple(sorted(classes, key=lambda of: of.value))

    def update(self, filled: F64, lost: NDArray[np.bool_], *, gap: bool, learns: bool) -> bool:
        """Takes a frame, see `Ratios.update`; whether there is a new row: before the warm-up of -inf."""
        ratios = self.ratios
        if not ratios.update(filled, lost, gap=gap, learns=learns):
            return False
        if ratios.seconds < WARM_UP_S:
            return True
        if self._prior is None:
            self._prior = prior_of(ratios.layout, ratios.envelope, is_body=self._is_body)
        if not self._is_warm:
            self._warm = ratios.seconds >= self._warm_s
            self._is_warm = bool(self._warm.all())
        self.highest = learn_and_judge(
            ratios.y, 1.0 / ratios.rate_hz, self._prior, self._tails, ratios.layout.weight, self._warm, self.severities
        )
        return True

    def signs(self, least: float, time_s: float) -> list[Sign]:
        """The classes of detectors that reach `least` in the last row, each by its most severe detector."""
        if self.highest < least:
            return []
        layout, best = self.ratios.layout, dict[DetectorClass, Sign]()
        for d in np.flatnonzero(self.severities >= least).tolist():
            of, severity = layout.detectors[d].of, float(self.severities[d])
            if of not in best or severity > best[of].severity:
                unit = int(layout.unit[self.ratios.top[d]])
                best[of] = Sign(of, () if unit < 0 else (unit,), severity, time_s)
        return list(best.values())
