"""``nats://HOST/SUBJECT``: lines of JSON that somebody publishes to a server of NATS."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.again import again_for_ever
from kineseg.sources.source import Inlet, LiveSource, Source
from kineseg.sources.topics import Message, TopicDecoder, tls_of, topic_of

PORT = 4222
_TIMEOUT_S = 5
_ALIVE_S = 10  # how often a server is asked whether it is there
FAILURES = (OSError, NatsError)
"""What connecting and sending may raise; time-outs are one of them."""


def server_of(address: SourceAddress) -> str:
    """Host and port of an address."""
    host = "127.0.0.1" if address.host in ("", "0.0.0.0") else address.host
    return f"{f'[{host}]' if ':' in host else host}:{address.port or PORT}"


async def connect(address: SourceAddress, lost: asyncio.Event | None = None) -> Client:
    """A client as an address says, connected once and for all: whoever wants it again connects anew.

    Args:
        address: Of the server.
        lost: Set once the connection is.

    Raises:
        SourceError: Its certificates cannot be read.
        OSError: There is no such server, or it refuses; says why.
    """
    options: dict[str, Any] = {}
    if address.scheme == "nats+tls":
        options["tls"] = tls_of(address)
    if address.user and address.password:
        options |= {"user": address.user, "password": address.password}
    elif address.user:
        options["token"] = address.user
    faults: list[str] = []

    async def failed(error: Exception) -> None:
        faults[:] = faults or [str(error) or type(error).__name__]

    async def closed() -> None:
        if lost is not None:
            lost.set()

    try:
        return await nats.connect(
            f"nats://{server_of(address)}",
            name="kineseg",
            error_cb=failed,
            closed_cb=closed,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_TIMEOUT_S,
            ping_interval=_ALIVE_S,
            **options,
        )
    except FAILURES as error:
        raise ConnectionError(faults[0] if faults else str(error) or type(error).__name__) from None


class NatsEndpoint:
    """Subscribes to a subject, and again whenever the connection is lost.

    Args:
        address: Of the server.
        subject: With wildcards, or without.
    """

    def __init__(self, address: SourceAddress, subject: str) -> None:
        self._address = address
        self._subject = subject

    @property
    def where(self) -> str:
        """The server and the subject."""
        return f"subject {self._subject!r} of the NATS server {server_of(self._address)}"

    async def open(self) -> None:
        """Nothing to do: a server that is not there may come."""

    async def close(self) -> None:
        """Nothing to do."""

    async def run(self, inlet: Inlet[Message]) -> None:
        """Receive for ever."""
        await again_for_ever(lambda: self._once(inlet))

    async def _once(self, inlet: Inlet[Message]) -> bool:
        lost = asyncio.Event()

        async def take(message: Msg) -> None:
            inlet.take(Message(message.subject, message.data), len(message.data), message.subject)

        try:
            connection = await connect(self._address, lost)
        except OSError as error:
            inlet.trouble(f"{self.where} cannot be reached ({error}); trying again")
            return False
        try:
            inlet.connected()
            await connection.subscribe(self._subject, cb=take)
            await lost.wait()
        finally:
            with contextlib.suppress(*FAILURES):
                await connection.close()
        inlet.trouble(f"{self.where} has closed the connection; trying again")
        return True


def open_nats(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``nats://USER:PASSWORD@HOST:PORT/SUBJECT`` or ``nats://TOKEN@HOST/SUBJECT``; ``nats+tls://`` is the same by TLS.

    Raises:
        SourceError: There is no subject, or the certificates cannot be read.
    """
    address.check_options(["ca", "performer"])
    subject, several = topic_of(address, ".", "*>")
    if address.scheme == "nats+tls":
        tls_of(address)  # what cannot be read is said now
    return LiveSource(
        NatsEndpoint(address, subject),
        TopicDecoder(several=several),
        expected=Expectations.of(address),
        remedies=Remedies(
            "lines of JSON",
            "Does the sender publish to this server, and to exactly this subject (capitals count)? nats sub '>' shows "
            "what is published at all",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
