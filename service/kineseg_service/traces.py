"""OpenTelemetry traces: a span for each event, from when the frames came that decided it until it was emitted.

A stream lasts for hours, so that each span is a trace of its own; a caller's own trace is linked to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from kineseg._version import __version__
from kineseg_core.errors import CannotStart
from kineseg_core.events import KIND_NAMES, Event
from kineseg_core.session.config import SessionConfig

current_traceparent: ContextVar[str] = ContextVar("current_traceparent", default="")
"""The trace that the caller belongs to, as W3C's Trace Context writes it; empty: none."""

_SECOND_NS = 1_000_000_000
# So long the last spans may take to get away.
_LAST_S = 3.0


class Traces:
    """Sends spans to a collector, in a thread of its own; what that does not take is dropped.

    Args:
        endpoint: URL of its OTLP over HTTP.
        ratio: Of so many events, in the mean.
        server_id: The name of this server; empty: it has none.

    Raises:
        CannotStart: The libraries are not installed.
    """

    def __init__(self, endpoint: str, ratio: float, server_id: str) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
        except ModuleNotFoundError as error:
            raise CannotStart(f"traces: they need {error.name}: pip install 'kineseg[traces]'") from error
        who = {"service.name": "kineseg", "service.version": __version__}
        resource = Resource.create({**who, "service.instance.id": server_id} if server_id else who)
        self._provider = TracerProvider(TraceIdRatioBased(ratio), resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint, timeout=_LAST_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
        self._tracer = self._provider.get_tracer("kineseg", __version__)

    def emitted(
        self, events: Sequence[Event], came: float, config: SessionConfig, tenant: str, traceparent: str
    ) -> None:
        """A stream has given events.

        Args:
            events: One or more.
            came: When what decided the first came, by `time.monotonic`.
            config: Of its session.
            tenant: Whose it is.
            traceparent: The trace of who has opened it.
        """
        now_ns = time.time_ns()
        began_ns = now_ns - round((time.monotonic() - came) * _SECOND_NS)
        links = _links(traceparent)
        for event in events:
            span = self._tracer.start_span(
                f"kineseg {KIND_NAMES[type(event.detail)]}",
                start_time=min(began_ns, event.emitted_unix_ns),
                links=links,
                attributes={
                    "kineseg.stream_id": event.stream_id,
                    "kineseg.session_id": config.session_id,
                    "kineseg.tenant": tenant,
                    "kineseg.model": config.model,
                    "kineseg.seq": event.seq,
                    "kineseg.frame": event.frame,
                    "kineseg.decided_frame": event.decided_frame,
                },
            )
            span.add_event("decided", timestamp=event.emitted_unix_ns)
            span.end(now_ns)

    def close(self) -> None:
        """Sends what there is, and waits for that for a few seconds at most."""
        thread = threading.Thread(target=self._provider.shutdown, name="kineseg-traces", daemon=True)
        thread.start()
        thread.join(_LAST_S)


def _links(traceparent: str) -> list[Any]:
    if not traceparent:
        return []
    from opentelemetry.trace import Link, get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": traceparent})).get_span_context()
    return [Link(context)] if context.is_valid else []
