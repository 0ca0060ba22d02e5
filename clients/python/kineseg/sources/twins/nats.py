"""Publishes lines of JSON to a server of NATS."""

from __future__ import annotations

import contextlib
import time
from types import TracebackType
from typing import Self

from nats.aio.client import Client

from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import SourceInfo
from kineseg.sources.nats import FAILURES, connect, server_of
from kineseg.sources.topics import topic_of
from kineseg.sources.twins.ndjson import LinesEncoder
from kineseg.sources.twins.sender import MessageTwin, Twin

_AGAIN_S = 1.0


class NatsTwin(MessageTwin):
    """Publishes every line.

    Args:
        address: Of the server.
        subject: To publish to.
        encoder: Makes the lines.
    """

    def __init__(self, address: SourceAddress, subject: str, encoder: LinesEncoder) -> None:
        super().__init__(encoder)
        self._address = address
        self._subject = subject
        self._connection: Client | None = None
        self._tried = 0.0

    @property
    def where(self) -> str:
        """The server and the subject."""
        return f"subject {self._subject!r} of the NATS server {server_of(self._address)}"

    async def __aenter__(self) -> Self:
        try:
            self._connection = await connect(self._address)
        except OSError as error:
            raise SourceError(f"{self.where} cannot be reached ({error}): start a server first") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            with contextlib.suppress(*FAILURES):
                await self._connection.close()  # sends what waits

    async def _send(self, message: bytes) -> None:
        with contextlib.suppress(*FAILURES):  # the server is away: it is lost
            if self._connection is None or self._connection.is_closed:
                if time.monotonic() - self._tried < _AGAIN_S:
                    return
                self._tried = time.monotonic()
                self._connection = await connect(self._address)
            await self._connection.publish(self._subject, message)


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``nats://HOST:PORT/SUBJECT``."""
    subject, several = topic_of(address, ".", "*>")
    if several:
        raise SourceError(f"{address.url}: play to one subject, without * and >")
    return NatsTwin(address, subject, LinesEncoder(info))
