"""What brokers say where something is wrong on the way to them, in words that help."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import redis
from kineseg.sinks import Refused, Retry, SinkError, SinkEvent, open_sink

from evaluation.chaos.redis_server import NoRedis, RedisServer
from evaluation.ports import free_port
from tests.sinks.made_events import events
from tests.sources.brokers import found, mosquitto, nats_server


async def deliver(url: str) -> None:
    sink = open_sink(url)
    try:
        await sink.deliver(events(3))
    finally:
        await sink.close()


def write_password(path: Path) -> None:
    tool = found("mosquitto_passwd", "apt-get install mosquitto")
    subprocess.run([tool, "-b", "-c", path, "me", "word"], check=True, capture_output=True)


async def test_mqtt_logs_in(tmp_path: Path) -> None:
    write_password(tmp_path / "people")
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {tmp_path}/people") as broker:
        await deliver(f"mqtt://me:word@127.0.0.1:{broker.port}")
        with pytest.raises(Retry, match="Not authorized"):
            await deliver(f"mqtt://me:other@127.0.0.1:{broker.port}")


async def test_nats_logs_in_and_says_what_a_stream_is_missing() -> None:
    with nats_server("--user", "me", "--pass", "word") as server:
        with pytest.raises(Retry, match="no stream of JetStream takes kineseg"):
            await deliver(f"nats://me:word@127.0.0.1:{server.port}")
        with pytest.raises(Retry, match="Authorization"):
            await deliver(f"nats://me:other@127.0.0.1:{server.port}")


async def test_what_is_too_large_for_nats_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.conf").write_text(f"max_payload: 1000\njetstream {{store_dir: {tmp_path}}}\n")
    with nats_server("-c", str(tmp_path / "small.conf")) as server:
        sink = open_sink(f"nats://127.0.0.1:{server.port}?stream=events")
        (event,) = events(1)
        await sink.deliver([event])
        with pytest.raises(Refused, match="the server takes 1000"):
            await sink.deliver([SinkEvent({**event.values, "name": "n" * 700}, event.session_id)])
        await sink.deliver([event])
        await sink.close()


async def test_redis_keeps_as_many_as_are_wanted_and_says_what_a_key_is(tmp_path: Path) -> None:
    try:
        server = RedisServer(tmp_path)
    except NoRedis as missing:
        pytest.skip(str(missing))
    with server, redis.Redis.from_url(server.url) as reader:
        url = server.url.replace("unix:", "redis+unix:")
        sink = open_sink(f"{url}?key=few&maxlen=50")
        for _ in range(8):
            await sink.deliver(events(50))
        await sink.close()
        assert 50 <= int(reader.xlen("few")) < 400  # type: ignore[arg-type]
        reader.set("taken", "by something else")
        with pytest.raises(Retry, match="WRONGTYPE"):
            await deliver(f"{url}?key=taken")


@pytest.mark.parametrize("scheme", ["mqtt", "nats", "redis", "kafka"])
async def test_a_server_that_is_not_there(scheme: str) -> None:
    with pytest.raises(Retry, match=r"[Cc]onnect|refused"):
        await deliver(f"{scheme}://127.0.0.1:{free_port()}?timeout=5")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mqtt://broker/floor/#", "no prefix of topics"),
        ("mqtt://broker/floor//1", "no prefix of topics"),
        ("nats://broker/floor.>", "no prefix of topics"),
        ("redis://server/events", "key=NAME"),
        ("kafka://broker/a/b", "no topic"),
        ("kafka://me:word@broker/a?sasl=KERBEROS", "sasl must be one of"),
        ("mqtts://broker?ca=/no/such/file", "ca must name a file"),
    ],
)
def test_what_is_no_broker(url: str, says: str) -> None:
    with pytest.raises(SinkError, match=says):
        open_sink(url)
