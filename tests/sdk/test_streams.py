"""Many streams on one call, by both clients, against the real server."""

from __future__ import annotations

import threading
from typing import Any

import kineseg
import numpy as np
import pytest

from tests.same_events import content

Frames = np.ndarray[Any, np.dtype[np.float32]]
PERIOD_NS = 33_333_333


def by_stream(items: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for stream, item in items:
        found.setdefault(stream, []).append(item)
    return found


def test_streams_of_one_call_give_what_streams_of_their_own_do(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    parts = {"one": motion[:300], "two": motion[200:600], "three": motion[1350:]}
    expected = {}
    for name, frames in parts.items():
        with client.stream(rate=30, frame_results=name == "two") as stream:
            stream.send(frames, timestamps_ns=np.arange(len(frames)) * PERIOD_NS if name == "three" else None)
            stream.end_input()
            expected[name] = content(stream)
    with client.streams() as many:
        streams = {name: many.open(rate=30, frame_results=name == "two") for name in parts}
        items = []
        for at in range(0, 450, 70):
            some = {streams[name]: frames[at : at + 70] for name, frames in parts.items()}
            times = {streams["three"]: (np.arange(450) * PERIOD_NS)[at : at + 70]}
            many.send(some, timestamps_ns=times)
            items += many.poll()
        many.end_input()
        items += list(many)
    found = by_stream(items)
    for name, stream in streams.items():
        assert [*map(repr, content(found[stream]))] == [*map(repr, expected[name])]
        assert stream.frames_sent == stream.frames_processed == stream.summary.frames == len(parts[name])
        assert stream.error is None
        assert stream.state is kineseg.StreamState.ENDED
        assert stream.state == "ended"  # as with other choices of the SDK


def test_streams_come_and_go_while_others_go_on(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    with client.streams() as many:
        first = many.open(rate=30, session_id="comes-first")
        first.send(motion[:100])
        second = many.open(kineseg.StreamConfig(rate=30), session_id="comes-second")
        many.send({first: motion[100:200], second: motion[:50]})
        first.end_input()
        first.end_input()  # which changes nothing
        while first.summary is None:
            many.poll(timeout=1)
        assert first.summary.frames == 200
        assert [info.session_id for info in client.sessions() if info.session_id.startswith("comes")] == [
            "comes-second"
        ]
        with pytest.raises(kineseg.StreamClosed, match="complete"):
            first.send(motion[:1])
        again = many.open(rate=30, session_id="comes-first")
        again.cancel()
        assert again.state is kineseg.StreamState.CANCELLED
        second.send(motion[50:300])
        many.flush()
        assert second.frames_processed == 300
    assert second.summary.frames == 300
    assert again.summary is None
    with pytest.raises(kineseg.StreamClosed, match="input has been ended"):
        many.open(rate=30)


def test_a_stream_that_is_refused_is_the_only_one(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).streams() as many:
        good = many.open(rate=30)
        with pytest.raises(kineseg.NotFound) as caught:
            many.open(rate=30, model="no-such-model")
        assert (caught.value.field, caught.value.reason) == ("config.model", "MODEL_UNKNOWN")
        with pytest.raises(kineseg.InvalidRequest) as invalid:
            many.open(rate=0)
        assert invalid.value.field == "rate"
        configs = [kineseg.StreamConfig(rate=30), kineseg.StreamConfig(rate=30, channels=("c0", "other"))]
        also_good, bad = many.open_all(configs)
        assert isinstance(bad.error, kineseg.WrongChannels)
        with pytest.raises(kineseg.StreamClosed, match="not open"):
            _ = bad.opened
        many.send({good: motion[:60], also_good: motion[:90]})
    assert (good.summary.frames, also_good.summary.frames) == (60, 90)


def test_an_error_ends_its_stream_and_is_given_once(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).streams() as many:
        good, bad, worse, lost = many.open_all([kineseg.StreamConfig(rate=30)] * 4)
        # What is seen here costs nothing at all.
        with pytest.raises(kineseg.InvalidRequest, match="numbers must lie within"):
            many.send({good: motion[:30], bad: np.full((5, 3), 1e12)})
        with pytest.raises(kineseg.WrongChannels):
            many.send({good: motion[:30], bad: motion[:30, :2]})
        assert good.frames_sent == bad.frames_sent == 0
        many.send(dict.fromkeys((good, bad, worse, lost), motion[:30]))
        many.flush()
        # What the server refuses is read in the place of an event, or raised by who needs the stream.
        many.send({bad: motion[:5], worse: motion[:5], lost: motion[:5]}, first_frame=2**60)
        many.send({good: motion[:30]})
        while not (bad.error and worse.error and lost.error):
            many.send({good: motion[:1]})
            many.flush()
        with pytest.raises(kineseg.InvalidRequest, match="no stream can reach"):
            many.send({worse: motion[:5], good: motion[:7]})
        with pytest.raises(kineseg.StreamClosed):
            worse.send(motion[:5])
        sent = good.frames_sent
        items = by_stream(many.poll())
        assert items[bad][-1] is bad.error
        assert isinstance(items[bad][-1], kineseg.InvalidRequest)
        assert isinstance(items[bad][-2], kineseg.Summary)
        assert worse.error not in items[worse]
        assert items[lost][-1] is lost.error
    assert good.summary.frames == sent


def test_what_has_not_been_seen_is_raised_on_leaving(server: str, connect: Any, motion: Frames) -> None:
    def leave() -> None:
        with connect(server).streams() as many:
            stream = many.open(rate=30)
            stream.send(motion[:5], first_frame=2**60)

    with pytest.raises(kineseg.InvalidRequest, match="index 0"):
        leave()


def test_leaving_by_an_exception_gives_everything_up(server: str, connect: Any, motion: Frames, script: Any) -> None:
    client = connect(server)

    def leave() -> None:
        with client.streams() as many:
            many.open(rate=30, session_id="given-up").send(motion)
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        leave()
    script.until(lambda: "given-up" not in [info.session_id for info in client.sessions()], "its slot is free")


def test_one_thread_may_read_while_others_send(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).streams() as many:
        streams = many.open_all([kineseg.StreamConfig(rate=30)] * 4)

        def send(stream: Any) -> None:
            for at in range(0, 1800, 90):
                stream.send(motion[at : at + 90])

        senders = [threading.Thread(target=send, args=(stream,)) for stream in streams]
        items: list[Any] = []
        reader = threading.Thread(target=lambda: items.extend(many))
        for thread in (reader, *senders):
            thread.start()
        for thread in senders:
            thread.join()
        many.end_input()
        reader.join()
    found = by_stream(items)
    assert [found[stream][-1].frames for stream in streams] == [1800] * 4
    assert len({repr(content(found[stream])) for stream in streams}) == 1


def test_who_sends_does_not_wait_for_an_end_that_never_comes(server: str, connect: Any, motion: Frames) -> None:
    if not isinstance(client := connect(server), kineseg.Client):
        pytest.skip("each call of the wrapped asynchronous client is a task of its own")
    with client.streams() as many:
        many.open(rate=30).send(motion[:30])
        with pytest.raises(kineseg.UsageError, match="end_input"):
            list(many)


def test_a_stream_of_other_streams_is_refused(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    with client.streams() as ours, client.streams() as theirs:
        stream = theirs.open(rate=30)
        with pytest.raises(kineseg.UsageError, match="was opened here"):
            ours.send({stream: motion[:5]})
        with pytest.raises(kineseg.InvalidRequest, match="mapping"):
            ours.send(motion[:5])


def test_what_is_given_for_no_frames_is_refused(server: str, connect: Any, motion: Frames) -> None:
    with connect(server).streams() as many:
        one, two = many.open(rate=30), many.open(rate=30)
        for field in ("timestamps", "timestamps_ns", "first_frame"):
            with pytest.raises(kineseg.UsageError, match=f"{field}.*give its frames"):
                many.send({one: motion[:1]}, **{field: {two: 0}})
        with pytest.raises(kineseg.InvalidRequest, match=r"open\(\) opens one"):
            many.open_all(kineseg.StreamConfig(rate=30))
        many.send({one: motion[:1], two: motion[:1]}, first_frame={two: 0})
        many.end_input()
        assert len(by_stream(many)) == 2


def test_a_slow_server_slows_its_sender_within_the_window(tiny_bundle: Any, connect: Any, motion: Frames) -> None:
    from kineseg_service.config import Settings
    from kineseg_service.server import BackgroundServer

    small = Settings(
        bundles=(tiny_bundle,), packaged_bundle=False, port=0, metrics_port=None, window_frames=7, log_level="error"
    )
    with BackgroundServer(small) as running, connect(running.address).streams() as many:
        one, other = many.open(rate=30), many.open(rate=30, chunk_s=1.0)
        for at in range(0, 1800, 450):
            many.send({one: motion[at : at + 450], other: motion[at : at + 450]})
        many.flush()
        one.send(motion[:1])
        many.end_input()
        items = by_stream(many)
        assert (items[one][-1].frames, items[other][-1].frames) == (1801, 1800)


def test_a_server_that_shuts_down_ends_all_streams_well(tiny_bundle: Any, connect: Any, motion: Frames) -> None:
    from kineseg_service.config import Settings
    from kineseg_service.server import BackgroundServer

    settings = Settings(bundles=(tiny_bundle,), packaged_bundle=False, port=0, metrics_port=None, log_level="error")
    server = BackgroundServer(settings)
    with server, connect(server.address).streams() as many:
        one, other = many.open(rate=30), many.open(rate=30)
        many.send({one: motion[:100], other: motion[:200]})
        many.flush()
        server.stop()

        def send_on() -> None:
            while True:
                one.send(motion[:1])
                many.poll(timeout=0.01)

        with pytest.raises(kineseg.StreamClosed, match="drained") as caught:
            send_on()
        assert caught.value.retryable
        assert (other.summary.frames, other.summary.reason) == (200, kineseg.EndReason.DRAINED)
        with pytest.raises(kineseg.Unavailable):
            many.open(rate=30)


def test_a_client_that_is_closed_ends_its_streams(server: str, connect: Any, motion: Frames) -> None:
    client = connect(server)
    many = client.streams()
    stream = many.open(rate=30)
    stream.send(motion[:30])
    many.flush()
    client.close()

    def send_on() -> None:
        while True:
            stream.send(motion[:1])

    with pytest.raises(kineseg.ClientClosed):
        send_on()
    with pytest.raises(kineseg.ClientClosed):
        many.open(rate=30)
    with pytest.raises(kineseg.ClientClosed):
        client.streams()
