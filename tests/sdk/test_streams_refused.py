"""Streams of one call that alone are refused, or not answered, for now: they go on in it once that has passed."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from evaluation.chaos.proxy import Proxy
from tests.sdk.test_resume import Motion, events_of, reconnections
from tests.sdk.test_streams_scripted import closed, opened
from tests.service.stores.servers import redis_server

UNREACHABLE = {"code": 14, "message": "no store", "reason": "STORE_UNREACHABLE", "metadata": {"retryable": "true"}}


class Keeper:
    """Keeps what comes of streams, and goes on with those that it is not to refuse."""

    def __init__(self, script: ModuleType) -> None:
        self.script = script
        self.received: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.refuses: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, dict[str, Any]] = {}
        self.ignores: set[str] = set()
        self.loses: set[str] = set()
        self.breaks = False

    def __call__(self, requests: Any, context: grpc.ServicerContext) -> Iterator[pb.SegmentManyResponse]:
        names: dict[int, str] = {}
        for request in requests:
            for wanted in request.opens:
                name = wanted.resume.stream_id or wanted.config.session_id
                self.asked[name] += 1
                if name in self.ignores:
                    continue
                if name in self.refuses:
                    yield closed(self.script, wanted.session, **self.refuses[name])
                    continue
                names[wanted.session] = name
                message = opened(self.script, wanted.session)
                about = message.opened[0].opened
                about.stream_id, about.resume_token = name, "token"
                if wanted.HasField("resume"):
                    about.resumed.next_frame = 0 if name in self.loses else self.received[name]
                yield message
            for number, first, size in zip(request.sessions, request.first_frames, request.chunk_bytes, strict=True):
                if number in names:
                    assert first == self.received[names[number]]
                    self.received[names[number]] += size // 12
            known = {names[number]: number for number in request.sessions if number in names}
            yield pb.SegmentManyResponse(
                acked_sessions=known.values(), acked_frames=[self.received[name] for name in known]
            )
            for number in request.ends:
                yield closed(self.script, number)
            if self.breaks:
                self.breaks = False
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            for number in [number for number, name in names.items() if name in self.ends]:
                yield closed(self.script, number, **self.ends.pop(names.pop(number)))


def read(many: Any, items: dict[str, list[Any]]) -> None:
    for stream, item in many.poll():
        items.setdefault(stream.config.session_id, []).append(item)


def test_a_stream_that_alone_is_refused_is_asked_for_again_in_the_same_call(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    items: dict[str, list[Any]] = {}
    with connect(scripted.address).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        many.send({one: motion[:30], other: motion[:30]})
        many.flush()
        keeper.refuses["other"], keeper.breaks = UNREACHABLE, True
        many.send({one: motion[30:60], other: motion[30:60]})
        script.until(lambda: keeper.asked["other"] >= 4, "it is asked for again and again")
        many.send({one: motion[60:90], other: motion[60:70]})
        script.until(lambda: one.frames_processed == 90, "the other is not disturbed")
        assert one.away_s == 0
        assert other.away_s > 0
        assert other.frames_processed < 70
        del keeper.refuses["other"]
        many.flush()
        assert other.frames_processed == 70
        read(many, items)
    assert scripted.calls.count("SegmentMany") == 2
    assert keeper.received == {"one": 90, "other": 70}
    [once], [later] = reconnections(items["one"]), reconnections(items["other"])
    assert once.attempts == 1
    assert later.attempts >= 4
    assert one.summary
    assert other.summary


def test_a_stream_that_alone_is_ended_for_now_goes_on_in_the_same_call(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    items: dict[str, list[Any]] = {}
    with connect(scripted.address).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        keeper.ends["other"] = UNREACHABLE | {"reason": "SERVER_FAILED"}
        for begin in range(0, 300, 30):
            many.send({one: motion[begin : begin + 30], other: motion[begin : begin + 30]})
        many.flush()
        read(many, items)
    assert scripted.calls.count("SegmentMany") == 1
    assert keeper.received == {"one": 300, "other": 300}
    assert "one" not in items
    assert [one.attempts for one in reconnections(items["other"])] == [1]


def test_a_call_in_which_no_stream_is_left_but_refused_ones_gives_way_to_another(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    with connect(scripted.address).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        keeper.refuses["other"], keeper.breaks = UNREACHABLE, True
        many.send({one: motion[:30], other: motion[:30]})
        script.until(lambda: one.frames_processed == 30 and keeper.asked["other"] >= 2, "it is refused")
        one.end_input()
        script.until(lambda: scripted.calls.count("SegmentMany") >= 3, "another call is made")
        del keeper.refuses["other"]
        many.flush()
        assert other.frames_processed == 30
    assert one.summary
    assert other.summary


def test_a_stream_that_is_refused_for_too_long_ends_and_no_other_with_it(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    with connect(scripted.address, limits=kineseg.Limits(reconnect_s=2)).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        keeper.refuses["other"], keeper.breaks = UNREACHABLE, True
        many.send({one: motion[:30], other: motion[:30]})
        script.until(lambda: other.error is not None, "it is given up")
        many.flush()
        [(ended, error)] = [(stream, item) for stream, item in many.poll() if isinstance(item, kineseg.KinesegError)]
        assert (ended, error.reason) == (other, "STORE_UNREACHABLE")
    assert one.summary


def test_a_stream_of_which_the_server_has_lost_what_was_safe_ends_and_no_other_with_it(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    with connect(scripted.address).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        many.send({one: motion[:30], other: motion[:30]})
        many.flush()
        keeper.loses, keeper.breaks = {"other"}, True
        many.send({one: motion[30:60]})
        script.until(lambda: other.error is not None, "it is given up")
        many.send({one: motion[60:90]})
        many.flush()
        [(ended, error)] = [(stream, item) for stream, item in many.poll() if isinstance(item, kineseg.KinesegError)]
        assert (ended, type(error)) == (other, kineseg.Internal)
        assert "had said that 30 frames are safe" in str(error)
    assert keeper.received["one"] == 90
    assert one.summary


# Long enough for an answer on a busy machine.
IMPATIENT = {"timeout": 2.0, "limits": kineseg.Limits(stall_s=1.5, reconnect_s=60)}


def test_a_stream_that_alone_is_not_answered_is_asked_for_again_in_the_same_call(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    items: dict[str, list[Any]] = {}
    with connect(scripted.address, **IMPATIENT).streams() as many:
        one, other, third = (many.open(rate=30, session_id=name) for name in ("one", "other", "third"))
        keeper.refuses["other"], keeper.ignores, keeper.breaks = UNREACHABLE, {"third"}, True
        many.send(dict.fromkeys((one, other, third), motion[:30]))
        script.until(lambda: keeper.asked["other"] >= 2, "it is refused")
        keeper.ignores = {"other", "third"}
        asked, calls = keeper.asked.copy(), scripted.calls.copy()
        script.until(lambda: all(keeper.asked[name] >= asked[name] + 1 for name in keeper.ignores), "no one answers")
        assert scripted.calls == calls
        many.send(dict.fromkeys((one, other, third), motion[30:60]))
        script.until(lambda: one.frames_processed == 60, "the others do not disturb it")
        keeper.ignores, keeper.refuses = set(), {}
        many.flush()
        assert other.frames_processed == third.frames_processed == 60
        read(many, items)
    assert keeper.received == {"one": 60, "other": 60, "third": 60}
    assert all(reconnections(items[name]) for name in keeper.received)


def test_a_stream_that_is_not_answered_for_too_long_ends_and_no_other_with_it(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    with connect(scripted.address, limits=kineseg.Limits(stall_s=1.5, reconnect_s=3)).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        keeper.ignores, keeper.breaks = {"other"}, True
        many.send({one: motion[:30], other: motion[:30]})
        script.until(lambda: other.error is not None, "it is given up")
        many.flush()
        [(ended, error)] = [(stream, item) for stream, item in many.poll() if isinstance(item, kineseg.KinesegError)]
        assert (ended, type(error)) == (other, kineseg.Timeout)
    assert one.summary


@pytest.mark.parametrize("last", ["ends", "is refused"])
def test_a_call_in_which_none_is_left_but_those_without_an_answer_gives_way_to_another(
    scripted: Any, connect: Any, motion: Motion, script: ModuleType, last: str
) -> None:
    keeper = scripted.segment_many = Keeper(script)
    with connect(scripted.address, **IMPATIENT).streams() as many:
        one, other = (many.open(rate=30, session_id=name) for name in ("one", "other"))
        keeper.ignores, keeper.breaks = {"other"}, True
        if last == "is refused":
            keeper.refuses["one"] = UNREACHABLE
        many.send({one: motion[:30], other: motion[:30]})
        if last == "ends":
            script.until(lambda: one.frames_processed == 30, "it goes on")
            one.end_input()
        script.until(lambda: scripted.calls.count("SegmentMany") >= 3, "another is made")
        keeper.ignores, keeper.refuses = set(), {}
        many.send({other: motion[30:60]})
        many.flush()
        assert other.frames_processed == 60
    assert one.summary
    assert other.summary


def test_those_that_lie_in_a_store_that_is_away_come_later_and_the_others_at_once(
    connect: Any, tiny_bundle: Path, tmp_path: Path, script: ModuleType
) -> None:
    t = np.arange(450) / 30
    size = (1 + (t // 5 % 2))[:, None]
    take = np.stack([np.sin(3 * t), np.cos(3 * t), np.sin(6 * t)], 1).astype(np.float32) * size
    (tmp_path / "key").write_bytes(bytes(32))
    common = {"bundles": str(tiny_bundle), "packaged_bundle": False, "port": 0, "metrics_port": None,
              "log_level": "error", "store_key": str(tmp_path / "key"), "store_interval_s": 0.1,
              "max_parked": 2}  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as redis,
        BackgroundServer(Settings(**common, store=redis.url)) as server,
        Proxy(server.address) as proxy,
        kineseg.Client(server.address) as beside,
    ):
        with beside.stream(rate=30, frame_results=True) as undisturbed:
            undisturbed.send(take)
            undisturbed.end_input()
            expected = events_of(list(undisturbed))
        with connect(proxy.address, limits=kineseg.Limits(in_flight_s=10)).streams() as many:
            streams = [many.open(rate=30, frame_results=True, session_id=f"of-four-{at}") for at in range(4)]
            many.send(dict.fromkeys(streams, take[:200]))
            many.flush()
            with proxy.away():
                many.send(dict.fromkeys(streams, take[200:250]))
                script.until(lambda: [info.parked for info in beside.sessions()] == [True] * 2, "two make room")
                redis.stop()
                here = {info.session_id for info in beside.sessions()}
            many.send(dict.fromkeys(streams, take[250:350]))
            quick = [stream for stream in streams if stream.config.session_id in here]
            slow = [stream for stream in streams if stream not in quick]
            script.until(lambda: all(stream.frames_processed == 350 for stream in quick), "half go on")
            assert all(stream.away_s > 0 for stream in slow)
            redis.start()
            script.until(lambda: not any(stream.away_s for stream in slow), "the others follow")
            many.send(dict.fromkeys(streams, take[350:]))
            many.end_input()
            items: dict[Any, list[Any]] = {}
            for stream, item in many:
                items.setdefault(stream, []).append(item)
    for stream in streams:
        assert stream.error is None
        assert events_of(items[stream]) == expected
        assert len(reconnections(items[stream])) == 1
