"""MQTT and NATS: through real brokers, which come and go and do not let everybody in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import Recording
from kineseg.sources import Frames, Source, SourceError, Unreadable, open_source
from kineseg.sources.file import recorded_of
from kineseg.sources.recorded import Recorded
from kineseg.sources.topics import Message, TopicDecoder
from kineseg.sources.twins import Player, open_twin

from tests.sources.brokers import MOSQUITTO, Broker, found, mosquitto, nats_server
from tests.sources.loopback import PATIENCE_S, hear

# The libraries leave a connection that was refused to the garbage collector.
pytestmark = [pytest.mark.filterwarnings(f"ignore:{what}:ResourceWarning") for what in ("unclosed", "loop is closed")]

TOPICS = {"mqtt": "mocap/ada", "nats": "mocap.ada"}


@pytest.fixture(params=TOPICS)
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def broker(scheme: str, tmp_path: Path) -> Iterator[Broker]:
    with mosquitto(tmp_path) if scheme == "mqtt" else nats_server() as running:
        yield running


async def heard_until(source: Source, pieces: list[Frames], frames: int) -> None:
    async for piece in source:
        pieces.append(piece)
        if sum(one.n_frames for one in pieces) >= frames:
            return


async def says(source: Source, what: str) -> None:
    for _ in range(round(PATIENCE_S / 0.01)):
        if what in source.silence():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(source.silence())


async def test_what_is_played_is_heard(scheme: str, broker: Broker, recorded: Recorded) -> None:
    url = f"{scheme}://127.0.0.1:{broker.port}/{TOPICS[scheme]}"
    heard = await hear(url, recorded, frames=300, speed=8.0)
    start = int(np.flatnonzero((recorded.values == heard.values[0]).all(axis=(1, 2)))[0])
    np.testing.assert_array_equal(heard.values, recorded.values[start : start + len(heard.values)])
    info = heard.pieces[0].info
    assert (info.performer, info.rate, info.clock, info.notes) == ("", 60.0, "sender", ())
    if scheme == "mqtt":  # a broker keeps what describes them for whoever comes later
        assert heard.health.unreadable == 0


async def test_a_broker_that_comes_back_is_heard_again(scheme: str, broker: Broker, recorded: Recorded) -> None:
    url = f"{scheme}://127.0.0.1:{broker.port}/{TOPICS[scheme]}"
    pieces: list[Frames] = []
    async with asyncio.timeout(PATIENCE_S), open_source(url) as source, open_twin(url, recorded.info) as twin:
        playing = asyncio.create_task(Player(recorded, twin, speed=2.0, loop=True).play())
        await heard_until(source, pieces, 60)
        broker.stop()
        await says(source, "trying again")
        pieces.clear()
        broker.start()
        await heard_until(source, pieces, 60)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def test_a_broker_that_is_not_there_yet_is_waited_for(scheme: str, broker: Broker, recorded: Recorded) -> None:
    url = f"{scheme}://127.0.0.1:{broker.port}/{TOPICS[scheme]}"
    broker.stop()
    with pytest.raises(SourceError, match="cannot be reached"):
        await open_twin(url, recorded.info).__aenter__()
    async with asyncio.timeout(PATIENCE_S), open_source(url) as source:
        await says(source, "cannot be reached")
        broker.start()
        async with open_twin(url, recorded.info) as twin:
            playing = asyncio.create_task(Player(recorded, twin, speed=4.0, loop=True).play())
            await heard_until(source, [], 60)
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)


async def test_a_wildcard_is_a_performer_for_each_topic(scheme: str, broker: Broker) -> None:
    server = f"{scheme}://127.0.0.1:{broker.port}/mocap"
    separator = TOPICS[scheme][5]
    performers: set[str] = set()

    async def listen(source: Source) -> None:
        async for piece in source:
            performers.add(piece.info.performer)
            if len(performers) == 2:
                return

    numbers = np.arange(60.0).reshape(30, 2)
    recorded = recorded_of(Recording(numbers, 60.0, ("grip", "force")))
    every = f"{server}{separator}{'%2B' if scheme == 'mqtt' else '*'}?rate=60"
    async with asyncio.timeout(PATIENCE_S), open_source(every) as source:
        listening = asyncio.create_task(listen(source))
        async with contextlib.AsyncExitStack() as stack:
            plays = []
            for name in ("ada", "ben"):
                twin = await stack.enter_async_context(open_twin(f"{server}{separator}{name}", recorded.info))
                plays.append(asyncio.create_task(Player(recorded, twin, loop=True).play()))
            await listening
            for play in plays:
                play.cancel()
            await asyncio.gather(*plays, return_exceptions=True)
    assert performers == {f"mocap{separator}ada", f"mocap{separator}ben"}


def with_password(scheme: str, folder: Path) -> contextlib.AbstractContextManager[Broker]:
    if scheme == "nats":
        return nats_server("--user", "ada", "--pass", "s3cret")
    users = folder / "users"
    subprocess.run([found("mosquitto_passwd", MOSQUITTO), "-b", "-c", users, "ada", "s3cret"], check=True)
    return mosquitto(folder, "allow_anonymous false", f"password_file {users}")


async def test_who_may_not_come_in_is_said_and_no_password_is(scheme: str, tmp_path: Path, recorded: Recorded) -> None:
    with with_password(scheme, tmp_path) as broker:
        server = f"127.0.0.1:{broker.port}/{TOPICS[scheme]}"
        async with asyncio.timeout(PATIENCE_S), open_source(f"{scheme}://ada:wr0ng@{server}") as source:
            await says(source, "uthori")  # not authorised, authorization violation
            assert "wr0ng" not in source.silence()
        with pytest.raises(SourceError) as refused:
            open_source(f"{scheme}://ada:wr0ng@{server}?nonsense=1")
        assert "wr0ng" not in str(refused.value)
        heard = await hear(f"{scheme}://ada:s3cret@{server}", recorded, frames=60, speed=8.0)
        assert len(heard.values) >= 60


async def test_by_tls(scheme: str, tmp_path: Path, recorded: Recorded) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    leaf = authority.issue_cert("127.0.0.1")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    served: Callable[[], contextlib.AbstractContextManager[Broker]] = {
        "mqtt": lambda: mosquitto(tmp_path, "allow_anonymous true", f"keyfile {key}", f"certfile {certificate}"),
        "nats": lambda: nats_server("--tls", "--tlskey", key, "--tlscert", certificate),
    }[scheme]
    by_tls = {"mqtt": "mqtts", "nats": "nats+tls"}[scheme]
    with served() as broker:
        url = f"{by_tls}://127.0.0.1:{broker.port}/{TOPICS[scheme]}"
        heard = await hear(f"{url}?ca={tmp_path / 'ca.pem'}", recorded, frames=60, speed=8.0)
        assert len(heard.values) >= 60
        async with asyncio.timeout(PATIENCE_S), open_source(url) as source:  # whose certificate no one knows
            await says(source, "certificate")
    with pytest.raises(SourceError, match="ca must name a file"):
        open_source(f"{url}?ca=/nowhere")


@pytest.mark.parametrize("url", ["mqtt://host", "mqtt://host/", "nats://host", "nats://host/a b"])
def test_without_a_topic_there_is_nothing_to_hear(url: str) -> None:
    with pytest.raises(SourceError, match="name a topic"):
        open_source(url)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=30) | st.just(b"[1,2]")), max_size=6))
def test_no_message_breaks_the_decoder(messages: list[tuple[str, bytes]]) -> None:
    decoder = TopicDecoder(several=True)
    for topic, content in messages:
        with contextlib.suppress(Unreadable):
            for sample in decoder.decode(Message(topic, content)):
                assert sample.performer == topic


def test_there_is_an_end_of_topics() -> None:
    decoder = TopicDecoder(several=True)
    content = json.dumps([1.0]).encode()
    for at in range(64):
        assert len(list(decoder.decode(Message(f"t{at}", content)))) == 1
    with pytest.raises(Unreadable, match="one topic too many"):
        list(decoder.decode(Message("t64", content)))
    assert len(list(decoder.decode(Message("t0", content)))) == 1
