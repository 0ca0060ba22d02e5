"""``mqtt://HOST/TOPIC``: lines of JSON that somebody publishes to a broker of MQTT.

By paho's client in a thread of its own: what runs in the event loop needs one that Windows does not have.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.again import again_for_ever
from kineseg.sources.source import Inlet, LiveSource, Source
from kineseg.sources.topics import Message, TopicDecoder, tls_of, topic_of

PORT, TLS_PORT = 1883, 8883
_AHEAD = 4096  # messages that the thread may be ahead of the event loop; then the broker waits, or drops
_ALIVE_S = 20


def client_of(address: SourceAddress, *, again: bool) -> paho.Client:
    """A client that trusts and logs in as an address says; not connected yet.

    Args:
        address: Of the broker.
        again: Whether it connects again by itself.

    Raises:
        SourceError: Its certificates cannot be read.
    """
    client = paho.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=again)
    if address.user:
        client.username_pw_set(address.user, address.password or None)
    if address.scheme == "mqtts":
        client.tls_set_context(tls_of(address))
    return client


def broker_of(address: SourceAddress) -> tuple[str, int]:
    """Host and port of an address."""
    usual = TLS_PORT if address.scheme == "mqtts" else PORT
    host = "127.0.0.1" if address.host in ("", "0.0.0.0") else address.host
    return host, usual if address.port is None else address.port


class MqttEndpoint:
    """Subscribes to a topic, and again whenever the connection is lost.

    Args:
        client: Not connected.
        broker: Host and port.
        topic: With wildcards, or without.
        qos: 0: what is lost is lost; 1: the broker sends again what was not received.
    """

    def __init__(self, client: paho.Client, broker: tuple[str, int], topic: str, qos: int) -> None:
        self._client = client
        self._host, self._port = broker
        self._topic = topic
        self._qos = qos
        self._stopped = False
        self._ahead = threading.Semaphore(_AHEAD)

    @property
    def where(self) -> str:
        """The broker and the topic."""
        return f"topic {self._topic!r} of the MQTT broker {self._host}:{self._port}"

    async def open(self) -> None:
        """Nothing to do: a broker that is not there may come."""

    async def run(self, inlet: Inlet[Message]) -> None:
        """Receive for ever."""
        loop = asyncio.get_running_loop()
        await again_for_ever(lambda: asyncio.to_thread(self._once, inlet, loop))

    def _once(self, inlet: Inlet[Message], loop: asyncio.AbstractEventLoop) -> bool:
        """In a thread, until the connection is lost."""
        refused: list[str] = []
        welcome = threading.Event()

        def call(what: Callable[..., None], *values: object) -> None:
            if not self._stopped:
                loop.call_soon_threadsafe(what, *values)

        def connected(client: paho.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
            if reason.is_failure:
                refused.append(f"{self.where} refuses the connection ({reason}); trying again")
                return
            welcome.set()
            client.subscribe(self._topic, self._qos)
            call(inlet.connected)

        def subscribed(client: paho.Client, _: Any, __: Any, reasons: Any, ___: Any) -> None:
            if any(reason.is_failure for reason in reasons):
                refused.append(f"{self.where} may not be subscribed to by this user; trying again")
                client.disconnect()

        def came(_: Any, __: Any, message: paho.MQTTMessage) -> None:
            self._ahead.acquire()
            call(take, Message(message.topic, bytes(message.payload)))

        def take(message: Message) -> None:
            self._ahead.release()
            inlet.take(message, len(message.content), message.topic)

        client = self._client
        client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, came
        try:
            client.connect(self._host, self._port, keepalive=_ALIVE_S)
        except (OSError, ValueError) as error:  # the latter of a name that is none
            said = error.strerror if isinstance(error, OSError) and error.strerror else error
            call(inlet.trouble, f"{self.where} cannot be reached ({said}); trying again")
            return False
        if not self._stopped:
            client.loop_forever()
        call(inlet.trouble, refused[0] if refused else f"{self.where} has closed the connection; trying again")
        return welcome.is_set()

    async def close(self) -> None:
        """Log off, which ends the thread."""
        self._stopped = True
        self._ahead.release()  # if it waits
        self._client.disconnect()


def open_mqtt(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``mqtt://USER:PASSWORD@HOST:PORT/TOPIC?qos=1``; ``mqtts://`` is the same by TLS, ``?ca=FILE`` trusts other roots.

    Raises:
        SourceError: There is no topic, or the certificates cannot be read.
    """
    address.check_options(["ca", "performer", "qos"])
    topic, several = topic_of(address, "/", "+#")
    qos = int(address.choice("qos", ("0", "1", "2"), "0"))
    return LiveSource(
        MqttEndpoint(client_of(address, again=False), broker_of(address), topic, qos),
        TopicDecoder(several=several),
        expected=Expectations.of(address),
        remedies=Remedies(
            "lines of JSON",
            "Does the sender publish to this broker, and to exactly this topic (capitals count)? mosquitto_sub -h HOST "
            "-t '#' -v shows what is published at all",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
