"""Many streams on one call, by both clients, against a server that follows a script."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg._many_request import End, request_of
from kineseg.v1 import segmentation_pb2 as pb

Frames = np.ndarray[Any, np.dtype[np.float32]]


def opened(script: ModuleType, number: int, window: int = 1000) -> pb.SegmentManyResponse:
    message = pb.SessionOpened(session=number, opened=script.opened().opened, window_frames=window)
    return pb.SegmentManyResponse(opened=[message])


def acked(request: pb.SegmentManyRequest) -> pb.SegmentManyResponse:
    """All chunks of a request, those of each session as one."""
    frames = {
        number: first + size // 12
        for number, first, size in zip(request.sessions, request.first_frames, request.chunk_bytes, strict=True)
    }
    return pb.SegmentManyResponse(acked_sessions=frames.keys(), acked_frames=frames.values())


def closed(script: ModuleType, number: int, **failure: Any) -> pb.SegmentManyResponse:
    response = pb.SegmentManyResponse()
    if failure:
        response.closed.add(session=number, failure=pb.SessionFailure(**failure))
    else:
        response.outputs.add(session=number, event=script.summary(1).event)
        response.closed.add(session=number)
    return response


def serve_all(script: ModuleType, requests: Any) -> Iterator[pb.SegmentManyResponse]:
    """Sessions in which nothing happens."""
    numbers = set()
    for request in requests:
        for wanted in request.opens:
            numbers.add(wanted.session)
            yield opened(script, wanted.session)
        yield acked(request)
        for number in request.ends:
            numbers.discard(number)
            yield closed(script, number)
    for number in sorted(numbers):
        yield closed(script, number)


def test_a_call_that_breaks_ends_its_streams_and_another_one_begins(
    scripted: Any, connect: Any, motion: Frames, script: ModuleType
) -> None:
    def break_once(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        if scripted.calls.count("SegmentMany") > 1:
            yield from serve_all(script, requests)
            return
        yield opened(script, next(requests).opens[0].session)
        next(requests)
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    scripted.segment_many = break_once
    with connect(scripted.address).streams() as many:
        first = many.open(rate=30)

        def send_on() -> None:
            while True:
                first.send(motion[:30])
                many.flush()

        with pytest.raises(kineseg.Unavailable, match="gone"):
            send_on()
        second = many.open(rate=30)
        second.send(motion[:30])
        many.flush()
        assert second.frames_processed == 30
    assert second.summary is not None
    assert first.state is kineseg.StreamState.FAILED


def test_a_server_that_is_full_is_asked_again(scripted: Any, connect: Any, script: ModuleType) -> None:
    def full_at_first(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        number = next(requests).opens[0].session
        full = {"code": 8, "message": "no room", "reason": "SERVER_FULL", "metadata": {"retryable": "true"}}
        yield closed(script, number, **full)
        yield from serve_all(script, requests)

    scripted.segment_many = full_at_first
    with connect(scripted.address, retries=1).streams() as many:
        assert many.open(rate=30).session_id == "scripted-1"
    with connect(f"127.99.99.99,{scripted.address}", retries=3).streams() as many:  # no one is at the first
        assert many.open(rate=30).session_id == "scripted-1"
    with connect(scripted.address).streams() as many, pytest.raises(kineseg.ServerFull) as caught:
        many.open(rate=30)
    assert (caught.value.code, caught.value.message) == ("RESOURCE_EXHAUSTED", "no room")


def test_a_server_without_the_call_is_said_to_be_so(scripted: Any, connect: Any) -> None:
    def unknown(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        yield

    scripted.segment_many = unknown
    with connect(scripted.address).streams() as many, pytest.raises(kineseg.Unsupported):
        many.open(rate=30)


def test_a_server_that_never_opens_is_given_up(scripted: Any, connect: Any) -> None:
    def silent(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        scripted.released.wait()
        yield from ()

    scripted.segment_many = silent
    with connect(scripted.address, timeout=0.2).streams() as many, pytest.raises(kineseg.Timeout, match=r"0\.2 s"):
        many.open(rate=30)


def test_a_server_that_falls_silent_ends_the_call(
    scripted: Any, connect: Any, motion: Frames, script: ModuleType
) -> None:
    def fall_silent(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        yield opened(script, next(requests).opens[0].session)
        scripted.released.wait()

    scripted.segment_many = fall_silent
    with connect(scripted.address, limits=kineseg.Limits(silence_s=0.2)).streams() as many:
        stream = many.open(rate=30)
        with pytest.raises(kineseg.Timeout, match="has not answered"):
            stream.send(motion)


def test_sending_waits_for_the_slowest_and_keeps_none_from_going_on(
    scripted: Any, connect: Any, motion: Frames, script: ModuleType
) -> None:
    """Of two streams the server acknowledges one; the other's window is full, and `send` waits for it alone."""
    seen: dict[int, int] = {1: 0, 2: 0}

    def slow(requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        for number in (1, 2):
            assert next(requests).opens[0].session == number
            yield opened(script, number, window=20)
        for request in requests:
            for number, size in zip(request.sessions, request.chunk_bytes, strict=True):
                seen[number] += size // 12
            answer = acked(request)
            frames = dict(zip(answer.acked_sessions, answer.acked_frames, strict=True))
            if 2 in frames:
                yield pb.SegmentManyResponse(acked_sessions=[2], acked_frames=[frames[2]])
            if seen[2] == 100:
                assert seen[1] <= 20
                scripted.released.wait()
                yield pb.SegmentManyResponse(acked_sessions=[1], acked_frames=[seen[1]])
                for rest in requests:
                    yield acked(rest)
                    for number in rest.ends:
                        yield closed(script, number)

    scripted.segment_many = slow
    with connect(scripted.address).streams() as many:
        one, two = many.open(rate=30), many.open(rate=30)
        sender = threading.Thread(target=lambda: many.send({one: motion[:100], two: motion[:100]}))
        sender.start()
        script.until(lambda: seen[2] == 100, "the other has sent all")
        assert sender.is_alive()
        scripted.released.set()
        sender.join()
        assert one.frames_sent == two.frames_sent == 100


ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.one_of(
            st.just(End.INPUT),
            st.just(End.ALL),
            st.builds(
                pb.FrameChunk,
                first_frame=st.integers(0, 2**62),
                data=st.binary(max_size=64) | st.binary(min_size=1, max_size=1).map(lambda byte: byte * (1 << 19)),
                capture_times_ns=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
            ),
        ),
    ),
    max_size=8,
)


@given(entries=ENTRIES)
def test_what_waits_is_put_together_as_the_server_takes_it_apart(entries: list[Any]) -> None:
    from kineseg_service.api.many_request import chunks_of

    queue = deque(entries)
    chunks, ends, cancels = [], [], []
    while queue:
        request = request_of(queue)
        assert request.ByteSize() < 4 << 20
        sent = chunks_of(pb.SegmentManyRequest.FromString(request.SerializeToString()))
        chunks += [
            (number, first, sent.data_of(at), list(sent.times_of(at)))
            for at, (number, first) in enumerate(zip(sent.numbers, sent.firsts, strict=True))
        ]
        ends += request.ends
        cancels += request.cancels
    wanted = [
        (n, what.first_frame, what.data, list(what.capture_times_ns))
        for n, what in entries
        if isinstance(what, pb.FrameChunk)
    ]
    assert chunks == wanted
    assert ends == [n for n, what in entries if what is End.INPUT]
    assert cancels == [n for n, what in entries if what is End.ALL]
