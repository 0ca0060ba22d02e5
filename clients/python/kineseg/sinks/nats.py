"""``nats://HOST/PREFIX``: streams of NATS JetStream, which keep an event once, however often it is published."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import Refused, Retry
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms
from kineseg.sinks.tls import tls_of
from kineseg.sinks.topics import Topics

PORT = 4222
_CLOSE_S = 1.0
_FAILURES = (OSError, NatsError)
_HEADERS = 200  # bytes of them, and somewhat more
_TOO_LARGE = 10054  # for the stream
_REMEMBERED_S = 3600.0  # for so long a stream that is made here knows what it has got


class Nats:
    """Publishes to JetStream, one event after the other: what is sent again after a fault must not overtake.

    Args:
        address: The server's; options ``stream`` and ``ca``.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["ca", "stream"])
        self._address = address
        self._tls = tls_of(address) if address.scheme == "nats+tls" else None
        self._topics = Topics(address, ".", "*>")
        self._stream = address.text("stream")
        self._client: Client | None = None
        self.terms = Terms.of(address, batch=100)
        self.where = address.where

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        client = self._client
        if client is None or not client.is_connected:
            await self.close()
            client = await self._connect()
        to = client.jetstream(timeout=self.terms.timeout_s)
        try:
            for event in events:
                body = event.json.encode()
                if len(body) + _HEADERS > client.max_payload:  # for which the server would end the connection
                    raise Refused(f"it has {len(body)} bytes, and the server takes {client.max_payload} with headers")
                headers = {"Nats-Msg-Id": event.id, "Content-Type": "application/json"}
                await to.publish(self._topics.of(event), body, headers=headers)
        except NoStreamResponseError as error:
            raise Retry(
                f"no stream of JetStream takes {self._topics.prefix}.>: make one, or have it made by ?stream=NAME"
            ) from error
        except APIError as error:
            raise (Refused if error.err_code == _TOO_LARGE else Retry)(str(error)) from error
        except _FAILURES as error:
            raise Retry(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """See `Sink`."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(*_FAILURES):
                async with asyncio.timeout(_CLOSE_S):  # after a handshake that failed it would wait for ever
                    await client.close()

    async def _connect(self) -> Client:
        options: dict[str, Any] = {} if self._tls is None else {"tls": self._tls}
        if self._address.user and self._address.password:
            options |= {"user": self._address.user, "password": self._address.password}
        elif self._address.user:
            options["token"] = self._address.user
        faults: list[str] = []

        async def failed(error: Exception) -> None:
            faults.append(str(error) or type(error).__name__)

        host = self._address.host or "127.0.0.1"
        self._client = Client()
        try:
            await self._client.connect(
                f"nats://{f'[{host}]' if ':' in host else host}:{self._address.port or PORT}",
                name="kineseg",
                error_cb=failed,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=max(1, round(self.terms.timeout_s)),
                **options,
            )
            if self._stream:
                await self._make_stream(self._client)
        except _FAILURES as error:
            said = faults[0] if faults else str(error) or type(error).__name__
            raise Retry(f"cannot be reached ({said})") from error
        return self._client

    async def _make_stream(self, client: Client) -> None:
        to = client.jetstream(timeout=self.terms.timeout_s)
        with contextlib.suppress(NotFoundError):
            await to.stream_info(self._stream)
            return
        subjects = [f"{self._topics.prefix}.>"]
        await to.add_stream(StreamConfig(self._stream, subjects=subjects, duplicate_window=_REMEMBERED_S))


def open_nats(address: SinkAddress) -> Sink:
    """``nats://USER:PASSWORD@HOST:PORT/PREFIX`` or ``nats://TOKEN@HOST``; ``nats+tls://`` is the same by TLS."""
    return Nats(address)
