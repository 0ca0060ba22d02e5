"""What the streams of a tenant give, for the metrics: events and how late they are, and what is wrong with sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic

from kineseg_core.events import KIND_NAMES, AnomalyCleared, AnomalyRaised, Event, Gap

from kineseg_service.metrics import Metrics
from kineseg_service.streams.open_stream import OpenStream


class Tally:
    """Counts for one tenant. To be used in one event loop.

    Args:
        metrics: Where.
        tenant: Whose streams they are.
    """

    def __init__(self, metrics: Metrics, tenant: str) -> None:
        self._metrics = metrics
        self._tenant = tenant

    def emitted(self, live: OpenStream, events: Sequence[Event], came: float) -> None:
        """A stream has given events, one or more; what decided the first came at `came`, by `time.monotonic`."""
        metrics, tenants = self._metrics, self._metrics.tenants
        for event in events:
            detail = event.detail
            metrics.event(KIND_NAMES[type(detail)])
            if isinstance(detail, AnomalyRaised):
                live.anomalies[detail.anomaly_id] = detail.anomaly_class
                tenants.raised(self._tenant, detail.anomaly_class)
            elif isinstance(detail, AnomalyCleared):
                self._over(live, detail.anomaly_id)
            elif isinstance(detail, Gap):
                tenants.count(self._tenant, "missing", detail.missing_frames)
        tenants.count(self._tenant, "events", len(events))
        metrics.emitted(live.stream_id, monotonic() - came, live.lateness.of(events[0]))

    def gone(self, live: OpenStream) -> None:
        """A stream is over, and what was wrong with it."""
        for anomaly_id in list(live.anomalies):
            self._over(live, anomaly_id)

    def look(self, streams: Iterable[OpenStream], silent_s: float) -> None:
        """Counts those of which nothing has come for so long, though their clients are there."""
        before = monotonic() - silent_s
        silent = sum(live.active_at < before and not live.ending for live in streams)
        self._metrics.tenants.has(self._tenant, "silent", silent)

    def _over(self, live: OpenStream, anomaly_id: int) -> None:
        # One that was raised in another server is not among those of this one.
        anomaly_class = live.anomalies.pop(anomaly_id, None)
        if anomaly_class is not None:
            self._metrics.tenants.over(self._tenant, anomaly_class)
