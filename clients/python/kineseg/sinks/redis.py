"""``redis://HOST/DATABASE?key=KEY``: a stream of Redis or Valkey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import RedisError
from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry as RedisRetry
from redis.backoff import NoBackoff

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import Retry, SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms

PORT = 6379


class RedisStream:
    """Appends to a stream; a batch as a whole, or nothing of it.

    Args:
        address: Of the server; options ``key``, ``maxlen`` and ``ca``, and ``db`` for sockets.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["ca", "db", "key", "maxlen"])
        self._key = address.text("key", "kineseg")
        self._most = int(address.number("maxlen", 0, low=0, high=1e12)) or None
        self.terms = Terms.of(address, batch=200)
        self.where = address.where
        self._pool = ConnectionPool(
            **_server(address),
            username=address.user or None,
            password=address.password or None,
            socket_timeout=self.terms.timeout_s,
            socket_connect_timeout=self.terms.timeout_s,
            retry=RedisRetry(NoBackoff(), 0),  # whoever delivers tries again
        )

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        try:
            async with Redis(connection_pool=self._pool).pipeline(transaction=True) as pipeline:
                for event in events:
                    pipeline.xadd(self._key, _fields(event), maxlen=self._most, approximate=True)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            raise Retry(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """See `Sink`."""
        await self._pool.disconnect()


def _fields(event: SinkEvent) -> dict[Any, Any]:
    return {
        "id": event.id,
        "kind": event.kind,
        "session_id": event.session_id,
        "stream_id": event.stream_id,
        "event": event.json,
    }


def _server(address: SinkAddress) -> dict[str, Any]:
    database = address.text("db") or address.path.strip("/") or "0"
    if address.scheme == "redis+unix":
        return {"connection_class": UnixDomainSocketConnection, "path": address.path,
                "db": int(address.number("db", 0, low=0, high=1e6))}  # fmt: skip
    if not database.isdigit():
        raise SinkError(f"{address.where}: the path is the number of a database; the stream is named by ?key=NAME")
    over_tls = {"connection_class": SSLConnection, "ssl_ca_certs": address.text("ca") or None}
    return {
        "host": address.host or "127.0.0.1",
        "port": address.port or PORT,
        "db": int(database),
        **(over_tls if address.scheme == "rediss" else {"connection_class": Connection}),
    }


def open_redis(address: SinkAddress) -> Sink:
    """``redis://USER:PASSWORD@HOST:PORT/DATABASE``, ``rediss://`` by TLS, ``redis+unix:///SOCKET``."""
    return RedisStream(address)
