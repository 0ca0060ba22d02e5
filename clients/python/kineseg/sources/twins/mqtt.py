"""Publishes lines of JSON to a broker of MQTT."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from paho.mqtt import client as paho

from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import SourceInfo
from kineseg.sources.mqtt import broker_of, client_of
from kineseg.sources.topics import topic_of
from kineseg.sources.twins.ndjson import LinesEncoder
from kineseg.sources.twins.sender import MessageTwin, Twin

_SENT_S = 5.0  # how long what is on its way may take at the end


class MqttTwin(MessageTwin):
    """Publishes every line.

    Args:
        client: Not connected.
        broker: Host and port.
        topic: To publish to.
        encoder: Makes the lines.
    """

    def __init__(self, client: paho.Client, broker: tuple[str, int], topic: str, encoder: LinesEncoder) -> None:
        super().__init__(encoder)
        self._client = client
        self._host, self._port = broker
        self._topic = topic
        self._last: paho.MQTTMessageInfo | None = None

    @property
    def where(self) -> str:
        """The broker and the topic."""
        return f"topic {self._topic!r} of the MQTT broker {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._client.connect, self._host, self._port)
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.where} cannot be reached ({error}): start a broker first") from None
        self._client.loop_start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._end)

    async def _send(self, message: bytes) -> None:
        self._publish(message)

    async def _describe(self, message: bytes) -> None:
        self._publish(message, retain=True)  # for whoever subscribes later

    def _publish(self, message: bytes, *, retain: bool = False) -> None:
        sent = self._client.publish(self._topic, message, retain=retain)
        self._last = sent if sent.rc == paho.MQTT_ERR_SUCCESS else None  # else the broker is away: it is lost

    def _end(self) -> None:
        self._publish(b"", retain=True)  # nothing is described any more
        if self._last is not None and self._client.is_connected():
            self._last.wait_for_publish(_SENT_S)
        self._client.disconnect()
        self._client.loop_stop()


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``mqtt://HOST:PORT/TOPIC``."""
    topic, several = topic_of(address, "/", "+#")
    if several:
        raise SourceError(f"{address.url}: play to one topic, without + and #")
    return MqttTwin(client_of(address, again=True), broker_of(address), topic, LinesEncoder(info))
