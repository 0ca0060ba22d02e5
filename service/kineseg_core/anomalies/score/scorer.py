"""From frames to severities: how rare is what each detector sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.score.priors import GROUPS, group_of, prior_of
from kineseg_core.anomalies.score.ratios import Ratios
from kineseg_core.anomalies.score.tails import Prior, learn_and_judge, new_tails
from kineseg_core.anomalies.signs import DetectorClass, Sign
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.values.layout import ValueLayout
from kineseg_core.errors import InvalidRequest

F64 = NDArray[np.float64]

WARM_UP_S = 10.0
_CARRIED_WARM_UP_S = 2.0
_CALM_AT_LAST_S = 20.0
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
        tails: What the stream has taught of them.
        group: Of priors, see `group_of`; empty before the warm-up.
    """

    def __init__(self, source: WatchedSource) -> None:
        self.ratios = Ratios(source)
        detectors = self.ratios.layout.detectors
        self.severities = np.full(len(detectors), -np.inf)
        self._is_body = source.parents is not None
        self.tails = new_tails(len(detectors))
        self.group = ""
        self._prior: Prior | None = None
        self._warm_s = warm_up_s(self.ratios.layout)
        self._first_s = WARM_UP_S
        self._warm = np.zeros(len(detectors), bool)
        self._is_warm = False
        self.highest = -np.inf

    @property
    def warming_up(self) -> tuple[DetectorClass, ...]:
        """Classes of detectors that do not watch yet."""
        classes = {d.of for d, is_warm in zip(self.ratios.layout.detectors, self._warm, strict=True) if not is_warm}
        return tuple(sorted(classes, key=lambda of: of.value))

    def carry_on(self, group: str) -> None:
        """What an earlier stream of the same source has learnt is in the envelopes and tails: it warms up sooner.

        Raises:
            InvalidRequest: There is no such group of priors.
        """
        if group not in GROUPS:
            raise InvalidRequest(
                f"profile: there are no priors of {group!r}, only of {', '.join(GROUPS)}; save it anew", field="profile"
            )
        self.group = group
        self._first_s = _CARRIED_WARM_UP_S
        of_past = np.array([detector.of is DetectorClass.PAST for detector in self.ratios.layout.detectors])
        self._warm_s = np.where(of_past, self._warm_s, self._first_s)

    def update(self, filled: F64, lost: NDArray[np.bool_] | None, *, gap: bool, learns: bool) -> bool:
        """Takes a frame, see `Ratios.update`; whether there is a new row: before the warm-up of -inf."""
        ratios = self.ratios
        if not ratios.update(filled, lost, gap=gap, learns=learns):
            return False
        if ratios.seconds < self._first_s:
            return True
        if self._prior is None:
            self.group = self.group or group_of(ratios.layout, ratios.envelope, is_body=self._is_body)
            self._prior = prior_of(ratios.layout, self.group)
        if not self._is_warm:
            # What is beyond the usual just then has been so before: it is the usual that is not known yet.
            calm = (ratios.y < self._prior["level"]) | (ratios.seconds >= self._warm_s + _CALM_AT_LAST_S)
            self._warm |= calm & (ratios.seconds >= self._warm_s)
            self._is_warm = bool(self._warm.all())
        self.highest = learn_and_judge(
            ratios.y, 1.0 / ratios.rate_hz, self._prior, self.tails, ratios.layout.weight, self._warm, self.severities
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
