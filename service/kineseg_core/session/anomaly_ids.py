"""Numbers for the anomalies of one stream, whatever finds them."""

from __future__ import annotations

from dataclasses import replace

from kineseg_core.events import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg_core.kept.declared import keeps

Anomaly = AnomalyRaised | AnomalyUpdated | AnomalyCleared


@keeps("count _open")
class AnomalyIds:
    """Gives 1, 2, 3 ... in the order in which anomalies are raised. Picklable.

    Each watcher numbers its own; which of them raises one first is known only where all come together.

    Attributes:
        count: How many were raised.
    """

    _open: dict[tuple[str, int], int]

    def __init__(self) -> None:
        self.count = 0
        self._open = {}

    def knows(self, watcher: str, anomalies: set[int]) -> bool:
        """Whether all of these, by the watcher's own numbers, go on."""
        return all((watcher, anomaly) in self._open for anomaly in anomalies)

    def numbered(self, watcher: str, anomaly: Anomaly) -> Anomaly:
        """The anomaly with the stream's number in place of its watcher's."""
        of = watcher, anomaly.anomaly_id
        if isinstance(anomaly, AnomalyRaised):
            self.count += 1
            self._open[of] = self.count
        number = self._open.pop(of) if isinstance(anomaly, AnomalyCleared) else self._open[of]
        return replace(anomaly, anomaly_id=number)
