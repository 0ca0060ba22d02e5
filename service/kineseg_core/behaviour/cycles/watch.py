"""Windows wait until it is known which action they lie in; then they are judged, and learnt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.cycles.irregular_cycle import IrregularCycle
from kineseg_core.behaviour.cycles.one_sided_cycle import OneSidedCycle
from kineseg_core.behaviour.cycles.pairs import Pair
from kineseg_core.behaviour.cycles.window import Window
from kineseg_core.behaviour.cycles.windows import Windows
from kineseg_core.behaviour.finding import Action, Finding, OpenAction
from kineseg_core.behaviour.reports import Reports
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps

_MARGIN_NS = 1_000_000_000
"""Within which of an action's ends a window may hold some of the action next to it."""
_MOST_WAITING = 64
_CALM_WINDOWS = 2
_STAYS = 30
"""After so many windows what is reported becomes what is usual."""


@keeps("_windows _waiting _judges _calm _reported", fixed="_certain_ns")
class CycleWatch:
    """Finds what is unusual in repeated movement. Picklable.

    Args:
        channels: C, numbers in a frame.
        rate_hz: Frames a second.
        latency_s: After which it is certain that no boundary lies before.
        pairs: Limbs of both sides.
        share: Of the budget, for each kind.
    """

    _waiting: deque[Window]
    _calm: dict[AnomalyKind, int]
    _reported: dict[AnomalyKind, int]

    def __init__(self, channels: int, rate_hz: float, latency_s: float, pairs: Sequence[Pair], share: float) -> None:
        self._windows = Windows(channels, rate_hz, pairs)
        self._waiting = deque(maxlen=_MOST_WAITING)
        self._certain_ns = round(latency_s * 1e9) + _MARGIN_NS
        self._judges: dict[AnomalyKind, IrregularCycle | OneSidedCycle] = {
            AnomalyKind.IRREGULAR_CYCLE: IrregularCycle(share)
        }
        if pairs:
            self._judges[AnomalyKind.ONE_SIDED_CYCLE] = OneSidedCycle(share, pairs)
        self._calm = dict.fromkeys(self._judges, 0)
        self._reported = dict.fromkeys(self._judges, 0)

    def push(self, frame: NDArray[np.floating], place: Place) -> None:
        """Takes a frame (C,)."""
        window = self._windows.push(frame, place)
        if window is not None:
            self._waiting.append(window)

    def going_on(self, action: OpenAction, now: Place, reports: Reports) -> list[AnomalyFound]:
        """Judges the windows that certainly lie in an action that goes on."""
        return self._judge(action, now[1] - self._certain_ns, now, reports)

    def ended(self, action: Action, now: Place, reports: Reports) -> list[AnomalyFound]:
        """Judges those left of an action that is over; what was found in it is over as well."""
        found = self._judge(action, action.end[1] - _MARGIN_NS, now, reports)
        while self._waiting and self._waiting[0].start[1] < action.end[1]:
            self._waiting.popleft()  # neither in it nor in the next
        for kind in self._judges:
            found += reports.over(kind, now, action.end)
        return found

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        for judge in self._judges.values():
            judge.merge(label, into)

    def restart(self) -> None:
        """The stream was interrupted."""
        self._windows.restart()
        self._waiting.clear()

    def _judge(self, action: OpenAction | Action, until_ns: int, now: Place, reports: Reports) -> list[AnomalyFound]:
        found: list[AnomalyFound] = []
        while self._waiting and self._waiting[0].end[1] <= until_ns:
            window = self._waiting.popleft()
            if window.start[1] < action.start[1] + _MARGIN_NS:
                continue
            for kind, judge in self._judges.items():
                was_open = reports.is_open(kind)
                finding = judge.judge(action.label, action.name, window)
                found += self._decide(kind, finding, window, now, reports)
                if not was_open:  # a report counts once, and is learnt once, unless it stays
                    judge.count(action.label, window)
                    judge.learn(action.label, window)
                    self._reported[kind] = 0
                elif self._reported[kind] >= _STAYS:
                    judge.learn(action.label, window)
                self._reported[kind] += 1
        return found

    def _decide(
        self, kind: AnomalyKind, finding: Finding | None, window: Window, now: Place, reports: Reports
    ) -> list[AnomalyFound]:
        if not reports.is_open(kind):
            self._calm[kind] = 0
            return reports.on(finding, now)
        if finding is None or reports.calm(finding.nats, now):
            self._calm[kind] += 1
            return reports.over(kind, now, window.start) if self._calm[kind] >= _CALM_WINDOWS else []
        self._calm[kind] = 0
        return reports.on(finding, now)
