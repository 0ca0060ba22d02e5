"""The server's pace reaches the sender, nothing is dropped, and reading late never locks up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb


@pytest.fixture
def stalled(scripted: Any, script: ModuleType) -> Any:
    """A server that opens a stream and then reads nothing until `released`."""

    def stall(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened()
        scripted.released.wait()
        for request in requests:
            yield script.ack(request.chunk)
        yield script.summary(1)

    scripted.segment = stall
    return scripted


class Background(threading.Thread):
    """Does something that may block, and keeps what it raised."""

    def __init__(self, work: Any) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error

    def ended(self, script: ModuleType) -> BaseException | None:
        self.join(script.PATIENCE_S)
        assert not self.is_alive()
        return self.error


def test_a_server_that_stops_reading_stops_the_sender(stalled: Any, connect: Any, script: ModuleType) -> None:
    with connect(stalled.address).stream(rate=100, chunk_s=0.1) as stream:
        sender = Background(lambda: stream.send(np.zeros((5000, 3))))
        script.until(lambda: stream.frames_sent == 200, "two seconds of frames under way")
        assert sender.is_alive()
        stalled.released.set()
        assert sender.ended(script) is None
        assert stream.frames_sent == 5000


def test_how_much_may_be_under_way_can_be_chosen(stalled: Any, connect: Any, script: ModuleType) -> None:
    client = connect(stalled.address, limits=kineseg.Limits(in_flight_s=0.5))
    with client.stream(rate=100, chunk_s=0.1) as stream:
        sender = Background(lambda: stream.send(np.zeros((500, 3))))
        script.until(lambda: stream.frames_sent == 50, "half a second of frames under way")
        assert sender.is_alive()
        stalled.released.set()
        assert sender.ended(script) is None


def test_large_messages_are_held_back_by_the_transport_too(connect: Any, scripted: Any, script: ModuleType) -> None:
    names = tuple(f"c{i}" for i in range(2000))

    def stall(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened(names)
        scripted.released.wait()
        yield from (script.ack(request.chunk, 2000) for request in requests)
        yield script.summary(1)

    scripted.segment = stall
    client = connect(scripted.address, limits=kineseg.Limits(in_flight_s=10))
    with client.stream(rate=100, chunk_s=1) as stream:
        sender = Background(lambda: stream.send(np.zeros((2000, 2000), np.float32)))
        script.until(lambda: stream.frames_sent >= 1000, "ten seconds of frames under way")
        assert sender.is_alive()
        scripted.released.set()
        assert sender.ended(script) is None
        assert stream.frames_sent == 2000


@pytest.mark.parametrize("what", ["send", "flush", "read", "poll"])
def test_cancelling_wakes_whoever_waits(what: str, stalled: Any, connect: Any, script: ModuleType) -> None:
    with connect(stalled.address).stream(rate=100, chunk_s=0.1) as stream:
        stream.send(np.zeros((200, 3)))
        waits = {
            "send": lambda: stream.send(np.zeros((100, 3))),
            "flush": stream.flush,
            "read": lambda: next(stream),
            "poll": lambda: stream.poll(timeout=1000),
        }
        waiting = Background(waits[what])
        waiting.join(0.05)
        assert waiting.is_alive()
        stream.cancel()
        error = waiting.ended(script)
        expected = {"send": kineseg.StreamClosed, "flush": kineseg.StreamClosed, "read": StopIteration}
        assert isinstance(error, expected[what]) if what in expected else error is None
    assert stream.state is kineseg.StreamState.CANCELLED
    with pytest.raises(kineseg.StreamClosed, match="cancelled"):
        stream.send(np.zeros(3))


def test_leaving_by_an_exception_gives_the_stream_up(stalled: Any, connect: Any) -> None:
    stream = connect(stalled.address).stream(rate=100)

    def leave() -> None:
        with stream:
            stream.send(np.zeros((100, 3)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave()
    assert stream.state is kineseg.StreamState.CANCELLED


def an_event_a_chunk(requests: Iterator[pb.SegmentRequest], script: ModuleType) -> Iterator[pb.SegmentResponse]:
    next(requests)
    yield script.opened()
    seq = 0
    for request in requests:
        seq += 1
        yield script.started(seq, request.chunk.first_frame)
        yield script.ack(request.chunk)
    yield script.summary(seq + 1)


def test_a_sender_that_reads_only_at_the_end_does_not_lock_up(connect: Any, scripted: Any, script: ModuleType) -> None:
    scripted.segment = lambda requests, context: an_event_a_chunk(requests, script)
    with connect(scripted.address).stream(rate=120, chunk_s=0.2) as stream:
        for frames in np.array_split(np.zeros((20_000, 3), np.float32), 50):
            stream.send(frames)
        stream.end_input()
        events = list(stream)
    assert [event.seq for event in events] == list(range(1, 20_000 // 24 + 3))


def test_unread_events_are_bounded_and_none_is_lost(connect: Any, scripted: Any, script: ModuleType) -> None:
    scripted.segment = lambda requests, context: an_event_a_chunk(requests, script)
    client = connect(scripted.address, limits=kineseg.Limits(unread=100))
    frames = np.arange(3000, dtype=np.float32).reshape(1000, 3)
    seqs: list[int] = []
    refused = 0
    with client.stream(rate=10, chunk_s=0.1) as stream:
        sent = 0
        while sent < len(frames):
            try:
                stream.send(frames[sent:])
                sent = len(frames)
            except kineseg.BacklogError as error:
                refused += 1
                sent += error.accepted
                assert sent == stream.frames_sent
                seqs += [event.seq for event in stream.poll()]
        stream.end_input()
        seqs += [event.seq for event in stream]
    assert refused >= 5
    assert seqs == list(range(1, 1002))


def test_reading_and_sending_at_once(connect: Any, scripted: Any, script: ModuleType) -> None:
    scripted.segment = lambda requests, context: an_event_a_chunk(requests, script)
    with connect(scripted.address).stream(rate=100, chunk_s=0.05) as stream:

        def send_all() -> None:
            for _ in range(200):
                stream.send(np.zeros((5, 3)))
            stream.end_input()

        sender = Background(send_all)
        events = list(stream)
        assert sender.ended(script) is None
    assert len(events) == 201


def test_a_cancelled_send_tells_how_far_it_came(stalled: Any, script: ModuleType) -> None:
    async def run() -> None:
        async with (
            kineseg.AsyncClient(stalled.address) as client,
            client.stream(rate=100, chunk_s=0.1) as stream,
        ):
            sending = asyncio.create_task(stream.send(np.zeros((1000, 3))))
            async with asyncio.timeout(script.PATIENCE_S):
                while stream.frames_sent < 200:  # noqa: ASYNC110 - nothing else shows it
                    await asyncio.sleep(0.005)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert stream.frames_sent == 200
            stalled.released.set()
            await stream.send(np.zeros((800, 3)))
            await stream.flush()
            assert stream.frames_sent == 1000

    asyncio.run(run())


def test_what_is_acknowledged_late_on_purpose_holds_no_one_up(
    server: str, connect: Any, motion: np.ndarray[Any, Any]
) -> None:
    """A window of two chunks and an interval that is longer: the sender goes on, and `flush` waits for what is held."""
    with connect(server, limits=kineseg.Limits(in_flight_s=0.1)).stream(rate=30, ack_interval_s=0.3) as stream:
        stream.send(motion[:20])
        stream.flush()
        assert stream.frames_processed == 20
        stream.send(motion[20:40])
        stream.end_input()
        last = list(stream)[-1]
    assert isinstance(last, kineseg.Summary)
    assert last.frames == 40
