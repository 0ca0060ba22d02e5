"""Prometheus metrics of a server. None is labelled by session: their number must not grow with use.

What is labelled with a tenant is what that tenant's admin reads, and nothing else is: see `tenant_metrics`.

Every labelled series is there from the start, at 0: an alert sees a counter rise, not one that appears risen.

What is counted for each chunk and each event is added up here first, and handed to Prometheus once a tick.
"""

from __future__ import annotations

import copy
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

import prometheus_client as prometheus
from kineseg_core.events import KIND_NAMES

from kineseg_service.exemplars import Exemplars
from kineseg_service.tenant_metrics import TenantMetrics

_BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)
_DELAYS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_BUCKETS = (*map(str, _DELAYS), "+Inf")


REFUSALS = ("TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "ROLE_MISSING", "LIMIT_REACHED")
"""Why calls are not let in, see errors.proto."""


class Metrics:
    """What is counted, in a registry of its own.

    Args:
        codes: Names of the status codes with which a call can end in an error.

    Attributes:
        registry: Where it is counted.
        tenants: What is counted of each tenant.
        exemplars: Which streams are examples of what the histograms have counted.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self.registry = prometheus.CollectorRegistry()
        registry = self.registry
        self.tenants = TenantMetrics(registry)
        self.exemplars = Exemplars()
        self._streams = _gauge("kineseg_streams_open", "Open streams.", registry)
        self._watchers = _gauge("kineseg_watchers_open", "Open event watchers.", registry)
        self._frames = prometheus.Counter("kineseg_frames_received", "Frames received.", registry=registry)
        self._batch = prometheus.Histogram(
            "kineseg_batch_streams", "Streams in a decoder step.", buckets=_BATCH, registry=registry
        )
        self._seconds = prometheus.Histogram(
            "kineseg_step_seconds", "Time of a decoder step and its decisions.", buckets=_SECONDS, registry=registry
        )
        self._queued = prometheus.Histogram(
            "kineseg_queue_seconds",
            "How long what has waited longest for a step has waited since it came.",
            buckets=_DELAYS,
            registry=registry,
        )
        self._delay = prometheus.Histogram(
            "kineseg_event_delay_seconds",
            "From when the frames came that decided events until these were emitted; once for what comes out together.",
            buckets=_DELAYS,
            registry=registry,
        )
        self._capture_delay = prometheus.Histogram(
            "kineseg_event_capture_delay_seconds",
            "The same from when these frames were captured; by clocks that are not the time of day: beyond the least.",
            buckets=_DELAYS,
            registry=registry,
        )
        self._used = prometheus.Gauge(
            "kineseg_limit_used_ratio", "How much of a limit is used, in the fullest process.", ["limit"],
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._waiting = _gauge("kineseg_frames_waiting", "Frames that wait for a step.", registry)
        self._events = prometheus.Counter("kineseg_events", "Events emitted, by kind.", ["kind"], registry=registry)
        self._provisional = prometheus.Counter(
            "kineseg_segments_provisional", "Segments that were provisional first, emitted or not.", registry=registry
        )
        self._confirmed = prometheus.Counter(
            "kineseg_segments_confirmed", "Segments confirmed, provisional before or not.", registry=registry
        )
        self._retracted = prometheus.Counter(
            "kineseg_segments_retracted", "Provisional segments retracted.", registry=registry
        )
        self._dropped = prometheus.Counter("kineseg_watch_dropped", "Events that watchers lost.", registry=registry)
        self._trimmed = prometheus.Counter(
            "kineseg_event_log_trimmed", "Events that the log gave up before their time.", registry=registry
        )
        self._store_failing = _gauge("kineseg_store_failing", "1 while the store of streams does not work.", registry)
        self._parked = _gauge("kineseg_streams_parked", "Streams whose calls have broken and that are kept.", registry)
        self._resumed = prometheus.Counter("kineseg_streams_resumed", "Streams resumed.", registry=registry)
        self._resumes_refused = prometheus.Counter(
            "kineseg_resumes_refused", "Attempts to resume refused.", registry=registry
        )
        self._expired = prometheus.Counter(
            "kineseg_parked_expired", "Parked streams whose clients did not come back in time.", registry=registry
        )
        self._evicted = prometheus.Counter(
            "kineseg_parked_evicted", "Parked streams given up to make room for others.", registry=registry
        )
        self._errors = prometheus.Counter("kineseg_errors", "Calls ended by an error.", ["code"], registry=registry)
        self._refused = prometheus.Counter(
            "kineseg_refused", "Calls that were not let in, or were put out, by reason.", ["reason"], registry=registry
        )
        self._counts_calls = True
        self._frames_since = 0
        self._events_since: Counter[str] = Counter()
        for kind in KIND_NAMES.values():
            self._events.labels(kind)
        for code in codes:
            self._errors.labels(code)
        for reason in REFUSALS:
            self._refused.labels(reason)
        for limit in ("max_sessions", "max_watchers", "max_parked"):
            self._used.labels(limit)

    def of_passed_on_calls(self) -> Metrics:
        """The same for calls that another process has passed on: watchers and errors count where clients called."""
        other = copy.copy(self)
        other._counts_calls = False
        return other

    def streams(self, count: int) -> None:
        """So many streams are open."""
        self._streams.set(count)

    def watchers(self, count: int) -> None:
        """So many watchers are open."""
        if self._counts_calls:
            self._watchers.set(count)

    def uses(self, limit: str, ratio: float) -> None:
        """So much of a limit is used, 1: all."""
        self._used.labels(limit).set(ratio)

    def received(self, frames: int) -> None:
        """So many frames have been accepted. In the event loop's thread; seen after `settle`."""
        self._frames_since += frames

    def tenant(self, tenant: str, *, streams: int, watchers: int) -> None:
        """A tenant has so many."""
        if not self._counts_calls:
            return
        self.tenants.has(tenant, "streams", streams)
        self.tenants.has(tenant, "watchers", watchers)

    def tenant_uses(self, tenant: str, limit: str, ratio: float) -> None:
        """A tenant uses so much of one of its limits."""
        if self._counts_calls:
            self.tenants.uses(tenant, limit, ratio)

    def stepped(self, streams: int, seconds: float, waited: float) -> None:
        """A step over so many streams took so long; what has waited longest of it has waited so long, seconds."""
        self._batch.observe(streams)
        self._seconds.observe(seconds)
        self._queued.observe(waited)

    def emitted(self, stream_id: str, delay_s: float, late_s: float | None) -> None:
        """A stream has given events, so long after what decided them came, and so late by its capture times, if any."""
        self._delay.observe(delay_s)
        self.exemplars.saw("kineseg_event_delay_seconds", _bucket(delay_s), stream_id, delay_s)
        if late_s is not None:
            self._capture_delay.observe(late_s)
            self.exemplars.saw("kineseg_event_capture_delay_seconds", _bucket(late_s), stream_id, late_s)

    def waiting(self, frames: int) -> None:
        """So many frames wait."""
        self._waiting.set(frames)

    def event(self, kind: str) -> None:
        """An event has been emitted. In the event loop's thread; seen after `settle`."""
        self._events_since[kind] += 1

    def settle(self) -> None:
        """Hands over what has been counted since the last time. In the event loop's thread."""
        if self._frames_since:
            self._frames.inc(self._frames_since)
            self._frames_since = 0
        for kind, count in self._events_since.items():
            self._events.labels(kind).inc(count)
        self._events_since.clear()
        self.tenants.settle()
        self.exemplars.settle()

    def segments(self, *, provisional: int, confirmed: int, retracted: int) -> None:
        """So many segments have been provisional, confirmed and retracted."""
        self._provisional.inc(provisional)
        self._confirmed.inc(confirmed)
        self._retracted.inc(retracted)

    def dropped(self, events: int) -> None:
        """A watcher lost so many events."""
        self._dropped.inc(events)

    def trimmed(self) -> None:
        """The event log gave an event up before its time."""
        self._trimmed.inc()

    def refused(self, reason: str) -> None:
        """A call was not let in, or was put out."""
        self._refused.labels(reason).inc()

    def store_works(self, works: bool) -> None:
        """The store of streams works again, or fails."""
        self._store_failing.set(not works)

    def parked(self, count: int) -> None:
        """So many streams are parked."""
        self._parked.set(count)

    def resumed(self) -> None:
        """A stream has been resumed."""
        self._resumed.inc()

    def resume_refused(self) -> None:
        """A stream could not be resumed."""
        self._resumes_refused.inc()

    def expired(self) -> None:
        """The client of a parked stream has not come back in time."""
        self._expired.inc()

    def evicted(self) -> None:
        """A parked stream has made room."""
        self._evicted.inc()

    def error(self, code: str) -> None:
        """A call was ended by an error."""
        if self._counts_calls:
            self._errors.labels(code).inc()


def _gauge(
    name: str, documentation: str, registry: prometheus.CollectorRegistry, labels: Sequence[str] = ()
) -> prometheus.Gauge:
    """A gauge that is the sum over all processes of a server that live."""
    return prometheus.Gauge(name, documentation, labels, registry=registry, multiprocess_mode="livesum")


def _bucket(delay_s: float) -> str:
    """The bucket of a delay, as it is labelled."""
    return _BUCKETS[bisect_left(_DELAYS, delay_s)]
