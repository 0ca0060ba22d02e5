"""A stream's life: what may be done when, by whom, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg import StreamState
from kineseg.v1 import segmentation_pb2 as pb


def test_states_follow_each_other(connect: Any, scripted: Any) -> None:
    stream = connect(scripted.address).stream(rate=30)
    seen = [stream.state]
    with stream:
        seen.append(stream.state)
        stream.end_input()
        seen.append(stream.state)
        list(stream)
        seen.append(stream.state)
    assert seen[:2] == [StreamState.IDLE, StreamState.OPEN]
    assert seen[2] in (StreamState.INPUT_ENDED, StreamState.ENDED)
    assert seen[3] is StreamState.ENDED
    assert "ended" in repr(stream)


def test_before_it_is_open_a_stream_can_do_nothing(connect: Any, scripted: Any) -> None:
    stream = connect(scripted.address).stream(rate=30)
    for misuse in (
        lambda: stream.send(np.zeros(3)),
        stream.flush,
        stream.end_input,
        lambda: iter(stream),
        lambda: stream.opened,
        lambda: stream.session_id,
    ):
        with pytest.raises(kineseg.StreamClosed, match="not open"):
            misuse()
    assert scripted.calls == []


def test_a_stream_is_opened_once(connect: Any, scripted: Any) -> None:
    stream = connect(scripted.address).stream(rate=30)
    with stream:
        with pytest.raises(kineseg.StreamClosed, match="once"):
            stream.open()
        with pytest.raises(kineseg.StreamClosed, match="once"):
            stream.__enter__()
    with pytest.raises(kineseg.StreamClosed, match="once"):
        stream.open()
    assert scripted.calls == ["Segment"]


def test_after_its_end_nothing_can_be_sent(connect: Any, scripted: Any) -> None:
    with connect(scripted.address).stream(rate=30) as stream:
        stream.send(np.zeros((5, 3)))
        stream.end_input()
        stream.end_input()
        with pytest.raises(kineseg.StreamClosed):
            stream.send(np.zeros(3))
        with pytest.raises(kineseg.StreamClosed):
            stream.flush()
        assert stream.frames_sent == 5
    with pytest.raises(kineseg.StreamClosed, match="complete"):
        stream.send(np.zeros(3))


def test_leaving_waits_for_the_summary_and_leaves_events_to_read(connect: Any, scripted: Any) -> None:
    with connect(scripted.address).stream(rate=30) as stream:
        stream.send(np.zeros((100, 3)))
    assert stream.summary is not None
    assert list(stream) == [stream.summary]
    assert list(stream) == []
    assert stream.poll() == []


def test_polling_takes_what_is_there(connect: Any, scripted: Any, script: ModuleType) -> None:
    def speak(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened()
        yield from (script.started(seq) for seq in (1, 2, 3))
        yield from (script.ack(request.chunk) for request in requests)
        yield script.summary(4)

    scripted.segment = speak
    with connect(scripted.address).stream(rate=30) as stream:
        stream.send(np.zeros(3))
        stream.flush()  # its acknowledgement comes after the events
        assert [event.seq for event in stream.poll()] == [1, 2, 3]
        assert stream.poll() == []
        assert stream.poll(timeout=0.01) == []
        stream.end_input()
        assert [event.seq for event in stream.poll(timeout=script.PATIENCE_S)] == [4]


@pytest.mark.parametrize("what", ["sending to", "reading"])
def test_two_cannot_do_the_same_at_once(what: str, connect: Any, scripted: Any, script: ModuleType) -> None:
    def stall(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened()
        scripted.released.wait()

    scripted.segment = stall
    with connect(scripted.address).stream(rate=30) as stream:
        waiting = threading.Event()

        def first() -> None:
            waiting.set()
            with pytest.raises((kineseg.StreamClosed, StopIteration)):
                stream.send(np.zeros((1000, 3))) if what == "sending to" else next(stream)

        thread = threading.Thread(target=first)
        thread.start()
        waiting.wait()

        def second_is_refused() -> bool:
            try:
                stream.send(np.zeros((0, 3))) if what == "sending to" else stream.poll()
            except kineseg.StreamBusy as error:
                return what in str(error)
            return False

        script.until(second_is_refused, "the second learns that there is a first")
        stream.cancel()
        thread.join()


def ends(reason: int, script: ModuleType) -> Any:
    def end(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened()
        yield script.summary(1, reason)

    return end


@pytest.mark.parametrize(("reason", "word"), [(2, "closed"), (3, "drained")])
def test_a_stream_that_the_server_ends_says_why(
    reason: int, word: str, connect: Any, scripted: Any, script: ModuleType
) -> None:
    scripted.segment = ends(reason, script)
    with connect(scripted.address).stream(rate=30) as stream:
        script.until(lambda: stream.state is StreamState.ENDED, "the server ends it")
        with pytest.raises(kineseg.StreamClosed, match=word) as caught:
            stream.send(np.zeros(3))
        assert caught.value.retryable == (word == "drained")
        assert [event.reason for event in stream] == [word]


def test_reading_never_ends_the_input(scripted: Any) -> None:
    with kineseg.Client(scripted.address) as client, client.stream(rate=30) as stream:
        stream.send(np.zeros((100, 3)))
        with pytest.raises(kineseg.UsageError, match=r"end_input\(\) first"):
            iter(stream)  # who sends would wait for ever
        stream.send(np.zeros((100, 3)))
        assert stream.state is StreamState.OPEN
        stream.end_input()
        assert [event.kind for event in stream] == ["summary"]
        with pytest.raises(kineseg.StreamClosed, match="complete"):
            stream.send(np.zeros(3))
    assert stream.frames_processed == 200


def test_reading_never_ends_the_input_of_an_asynchronous_stream(scripted: Any) -> None:
    async def run() -> None:
        async with kineseg.AsyncClient(scripted.address) as client, client.stream(rate=30) as stream:
            await stream.send(np.zeros((100, 3)))
            with pytest.raises(kineseg.UsageError, match=r"end_input\(\) first"):
                stream.__aiter__()
            await stream.send(np.zeros((100, 3)))
            await stream.end_input()
            assert [event.kind async for event in stream] == ["summary"]
            with pytest.raises(kineseg.StreamClosed, match="complete"):
                await stream.send(np.zeros(3))
            assert stream.frames_processed == 200

    asyncio.run(run())


def test_reading_in_another_task_leaves_the_stream_open(scripted: Any) -> None:
    async def run() -> list[str]:
        async with kineseg.AsyncClient(scripted.address) as client, client.stream(rate=30) as stream:

            async def read() -> list[str]:
                return [event.kind async for event in stream]

            reader = asyncio.create_task(read())
            for _ in range(20):
                await stream.send(np.zeros((10, 3)))
                await stream.flush()
            await stream.end_input()
            assert stream.frames_sent == 200
            return await reader

    assert asyncio.run(run()) == ["summary"]


def test_a_stream_leaves_no_thread_behind(scripted: Any) -> None:
    with kineseg.Client(scripted.address) as client:
        for _ in range(3):
            with client.stream(rate=30) as stream:
                stream.send(np.zeros((10, 3)))
        names = [thread.name for thread in threading.enumerate()]
        assert "kineseg-reader" not in names


def test_a_stream_leaves_no_task_and_nothing_in_memory_behind(scripted: Any) -> None:
    async def run() -> None:
        async with kineseg.AsyncClient(scripted.address) as client:
            async with client.stream(rate=30) as stream:
                await stream.send(np.zeros((10, 3)))
            names = [task.get_name() for task in asyncio.all_tasks()]
            assert not [name for name in names if name.startswith("kineseg")]
            gone = weakref.ref(stream)
            del stream
            gc.collect()
            assert gone() is None

    asyncio.run(run())


def test_an_async_client_may_be_made_before_the_loop(scripted: Any) -> None:
    client = kineseg.AsyncClient(scripted.address)

    async def run() -> kineseg.Health:
        async with client:
            return await client.health()

    assert asyncio.run(run()) is kineseg.Health.SERVING


def test_cancelling_the_task_that_opens_cancels_the_call(scripted: Any, script: ModuleType) -> None:
    begun, ended = threading.Event(), threading.Event()

    def silent(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        context.add_callback(ended.set)
        begun.set()
        scripted.released.wait()
        yield from ()

    scripted.segment = silent

    async def run() -> None:
        async with kineseg.AsyncClient(scripted.address) as client:
            opening = asyncio.create_task(client.stream(rate=30).open())
            assert await asyncio.to_thread(begun.wait, script.PATIENCE_S)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            assert await asyncio.to_thread(ended.wait, script.PATIENCE_S)

    asyncio.run(run())
    assert scripted.calls == ["Segment"]


def test_closing_an_async_client_ends_calls_that_wait(scripted: Any, script: ModuleType) -> None:
    scripted.unary = lambda context: scripted.released.wait() and None

    async def run() -> None:
        client = kineseg.AsyncClient(scripted.address)
        call = asyncio.create_task(client.models())
        await asyncio.to_thread(script.until, lambda: bool(scripted.calls), "the call arrives")
        await client.close()
        with pytest.raises(kineseg.ClientClosed):
            await call

    asyncio.run(run())


def test_a_watch_that_is_closed_elsewhere_just_ends(connect: Any, scripted: Any, script: ModuleType) -> None:
    def quiet(request: Any, context: Any) -> Iterator[pb.WatchEventsResponse]:
        yield pb.WatchEventsResponse(session_id="s", event=pb.Event(seq=1))
        scripted.released.wait()

    scripted.watch = quiet
    with connect(scripted.address).watch() as watch:
        assert next(watch).session_id == "s"
        closer = threading.Timer(0.05, watch.close)
        closer.start()
        assert list(watch) == []
        closer.join()
    assert list(watch) == []


def test_both_clients_and_both_streams_have_the_same_face() -> None:
    def face(cls: type) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    assert face(kineseg.Client) == face(kineseg.AsyncClient)
    assert face(kineseg.Stream) == face(kineseg.AsyncStream)
    assert face(kineseg.Watch) == face(kineseg.AsyncWatch)
