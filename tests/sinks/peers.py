"""What takes events at the other end, started and killed by tests: the real thing wherever it can be had."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import confluent_kafka
import nats
import pyarrow.parquet
import pytest
import redis
from confluent_kafka import KafkaError, TopicPartition
from google.protobuf import json_format
from jsonschema import Draft202012Validator
from mcap.reader import make_reader
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from evaluation.chaos.proxy import Proxy
from evaluation.chaos.redis_server import NoRedis, RedisServer
from tests.sinks.http_receiver import HttpReceiver
from tests.sources.brokers import mosquitto, nats_server


class Peer(Protocol):
    """A receiver, which runs as it is made.

    Attributes:
        url: The sink that delivers to it.
    """

    url: str

    def start(self) -> None:
        """Start it, anew with what it had kept."""

    def stop(self) -> None:
        """Kill it."""

    def received(self) -> list[dict[str, Any]]:
        """All events that it has got so far, in their order, those that came twice included."""

    def close(self) -> None:
        """End it."""


class Folder:
    """Files of lines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "lines"
        self._folder.mkdir()
        self.url = f"jsonl:{self._folder / 'events.jsonl'}?max_mb=0.02"

    def start(self) -> None:
        """A file is always there."""

    def stop(self) -> None:
        """And so it stays."""

    def received(self) -> list[dict[str, Any]]:
        full = sorted(self._folder.glob("events-*.jsonl"))
        assert full, "none was exchanged"
        texts = [path.read_text() for path in [*full, self._folder / "events.jsonl"] if path.exists()]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def close(self) -> None:
        """Nothing runs."""


class HttpEvents:
    """A server of HTTP."""

    def __init__(self, mode: str) -> None:
        self._server = HttpReceiver()
        self.url = f"cloudevents+{self._server.address}/in#mode={mode}"
        self.start, self.stop, self.close = self._server.start, self._server.stop, self._server.close
        self.start()

    def received(self) -> list[dict[str, Any]]:
        bodies = [json.loads(post.body) for post in self._server.posts]
        return [event["data"] for body in bodies for event in (body if isinstance(body, list) else [body])]


class Mosquitto:
    """A broker of MQTT that keeps its sessions, and a subscriber with one of them."""

    def __init__(self, folder: Path) -> None:
        settings = ["allow_anonymous true", "max_inflight_messages 0", "max_queued_messages 0", "persistence true",
                    f"persistence_location {folder}/", "autosave_on_changes true", "autosave_interval 1"]  # fmt: skip
        self._running = ExitStack()
        self._broker = self._running.enter_context(mosquitto(folder, *settings))
        self._received: list[dict[str, Any]] = []
        self._subscribed = threading.Event()
        subscriber = paho.Client(CallbackAPIVersion.VERSION2, "subscriber", protocol=paho.MQTTv5)
        subscriber.reconnect_delay_set(1, 1)
        subscriber.on_subscribe = lambda *_: self._subscribed.set()
        subscriber.on_message = lambda _, __, message: self._received.append(self._read(message))
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        kept.SessionExpiryInterval = 3600
        subscriber.connect("127.0.0.1", self._broker.port, clean_start=False, properties=kept)
        subscriber.subscribe("floor/1/#", 1)
        subscriber.loop_start()
        self._running.callback(subscriber.loop_stop)
        self._running.callback(subscriber.disconnect)
        assert self._subscribed.wait(300)
        self.url = f"mqtt://127.0.0.1:{self._broker.port}/floor/1"
        self.start, self.stop, self.close = self._broker.start, self._broker.stop, self._running.close

    def received(self) -> list[dict[str, Any]]:
        return self._received

    def _read(self, message: paho.MQTTMessage) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(message.payload)
        session = {"line-1": "line-1"}.get(event["session_id"], "Übung_2___")
        assert message.topic == f"floor/1/{session}/{event['kind']}"
        assert ("id", event["id"]) in message.properties.UserProperty  # type: ignore[attr-defined]
        return event


class JetStream:
    """A server of NATS that keeps streams in files."""

    def __init__(self, folder: Path) -> None:
        self._running = ExitStack()
        self._server = self._running.enter_context(nats_server("-js", "-sd", str(folder / "jetstream")))
        self.url = f"nats://127.0.0.1:{self._server.port}/floor.1?stream=events"
        self.start, self.stop, self.close = self._server.start, self._server.stop, self._running.close

    def received(self) -> list[dict[str, Any]]:
        return asyncio.run(self._read())

    async def _read(self) -> list[dict[str, Any]]:
        client = await nats.connect(f"nats://127.0.0.1:{self._server.port}")
        try:
            stream = client.jetstream()
            count = (await stream.stream_info("events")).state.messages
            reader = await stream.subscribe("floor.1.>", ordered_consumer=True)
            found = [json.loads((await reader.next_msg(300)).data) for _ in range(count)]
            assert len({event["id"] for event in found}) == len(found), "what comes twice is kept once"
            return found
        finally:
            await client.close()


class Redis:
    """A Redis that writes what it has got before it answers."""

    def __init__(self, folder: Path) -> None:
        try:
            self._server = RedisServer(folder)
        except NoRedis as missing:
            pytest.skip(str(missing))
        self.url = self._server.url.replace("unix:", "redis+unix:") + "?key=events"
        self.start, self.stop, self.close = self._server.start, self._server.stop, self._server.stop
        self.start()

    def received(self) -> list[dict[str, Any]]:
        with redis.Redis.from_url(self._server.url) as reader:
            return [json.loads(fields[b"event"]) for _, fields in reader.xrange("events")]  # type: ignore[misc,union-attr]


class Kafka:
    """The cluster that librdkafka has for tests: it speaks the protocol, and keeps nothing when it is killed.

    What it has got is read before that. It is at another port every time; where it is found first stays the same.
    """

    def __init__(self, folder: Path) -> None:
        self._network = Proxy("127.0.0.1:9")
        self._received: list[dict[str, Any]] = []
        self._cluster: confluent_kafka.Producer | None = None
        self.url = f"kafka://{self._network.address}/events"
        self.start()

    def start(self) -> None:
        self._cluster = confluent_kafka.Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
        (broker,) = self._cluster.list_topics(timeout=300).brokers.values()
        self._at = f"{broker.host}:{broker.port}"
        self._network.retarget(self._at)
        self._network.refuses = False

    def stop(self) -> None:
        self._received += self._read()
        self._network.refuses = True
        self._network.cut()
        self._cluster = None

    def received(self) -> list[dict[str, Any]]:
        return self._received + self._read()

    def close(self) -> None:
        self._cluster = None
        self._network.__exit__()

    def _read(self) -> list[dict[str, Any]]:
        options = {"bootstrap.servers": self._at, "group.id": "reader", "enable.partition.eof": True, "log_level": 0,
                   "auto.offset.reset": "earliest"}  # fmt: skip
        reader = confluent_kafka.Consumer(options)
        partitions = [
            TopicPartition("events", number, 0) for number in reader.list_topics("events").topics["events"].partitions
        ]
        reader.assign(partitions)
        found, ended = [], 0
        while ended < len(partitions):
            message = reader.poll(300)
            assert message is not None
            if message.error() is not None:
                assert message.error().code() == KafkaError._PARTITION_EOF
                ended += 1
                continue
            event = json.loads(message.value())
            assert message.key() == event["stream_id"].encode()
            found.append(event)
        reader.close()
        return found


class OtlpCollector(HttpEvents):
    """A server of HTTP that reads what it gets as OpenTelemetry's own definitions have it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("")
        self.url = f"otlp+{self._server.address}"

    def received(self) -> list[dict[str, Any]]:
        return [event for post in self._server.posts for event in read_otlp(post.body)]


def read_otlp(body: bytes) -> list[dict[str, Any]]:
    """The events whose log records these are."""
    request = json_format.Parse(body, ExportLogsServiceRequest())
    (resource,) = request.resource_logs
    (scope,) = resource.scope_logs
    found = []
    for record in scope.log_records:
        event = {entry.key.removeprefix("kineseg."): _plain(entry.value) for entry in record.attributes}
        assert record.event_name == f"kineseg.{event['kind']}"
        assert record.time_unix_nano < record.observed_time_unix_nano
        found.append(event)
    return found


def _plain(value: Any) -> Any:
    which = value.WhichOneof("value")
    return [_plain(one) for one in value.array_value.values] if which == "array_value" else getattr(value, which)


class RecordedFolder(Folder):
    """Files of a recorder, and those that are not finished, which do not count."""

    def __init__(self, folder: Path, scheme: str, read: Callable[[Path], list[dict[str, Any]]]) -> None:
        super().__init__(folder)
        self._scheme, self._read = scheme, read
        self.url = f"{scheme}:{self._folder}?every=0.2"

    def received(self) -> list[dict[str, Any]]:
        files = sorted(self._folder.glob(f"events-*.{self._scheme}"), key=lambda path: path.stat().st_mtime_ns)
        return [event for path in files for event in self._read(path)]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    rows = pyarrow.parquet.read_table(path).to_pylist()
    events = [{key: value for key, value in row.items() if value is not None} for row in rows]
    return [{**event, "emitted_at": f"{event['emitted_at']:%Y-%m-%dT%H:%M:%S.%f}Z"} for event in events]


def read_mcap(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        found = []
        for schema, channel, message in make_reader(file).iter_messages(log_time_order=False):
            event = json.loads(message.data)
            assert schema is not None
            Draft202012Validator(json.loads(schema.data)).validate(event)
            assert channel.topic == f"/kineseg/{event['session_id']}"
            found.append(event)
        return found


PEERS: dict[str, Callable[[Path], Peer]] = {
    "jsonl": Folder,
    "parquet": lambda folder: RecordedFolder(folder, "parquet", read_parquet),
    "mcap": lambda folder: RecordedFolder(folder, "mcap", read_mcap),
    "otlp": OtlpCollector,
    "mqtt": Mosquitto,
    "nats": JetStream,
    "redis": Redis,
    "kafka": Kafka,
    "cloudevents": lambda folder: HttpEvents("structured"),
    "cloudevents in batches": lambda folder: HttpEvents("batch"),
}
