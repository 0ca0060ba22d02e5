"""How things end that neither side meant to: late and silent servers, clients that are closed, errors that travel."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb

_NAMES = [getattr(kineseg, name) for name in kineseg.__all__]
ERRORS = [value for value in _NAMES if inspect.isclass(value) and issubclass(value, kineseg.KinesegError)]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_crosses_processes(kind: type[kineseg.KinesegError]) -> None:
    extra = {kineseg.BacklogError: {"accepted": 7}, kineseg.ClientClosed: {}}.get(
        kind, {"code": "X", "retryable": True, "field": "f"}
    )
    error = kind("what is wrong", **extra)  # type: ignore[arg-type]
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.__dict__) == (str(error), error.__dict__)


def silent(requests: Any, script: ModuleType, released: threading.Event) -> Iterator[pb.SegmentResponse]:
    next(requests)
    yield script.opened()
    yield script.started(1)
    released.wait()


@pytest.mark.parametrize("what", ["send", "flush", "read", "close", "poll"])
def test_a_server_that_keeps_silent_is_given_up(what: str, connect: Any, scripted: Any, script: ModuleType) -> None:
    scripted.segment = lambda requests, context: silent(requests, script, scripted.released)
    client = connect(scripted.address, limits=kineseg.Limits(silence_s=0.3, in_flight_s=1.0))
    stream = client.stream(rate=30)
    stream.open()
    assert next(stream).seq == 1

    def poll_on() -> None:
        while not stream.poll(timeout=0.05):
            pass

    def wait() -> None:
        stream.send(np.zeros((3, 3)))
        if what == "send":
            stream.send(np.zeros((1000, 3)))
        elif what == "flush":
            stream.flush()
        elif what == "read":
            stream.end_input()
            list(stream)
        elif what == "close":
            stream.end_input()
            poll_on()
        else:
            stream.send(np.zeros((30, 3)))
            poll_on()

    with pytest.raises(kineseg.Timeout, match=r"not answered for 0\.3 s"):
        wait()
    assert stream.state is kineseg.StreamState.FAILED


def test_a_stream_that_nothing_is_sent_to_may_wait_for_ever(connect: Any, scripted: Any, script: ModuleType) -> None:
    silence_s = 1.5  # long enough for an answer on a busy machine
    with connect(scripted.address, limits=kineseg.Limits(silence_s=silence_s)).stream(rate=30) as stream:
        stream.send(np.zeros((3, 3)))
        stream.flush()
        assert stream.poll(timeout=1.1 * silence_s) == []
        stream.send(np.zeros((3, 3)))
        stream.flush()


def test_a_client_that_is_closed_says_so(connect: Any, scripted: Any, script: ModuleType) -> None:
    scripted.segment = lambda requests, context: silent(requests, script, scripted.released)
    client = connect(scripted.address)
    reading, sending = client.stream(rate=30).open(), client.stream(rate=30).open()
    assert next(reading).seq == 1
    client.close()
    with pytest.raises(kineseg.ClientClosed, match="the client was closed"):
        list(reading)

    def send() -> None:
        for _ in range(10_000):
            sending.send(np.zeros((30, 3)))

    with pytest.raises(kineseg.ClientClosed, match="the client was closed"):
        send()
    for ask in (client.models, client.health, client.watch, lambda: client.stream(rate=30)):
        with pytest.raises(kineseg.ClientClosed):
            ask()


def test_a_call_that_is_not_answered_names_the_server(connect: Any, scripted: Any) -> None:
    scripted.unary = lambda context: scripted.released.wait() and None
    with pytest.raises(kineseg.Timeout, match=rf"{scripted.address}: the server did not answer within 0\.3 s"):
        connect(scripted.address, timeout=0.3).models()


def test_a_watch_has_subscribed_when_it_returns(server: str, connect: Any, motion: Any) -> None:
    client = connect(server)
    for attempt in range(8):
        with client.watch(kinds=["summary"]) as watch:
            name = f"seen-{type(client).__name__}-{attempt}"
            client.segment(motion[:60], rate=30, session_id=name)
            assert next(watch).session_id == name


def test_an_async_watch_subscribes_when_it_is_entered_awaited_or_read(server: str, motion: Any) -> None:
    async def run() -> None:
        async with kineseg.AsyncClient(server) as client:
            watch = await client.watch(kinds=["summary"])
            await client.segment(motion[:60], rate=30, session_id="awaited")
            assert (await anext(watch)).session_id == "awaited"
            watch.close()
            async with client.watch(kinds=["summary"]) as entered:
                await client.segment(motion[:60], rate=30, session_id="entered")
                assert (await anext(entered)).session_id == "entered"
            unread = client.watch()
            unread.close()
            assert [event async for event in unread] == []

    asyncio.run(run())


def test_a_watch_that_does_not_begin_is_given_up(connect: Any, scripted: Any) -> None:
    def mute(request: Any, context: Any) -> Iterator[pb.WatchEventsResponse]:
        scripted.released.wait()
        yield from ()

    scripted.watch = mute
    with pytest.raises(kineseg.Timeout, match=r"did not begin to watch in 0\.3 s"):
        connect(scripted.address, timeout=0.3).watch()


def test_a_watch_is_tried_again_where_that_may_help(connect: Any, scripted: Any) -> None:
    def starting(request: Any, context: grpc.ServicerContext) -> Iterator[pb.WatchEventsResponse]:
        if len(scripted.calls) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "loading")
        yield pb.WatchEventsResponse(session_id="s", event=pb.Event(seq=1))

    scripted.watch = starting
    with connect(scripted.address, retries=3).watch() as watch:
        assert next(watch).session_id == "s"
    assert scripted.calls == ["WatchEvents"] * 3


@pytest.mark.parametrize(("reason", "retryable"), [(3, True), (2, False)])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_recording_that_the_server_ends_early_is_an_error(
    reason: int, retryable: bool, after: int, connect: Any, scripted: Any, script: ModuleType
) -> None:
    def early(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened()
        for _ in range(after):
            yield script.ack(next(requests).chunk)
        yield script.summary(1, reason)

    scripted.segment = early
    with pytest.raises((kineseg.Unavailable, kineseg.StreamClosed), match="server ended the stream") as caught:
        connect(scripted.address).segment(np.zeros((2000, 3)), rate=30)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("reason", "why", "retryable"),
    [
        (kineseg.EndReason.DRAINED, "it is shutting down", True),
        (kineseg.EndReason.CLOSED, "somebody closed the session", False),
        (kineseg.EndReason.UNSPECIFIED, "unspecified", False),
    ],
)
def test_a_summary_says_why_a_recording_did_not_come_through(
    reason: kineseg.EndReason, why: str, retryable: bool
) -> None:
    about = {"seq": 1, "frame": 30, "time_s": 1.0, "decided_frame": 30, "decided_time_s": 1.0}
    totals = {"frames": 30, "duration_s": 1.0, "segments": 1, "labels": 1, "anomalies": 0, "filled_frames": 0}
    summary = kineseg.Summary(**about, **totals, reason=reason)  # type: ignore[arg-type]
    summary.raise_for_early_end(30, of=30)
    with pytest.raises(kineseg.Unavailable, match=f"ended the stream after 30 of 90 frames: {why}") as caught:
        summary.raise_for_early_end(30, of=90)
    assert caught.value.retryable is retryable
