"""Connections that a network loses without a word: what waits in vain on one takes another, what does not keeps it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import grpc
import kineseg
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from evaluation.chaos.proxy import Proxy
from tests.sdk.test_resume import Motion, events_of, reconnections

KEEPALIVE_S = 40.0  # before that no server asks whether a connection is alive; it waits for an answer then
PATIENT = kineseg.Limits(stall_s=0.3, in_flight_s=10, reconnect_s=30)


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server) as proxy:
        yield proxy


def test_streams_on_a_dead_connection_go_on_over_another(
    connect: Any, server: str, proxy: Proxy, motion: Motion, script: ModuleType
) -> None:
    take = motion[:300]
    with connect(server).stream(rate=30, frame_results=True) as undisturbed:
        undisturbed.send(take)
        undisturbed.end_input()
        expected = events_of(list(undisturbed))

    with connect(proxy.address, limits=PATIENT) as client:
        alone, items = client.stream(rate=30, frame_results=True), {}
        with alone, client.streams() as many:
            together = [many.open(rate=30, frame_results=True) for _ in range(2)]
            for begin in (0, 150):
                alone.send(take[begin : begin + 100])
                many.send(dict.fromkeys(together, take[begin : begin + 100]))
                proxy.strand()
                alone.send(take[begin + 100 : begin + 150])
                many.send(dict.fromkeys(together, take[begin + 100 : begin + 150]))
                alone.flush()
                many.flush()
            alone.end_input()
            many.end_input()
            items[alone] = list(alone)
            for stream, item in many:
                items.setdefault(stream, []).append(item)
        for stream in (alone, *together):
            assert events_of(items[stream]) == expected
            assert len(reconnections(items[stream])) >= 2
        assert proxy.connections >= 3
        script.until(lambda: proxy.ended == proxy.connections - 1, "connections that nothing goes by are closed")


@pytest.mark.parametrize("many", [False, True], ids=["alone", "together"])
def test_who_waits_for_events_as_the_connection_dies_reads_on(
    connect: Any, proxy: Proxy, motion: Motion, many: bool, script: ModuleType
) -> None:
    with (
        connect(proxy.address, limits=PATIENT) as client,
        client.streams() if many else client.stream(rate=30) as whole,
    ):
        stream = whole.open(rate=30) if many else whole
        items: list[Any] = []
        reader = threading.Thread(target=lambda: items.extend(whole), daemon=True)
        reader.start()
        stream.send(motion[:60])
        script.until(lambda: stream.frames_processed == 60, "nothing is owed")
        proxy.strand()
        sent_at = time.monotonic()
        stream.send(motion[60:90])
        script.until(lambda: stream.frames_processed == 90, "it goes on")
        assert time.monotonic() - sent_at < KEEPALIVE_S
        whole.end_input()
        reader.join()
    assert reconnections([item[1] for item in items] if many else items)


def test_a_stream_that_is_answered_keeps_the_connection_on_which_another_is_not(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    peers: dict[str, list[str]] = {"answered": [], "unanswered": []}

    def answer(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentResponse]:
        first = next(requests)
        name = "unanswered" if first.HasField("resume") else first.config.session_id
        peers[name].append(context.peer())
        opened = script.opened()
        opened.opened.resume_token = "token"
        if first.HasField("resume"):
            opened.opened.resumed.SetInParent()
        yield opened
        if len(peers["unanswered"]) == 1 and name == "unanswered":
            scripted.released.wait()
        for request in requests:
            if request.HasField("chunk"):
                yield script.ack(request.chunk)
            if request.HasField("end"):
                yield script.summary(1)
                return

    scripted.segment = answer
    client = connect(
        scripted.address, limits=kineseg.Limits(stall_s=2.0)
    )  # long enough for an answer on a busy machine
    with client.stream(rate=30, session_id="answered") as answered:
        with client.stream(rate=30, session_id="unanswered") as unanswered:
            for _ in range(2):
                answered.send(motion[:30])
                answered.flush()
                unanswered.send(motion[:30])
                unanswered.flush()
        answered.send(motion[:30])
        answered.flush()
    assert peers["answered"] == peers["unanswered"][:1]
    assert set(peers["unanswered"][1:]) != set(peers["answered"])
    assert not reconnections(answered.poll())


@contextlib.contextmanager
def opened_together(client: Any) -> Iterator[None]:
    with client.streams() as many:
        many.open(rate=30)
        yield


ASK: dict[str, Callable[[Any], contextlib.AbstractContextManager[Any]]] = {
    "models": lambda client: contextlib.nullcontext(client.models()),
    "watch": lambda client: client.watch(),
    "stream": lambda client: client.stream(rate=30),
    "streams": opened_together,
}


@pytest.mark.parametrize("what", ASK)
def test_what_is_asked_in_vain_may_be_asked_again(connect: Any, proxy: Proxy, what: str) -> None:
    client = connect(proxy.address, timeout=0.5)

    def asks() -> bool:
        try:
            with ASK[what](client):
                return True
        except kineseg.Timeout:
            return False

    def comes_about() -> bool:
        return any(asks() for _ in range(20))

    assert comes_about()
    proxy.strand()
    assert not asks()
    assert comes_about()


def test_streams_are_opened_in_another_call_where_no_answer_came_in_one(
    connect: Any, proxy: Proxy, motion: Motion
) -> None:
    with connect(proxy.address, timeout=0.5).streams() as many:

        def opens() -> Any:
            try:
                return many.open(rate=30)
            except kineseg.Timeout:
                return None

        def comes_about() -> Any:
            return next(filter(None, (opens() for _ in range(20))))

        comes_about().cancel()
        proxy.strand()
        assert opens() is None
        stream = comes_about()
        stream.send(motion[:30])
        many.flush()
        assert stream.frames_processed == 30
