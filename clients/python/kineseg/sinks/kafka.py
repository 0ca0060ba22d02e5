"""``kafka://HOST/TOPIC``: Kafka, by an idempotent producer; the stream is the key, so that order is kept in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTopicError, KafkaError, MessageSizeTooLargeError

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import Refused, Retry, SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms
from kineseg.sinks.tls import tls_of

PORT = 9092
_LOGINS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class Kafka:
    """Produces to a topic.

    Args:
        address: Of a broker; options ``brokers`` (more of them), ``sasl``, ``compression`` and ``ca``.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["brokers", "ca", "compression", "sasl"])
        self._topic = address.path.strip("/") or "kineseg"
        if "/" in self._topic:
            raise SinkError(f"{address.where}: {self._topic!r} is no topic of Kafka")
        self.terms = Terms.of(address, batch=500)
        self.where = address.where
        tls = tls_of(address) if address.scheme == "kafka+tls" else None
        first = f"{address.host or '127.0.0.1'}:{address.port or PORT}"
        self._options: dict[str, Any] = {
            "bootstrap_servers": [first, *filter(None, address.text("brokers").split(","))],
            "client_id": "kineseg",
            "enable_idempotence": True,
            "request_timeout_ms": round(1000 * self.terms.timeout_s),
            "compression_type": address.choice("compression", ("none", "gzip")).replace("none", "") or None,
            "ssl_context": tls,
            "security_protocol": ("SASL_" if address.user else "") + ("PLAINTEXT" if tls is None else "SSL"),
        }
        if address.user:
            self._options |= {
                "sasl_mechanism": address.choice("sasl", _LOGINS),
                "sasl_plain_username": address.user,
                "sasl_plain_password": address.password,
            }
        self._producer: AIOKafkaProducer | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        try:
            producer = self._producer or await self._connect()
            sent = [
                await producer.send(
                    self._topic,
                    event.json.encode(),
                    key=event.stream_id.encode(),
                    headers=[("id", event.id.encode()), ("session_id", event.session_id.encode())],
                )
                for event in events
            ]
            await asyncio.gather(*sent)
        except (MessageSizeTooLargeError, InvalidTopicError) as error:
            raise Refused(str(error)) from error
        except (KafkaError, OSError) as error:
            raise Retry(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """See `Sink`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # It waits for what is under way, for as long as a request may take: elsewhere, so that no one here does.
            self._stopping = asyncio.create_task(producer.stop())
            await asyncio.shield(self._stopping)

    async def _connect(self) -> AIOKafkaProducer:
        self._producer = AIOKafkaProducer(**self._options)
        await self._producer.start()
        return self._producer


def open_kafka(address: SinkAddress) -> Sink:
    """``kafka://USER:PASSWORD@HOST:PORT/TOPIC``; ``kafka+tls://`` is the same by TLS."""
    return Kafka(address)
