"""``mqtt://HOST/PREFIX``: MQTT 5, with QoS 1.

By paho's client in a thread of its own: what runs in the event loop needs one that Windows does not have, and does not
say why a broker has refused a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import Refused, Retry
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.own_thread import OwnThread
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms
from kineseg.sinks.tls import tls_of
from kineseg.sinks.topics import Topics

PORT, TLS_PORT = 1883, 8883
_ALIVE_S = 20
_MALFORMED = (0x90, 0x95, 0x99)  # topic name invalid, packet too large, payload format invalid


class Connection:
    """A connection to a broker; what was not acknowledged when it is lost is for another one.

    Args:
        client: Not connected.
        loop: Where it is used.
    """

    def __init__(self, client: paho.Client, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self.is_lost = False
        self._welcome: asyncio.Future[None] = loop.create_future()
        client.on_connect = lambda _, __, ___, reason, ____: self._call(self._connected, reason)
        client.on_disconnect = lambda _, __, ___, reason, ____: self._call(self._lost, reason)
        client.on_publish = lambda _, __, number, reason, ___: self._call(self._acknowledged, number, reason)

    async def open(self, thread: OwnThread, host: str, port: int) -> None:
        """Connect and log in."""
        await thread.do(lambda: self._client.connect(host, port, keepalive=_ALIVE_S, clean_start=True))
        self._client.loop_start()
        await self._welcome

    def publish(self, topic: str, payload: str, properties: Properties) -> asyncio.Future[None]:
        """Publish; done when the broker has it."""
        message = self._client.publish(topic, payload, qos=1, properties=properties)
        if message.rc != paho.MQTT_ERR_SUCCESS:
            raise Retry(f"the connection is lost ({paho.error_string(message.rc)})")
        done = self._waiting[message.mid] = self._loop.create_future()
        return done

    async def close(self, thread: OwnThread) -> None:
        """Log off."""
        self._client.disconnect()
        await thread.do(self._client.loop_stop)

    def _call(self, what: Any, *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *values)

    def _connected(self, reason: Any) -> None:
        if self._welcome.done():
            return
        if reason.is_failure:
            self._welcome.set_exception(Retry(f"the broker refuses the connection ({reason})"))
        else:
            self._welcome.set_result(None)

    def _lost(self, reason: Any) -> None:
        self.is_lost = True
        for done in [self._welcome, *self._waiting.values()]:
            if not done.done():
                done.set_exception(Retry(f"the connection is lost ({reason})"))

    def _acknowledged(self, number: int, reason: Any) -> None:
        done = self._waiting.pop(number, None)
        if done is None or done.done():
            return
        if reason.is_failure:
            kind = Refused if reason.value in _MALFORMED else Retry
            done.set_exception(kind(f"the broker does not take it ({reason})"))
        else:
            done.set_result(None)


class Mqtt:
    """Publishes to a broker.

    Args:
        address: The broker's; option ``ca``.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["ca"])
        self._address = address
        self._tls = tls_of(address) if address.scheme == "mqtts" else None
        self._topics = Topics(address, "/", "+#")
        self._thread = OwnThread()
        self._connection: Connection | None = None
        self.terms = Terms.of(address, batch=100)
        self.where = address.where

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        connection = self._connection
        if connection is None or connection.is_lost:  # a broker may close one that was not used for long
            await self.close()
            connection = await self._connect()
        sent = [connection.publish(self._topics.of(event), event.json, _properties(event)) for event in events]
        for outcome in await asyncio.gather(*sent, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def close(self) -> None:
        """See `Sink`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(self._thread)

    async def _connect(self) -> Connection:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        client.connect_timeout = self.terms.timeout_s
        if self._address.user:
            client.username_pw_set(self._address.user, self._address.password or None)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        self._connection = Connection(client, asyncio.get_running_loop())
        port = self._address.port or (PORT if self._tls is None else TLS_PORT)
        try:
            await self._connection.open(self._thread, self._address.host or "127.0.0.1", port)
        except OSError as error:
            raise Retry(f"cannot be reached ({error.strerror or error})") from error
        return self._connection


def _properties(event: SinkEvent) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json"
    properties.UserProperty = [("id", event.id), ("session_id", event.session_id)]
    return properties


def open_mqtt(address: SinkAddress) -> Sink:
    """``mqtt://USER:PASSWORD@HOST:PORT/PREFIX``; ``mqtts://`` is the same by TLS."""
    return Mqtt(address)
