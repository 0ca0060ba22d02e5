"""A stream survives its connection: the events are those of an undisturbed run, whatever the network does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from evaluation.chaos.proxy import Proxy
from tests.same_events import content
from tests.sdk.conftest import until

Motion = np.ndarray[Any, Any]
QUICK = kineseg.Limits(stall_s=0.3, in_flight_s=10)


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def take() -> Motion:
    t = np.arange(600) / 30
    fast = (t // 5 % 2).astype(bool)
    phase = np.where(fast, 9.0, 3.0) * t
    wave = np.stack([np.sin(phase), np.cos(phase), np.sin(2 * phase)], axis=1) * np.where(fast, 1.5, 0.5)[:, None]
    return (wave + np.random.default_rng(0).normal(0, 0.02, wave.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def expected(server: str, take: Motion) -> list[Any]:
    with kineseg.Client(server) as client, client.stream(rate=30, frame_results=True) as stream:
        stream.send(take)
        stream.end_input()
        return events_of(list(stream))


def events_of(items: list[Any]) -> list[Any]:
    """What a run gives, for comparison: without what tells of connections, and frame results as plain values."""
    return [
        (item.frame, item.surprise, item.embedding.tolist(), item.label)
        if isinstance(item, kineseg.FrameResult)
        else content([item])
        for item in items
        if not isinstance(item, kineseg.Reconnected)
    ]


def reconnections(items: list[Any]) -> list[kineseg.Reconnected]:
    return [item for item in items if isinstance(item, kineseg.Reconnected)]


def test_a_stream_goes_on_after_the_network_was_gone(
    connect: Any, proxy: Proxy, take: Motion, expected: list[Any]
) -> None:
    client = connect(proxy.address, limits=kineseg.Limits(in_flight_s=10))
    items: list[Any] = []
    with client.stream(rate=30, frame_results=True) as stream:
        for start in range(0, 600, 100):
            stream.send(take[start : start + 60])
            with proxy.away():
                stream.send(take[start + 60 : start + 100])  # kept meanwhile
            stream.flush()
            items += stream.poll()
        proxy.cut()
        stream.end_input()
        items += list(stream)
    assert events_of(items) == expected
    how = reconnections(items)
    assert len(how) >= 6
    assert all(one.kind == "reconnected" and one.attempts >= 1 and one.away_s > 0 and one.reason for one in how)
    assert sum(one.sent_again for one in how) > 0
    assert stream.error is None


def test_a_connection_that_is_lost_without_a_word_is_made_anew(
    connect: Any, proxy: Proxy, take: Motion, expected: list[Any]
) -> None:
    client = connect(proxy.address, limits=QUICK)
    items: list[Any] = []
    with client.stream(rate=30, frame_results=True) as stream:
        stream.send(take[:300])
        stream.flush()
        # For the client alone: the server believes that it has the older call, until another one takes the stream.
        proxy.halve()
        stream.send(take[300:400])
        stream.flush()
        with proxy.swallowing():
            stream.send(take[400:450])
            threading.Timer(0.5, proxy.cut).start()
        stream.send(take[450:])
        stream.end_input()
        items += list(stream)
    assert events_of(items) == expected
    assert reconnections(items)


CUTS = st.lists(st.tuples(st.integers(1, 12_000), st.sampled_from(["cut", "halve", "delay"])), max_size=5)


@settings(max_examples=4)
@given(CUTS)
def test_whatever_is_cut_the_events_are_those_of_an_undisturbed_run(
    server: str, take: Motion, expected: list[Any], cuts: list[tuple[int, str]]
) -> None:
    with Proxy(server) as proxy:
        left = list(cuts)
        at = 0

        def disturb(passed: int) -> None:
            nonlocal at
            if left and passed >= at + left[0][0]:
                at, how = passed, left.pop(0)[1]
                if how == "delay":
                    proxy.delay_s = 0.02
                else:
                    getattr(proxy, how)()

        proxy.on_bytes = disturb
        with kineseg.Client(proxy.address, limits=QUICK) as client:
            items: list[Any] = []
            with client.stream(rate=30, frame_results=True, chunk_s=0.2) as stream:
                for start in range(0, 600, 75):
                    stream.send(take[start : start + 75])
                    items += stream.poll()
                stream.end_input()
                items += list(stream)
    assert events_of(items) == expected


def test_of_several_servers_another_one_answers(connect: Any, server: str, proxy: Proxy) -> None:
    for addresses in (f"{proxy.address},{server}", [proxy.address, server]):
        client = connect(addresses, retries=2)
        assert client.address == proxy.address
        with proxy.away():
            with client.stream(rate=30) as stream:
                assert stream.opened.server_id
            assert client.models()
        assert client.address == server


def ends_with(stream: Any, do: Any) -> kineseg.KinesegError:
    """What a stream ends with while this is done to it."""
    with pytest.raises(kineseg.KinesegError) as caught, stream:
        do(stream)
    return caught.value


def test_a_stream_that_is_not_to_resume_ends_with_its_connection(connect: Any, proxy: Proxy, take: Motion) -> None:
    def cut(stream: Any) -> None:
        assert stream.opened.resume_token == ""
        stream.send(take[:50])
        proxy.cut()
        stream.flush()

    error = ends_with(connect(proxy.address).stream(rate=30, resume=False), cut)
    assert isinstance(error, kineseg.Unavailable)


def test_a_server_that_stays_away_ends_the_stream_with_the_reason(connect: Any, proxy: Proxy, take: Motion) -> None:
    def lose(stream: Any) -> None:
        with proxy.away():
            stream.send(take)

    error = ends_with(connect(proxy.address, limits=kineseg.Limits(reconnect_s=0.5)).stream(rate=30), lose)
    assert isinstance(error, kineseg.Unavailable)
    assert error.retryable
    assert "the connection broke" in error.message
    assert "there was no server to go on with" in error.message


def test_a_stream_that_is_not_kept_any_more_says_why(connect: Any, server: str, proxy: Proxy, take: Motion) -> None:
    def take_its_name(stream: Any) -> None:
        with proxy.away(), kineseg.Client(server) as other:
            until(lambda: other.session("taken-away").info.parked, "the server hears of it")
            with other.stream(rate=30, session_id="taken-away"):
                pass
        stream.send(take)
        stream.flush()

    error = ends_with(connect(proxy.address).stream(rate=30, session_id="taken-away"), take_its_name)
    assert isinstance(error, kineseg.Unavailable)
    assert error.reason == "RESUME_EXPIRED"
    assert "another session of its name" in error.message


def test_a_stream_that_another_resumes_is_over(connect: Any, server: str) -> None:
    def take_it(stream: Any) -> None:
        resume = pb.ResumeStream(stream_id=stream.stream_id, resume_token=stream.opened.resume_token)
        with grpc.insecure_channel(server) as channel:
            requests: queue.SimpleQueue[pb.SegmentRequest] = queue.SimpleQueue()
            requests.put(pb.SegmentRequest(resume=resume))
            call = pb_grpc.SegmentationServiceStub(channel).Segment(iter(requests.get, None))
            assert next(call).opened.resumed == pb.Resumed()
            try:
                for _ in stream:
                    pass
            finally:
                requests.put(pb.SegmentRequest(give_up=pb.GiveUp()))
                list(call)
                requests.put(None)  # type: ignore[arg-type]

    error = ends_with(connect(server).stream(rate=30), take_it)
    assert isinstance(error, kineseg.Cancelled)
    assert error.reason == "RESUMED_ELSEWHERE"


def test_a_stream_that_is_given_up_is_not_kept(connect: Any, server: str, take: Motion) -> None:
    client = connect(server)
    with client.stream(rate=30, session_id="given-up") as stream:
        stream.send(take[:50])
        stream.cancel()

    def fail(stream: Any) -> None:
        stream.send(take[:50])
        raise kineseg.Internal("of the application's own")

    ends_with(client.stream(rate=30, session_id="given-up-too"), fail)
    until(lambda: not {"given-up", "given-up-too"} & {info.session_id for info in client.sessions()}, "both are gone")


def test_streams_of_one_call_go_on_in_another(connect: Any, proxy: Proxy, take: Motion, expected: list[Any]) -> None:
    client = connect(proxy.address, limits=kineseg.Limits(in_flight_s=10))
    items: dict[Any, list[Any]] = {}
    with client.streams() as many:
        streams = [many.open(rate=30, frame_results=True) for _ in range(3)]
        for start in range(0, 600, 150):
            many.send(dict.fromkeys(streams, take[start : start + 100]))
            with proxy.away():
                many.send(dict.fromkeys(streams, take[start + 100 : start + 150]))  # kept meanwhile
            many.flush()
            for stream, item in many.poll():
                items.setdefault(stream, []).append(item)
        plain = many.open(rate=30, resume=False)
        proxy.cut()
        many.end_input()
        for stream, item in many:
            items.setdefault(stream, []).append(item)
    for stream in streams:
        assert events_of(items[stream]) == expected
        assert len(reconnections(items[stream])) >= 4
    # What is not to resume ends, and no other with it.
    assert isinstance(plain.error, kineseg.Unavailable)


def test_streams_of_one_call_that_are_given_up_are_not_kept(connect: Any, server: str, take: Motion) -> None:
    client = connect(server)
    with client.streams() as many:
        streams = [many.open(rate=30, session_id=f"one-of-many-{at}") for at in range(2)]
        many.send(dict.fromkeys(streams, take[:30]))
        many.cancel()
    until(lambda: not any(info.session_id.startswith("one-of-many") for info in client.sessions()), "both are gone")
