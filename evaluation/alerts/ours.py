"""Our monitor, as a detector of the bench."""

from __future__ import annotations

import numpy as np
from kineseg_core.anomalies import AnomalyBudget, AnomalyMonitor, Cleared, Raised, WatchedSource
from numpy.typing import NDArray

from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Alarm

Array = NDArray[np.float64]

KNOWN_AFTER_S = 0.5  # so long after an alarm its kind and units are asked for


class Monitor:
    """`AnomalyMonitor` at a budget; its scores are the severities, in nats.

    Args:
        stream: To be watched.
        per_hour: Alarms an hour that may be false.
    """

    def __init__(self, stream: AlertStream, per_hour: float) -> None:
        names, rate = stream.units, stream.recording.rate
        if stream.is_body:
            source = WatchedSource.of_joints(names, stream.parents, rate)
        else:
            source = WatchedSource.of_channels(names, rate)
        self.alarms: list[Alarm] = []
        self._monitor = AnomalyMonitor(source, AnomalyBudget(alarms_per_hour=per_hour))
        self._young: dict[int, int] = {}  # by number of an anomaly whose kind may still change: where its alarm is

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        for row, event in self._monitor.push(values, times):
            if isinstance(event, Cleared):
                continue
            alarm = Alarm(float(times[row]), event.kind.value, event.units)
            if isinstance(event, Raised):
                self._young[event.anomaly_id] = len(self.alarms)
                self.alarms.append(alarm)
            elif (known := self._young.get(event.anomaly_id)) is not None:
                self._revise(event.anomaly_id, known, alarm)
        return self._monitor.severities

    def _revise(self, anomaly_id: int, known: int, later: Alarm) -> None:
        raised_s = self.alarms[known].at_s
        if later.at_s > raised_s + KNOWN_AFTER_S + 1e-6:
            del self._young[anomaly_id]
        else:
            self.alarms[known] = Alarm(raised_s, later.kind, later.units)
