"""What is counted of each tenant. However many tenants there are, there are no more series than for so many."""

from __future__ import annotations

from collections import Counter

import prometheus_client as prometheus
from kineseg_core.anomalies.kinds import AnomalyClass

MOST_TENANTS = 200
"""So many have series of their own; those that come later share those of `OTHERS`."""
OTHERS = "_others"
"""No tenant can be called so."""

_CLASSES = tuple(each.value for each in AnomalyClass)


class TenantMetrics:
    """What is counted of each tenant. To be used in one thread; counters are seen after `settle`.

    Args:
        registry: Where.
    """

    def __init__(self, registry: prometheus.CollectorRegistry) -> None:
        def gauge(name: str, documentation: str, *labels: str, mode: str = "livesum") -> prometheus.Gauge:
            return prometheus.Gauge(
                name,
                documentation,
                ["tenant", *labels],
                registry=registry,
                multiprocess_mode=mode,  # type: ignore[arg-type]
            )

        def counter(name: str, documentation: str, *labels: str) -> prometheus.Counter:
            return prometheus.Counter(name, documentation, ["tenant", *labels], registry=registry)

        self._gauges = {
            "streams": gauge("kineseg_tenant_streams_open", "Open streams of a tenant."),
            "watchers": gauge("kineseg_tenant_watchers_open", "Open watchers of a tenant."),
            "silent": gauge("kineseg_tenant_streams_silent", "Open streams of a tenant whose sources send nothing."),
        }
        self._used = gauge(
            "kineseg_tenant_limit_used_ratio", "How much of a tenant's limit is used, in the fullest process.", "limit",
            mode="livemax",
        )  # fmt: skip
        self._counters = {
            "frames": counter("kineseg_tenant_frames_received", "Frames that a tenant has sent."),
            "events": counter("kineseg_tenant_events", "Events emitted to a tenant."),
            "missing": counter("kineseg_tenant_frames_missing", "Frames that were missing in a tenant's streams."),
        }
        self._anomalies = counter("kineseg_tenant_anomalies", "Anomalies raised, by what they are about.", "class")
        self._active = gauge(
            "kineseg_tenant_anomalies_active", "Anomalies that go on, by what they are about.", "class"
        )
        self._labels: dict[str, str] = {}
        self._now: Counter[tuple[str, str]] = Counter()
        self._since: Counter[tuple[str, str]] = Counter()

    def has(self, tenant: str, what: str, count: int) -> None:
        """A tenant has so many streams, watchers, or silent streams."""
        label = self._label(tenant)
        self._gauges[what].labels(label).inc(count - self._now[tenant, what])
        self._now[tenant, what] = count

    def uses(self, tenant: str, limit: str, ratio: float) -> None:
        """A tenant uses so much of a limit."""
        if (label := self._label(tenant)) != OTHERS:
            self._used.labels(label, limit).set(ratio)

    def count(self, tenant: str, what: str, amount: int = 1) -> None:
        """A tenant has sent so many frames, got so many events, or missed so many frames."""
        self._since[tenant, what] += amount

    def raised(self, tenant: str, what: AnomalyClass) -> None:
        """An anomaly has begun."""
        label = self._label(tenant)
        self._anomalies.labels(label, what.value).inc()
        self._active.labels(label, what.value).inc()

    def over(self, tenant: str, what: AnomalyClass) -> None:
        """One that has been raised here goes on no longer, or its stream does not."""
        self._active.labels(self._label(tenant), what.value).dec()

    def settle(self) -> None:
        """Hands over what has been counted since the last time."""
        for (tenant, what), amount in self._since.items():
            self._counters[what].labels(self._label(tenant)).inc(amount)
        self._since.clear()

    def _label(self, tenant: str) -> str:
        label = self._labels.get(tenant)
        if label is None:
            label = self._labels[tenant] = tenant if len(self._labels) < MOST_TENANTS else OTHERS
            for family in (*self._gauges.values(), *self._counters.values()):
                family.labels(label)
            for each in _CLASSES:
                self._anomalies.labels(label, each)
                self._active.labels(label, each)
        return label
