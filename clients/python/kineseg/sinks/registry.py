"""Which scheme is which sink; imported on use, and open to other packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kineseg._schemes import Schemes
from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError
from kineseg.sinks.sink import Sink

Factory: TypeAlias = Callable[[SinkAddress], Sink]
"""Makes a sink of an address; connects to nothing yet; raises SinkError."""

GROUP = "kineseg.sinks"
"""Entry points of other packages: a scheme = "module:factory"."""

_OURS = {
    "alertmanager+http": "kineseg.sinks.alertmanager:open_alertmanager",
    "alertmanager+https": "kineseg.sinks.alertmanager:open_alertmanager",
    "cloudevents+http": "kineseg.sinks.cloudevents:open_cloudevents",
    "cloudevents+https": "kineseg.sinks.cloudevents:open_cloudevents",
    "jsonl": "kineseg.sinks.jsonl:open_jsonl",
    "kafka": "kineseg.sinks.kafka:open_kafka",
    "kafka+tls": "kineseg.sinks.kafka:open_kafka",
    "lsl": "kineseg.sinks.lsl:open_lsl",
    "mcap": "kineseg.sinks.mcap:open_mcap",
    "mqtt": "kineseg.sinks.mqtt:open_mqtt",
    "mqtts": "kineseg.sinks.mqtt:open_mqtt",
    "nats": "kineseg.sinks.nats:open_nats",
    "nats+tls": "kineseg.sinks.nats:open_nats",
    "osc": "kineseg.sinks.osc:open_osc",
    "otlp+http": "kineseg.sinks.otlp:open_otlp",
    "otlp+https": "kineseg.sinks.otlp:open_otlp",
    "parquet": "kineseg.sinks.parquet:open_parquet",
    "redis": "kineseg.sinks.redis:open_redis",
    "redis+unix": "kineseg.sinks.redis:open_redis",
    "rediss": "kineseg.sinks.redis:open_redis",
    "webhook+http": "kineseg.sinks.webhook:open_webhook",
    "webhook+https": "kineseg.sinks.webhook:open_webhook",
}
# Our schemes that need more than the plain install: the extra that brings it.
EXTRAS = {
    "alertmanager+http": "http",
    "alertmanager+https": "http",
    "cloudevents+http": "http",
    "cloudevents+https": "http",
    "kafka": "kafka",
    "kafka+tls": "kafka",
    "lsl": "lsl",
    "mcap": "mcap",
    "mqtt": "mqtt",
    "mqtts": "mqtt",
    "nats": "nats",
    "nats+tls": "nats",
    "osc": "osc",
    "otlp+http": "http",
    "otlp+https": "http",
    "parquet": "parquet",
    "redis": "redis-streams",
    "redis+unix": "redis-streams",
    "rediss": "redis-streams",
    "webhook+http": "http",
    "webhook+https": "http",
}
_SCHEMES = Schemes("sink", GROUP, _OURS, EXTRAS, SinkError)


def schemes() -> tuple[str, ...]:
    """The schemes there are, ours and those of other packages."""
    return _SCHEMES.names()


def open_sink(url: str) -> Sink:
    """A sink by its URL; docs/sinks says which there are.

    Args:
        url: Such as ``"jsonl:events.jsonl"``, ``"mqtt://broker/motion?kinds=anomaly"``.

    Raises:
        SinkError: It is no such URL, an option cannot be used, or a package is missing; says what helps.
    """
    address = SinkAddress.parse(url)
    factory: Factory = _SCHEMES.factory(address.scheme)
    return factory(address)
