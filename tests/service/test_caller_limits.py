"""Limits of tenants and addresses: each is named when it is reached, says when to come back, and hurts no one else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.access.bucket import Bucket
from kineseg_service.access.caller import Caller
from kineseg_service.access.limits import Limits
from kineseg_service.config import Settings
from kineseg_service.errors import LimitReached
from kineseg_service.metrics import Metrics
from kineseg_service.processes.place import Place, uses_folder
from kineseg_service.processes.uses import SharedUses
from kineseg_service.server import BackgroundServer

from tests.service.conftest import Serve
from tests.service.locked import Keyring, stub_with
from tests.service.talk import Call, Stub, Watch, chunk, config, cut, events, motion, segment, status_of, until

Two = Callable[..., AbstractContextManager[tuple[BackgroundServer, Stub, Stub]]]


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def two(serve: Serve, tmp_path: Path) -> Two:
    """A server with these settings, and what two tenants call with."""

    @contextmanager
    def start(**settings: object) -> Iterator[tuple[BackgroundServer, Stub, Stub]]:
        keys = Keyring(tmp_path / "tokens.json")
        with (
            serve(tokens=keys.path, **settings) as (server, _),
            stub_with(server.address, keys.make("small")) as small,
            stub_with(server.address, keys.make("large")) as large,
        ):
            yield server, small, large

    return start


def reached(call: grpc.Call, limit: str) -> str:
    """What is said when this limit is reached."""
    code, message, said = status_of(call)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED, message
    assert (said["reason"], said["limit"], said["retryable"]) == ("LIMIT_REACHED", limit, "true")
    assert float(said["retry_after_s"]) > 0
    [raw] = [value for key, value in call.trailing_metadata() if key == "grpc-status-details-bin"]
    [retry] = [detail for detail in Status.FromString(raw).details if detail.Is(RetryInfo.DESCRIPTOR)]
    info = RetryInfo()
    retry.Unpack(info)
    assert info.retry_delay.ToNanoseconds() / 1e9 == pytest.approx(float(said["retry_after_s"]), abs=1e-3)
    return message


def test_streams_watchers_and_openings_of_one_tenant(two: Two) -> None:
    limits = {"streams": 1, "watchers": 1, "opens_per_s": 1000}
    with two(tenants={"small": limits}) as (_, small, large):
        first = Call(small, config())
        first.opened()
        message = reached(Call(small, config()).failure(), "tenant.streams")
        assert "tenant 'small' has 1 open streams; its limit tenant.streams is 1: come back in" in message
        others = [Call(large, config()) for _ in range(3)]
        for other in others:
            other.opened()
        watch = Watch(small)
        refused = small.WatchEvents(pb.WatchEventsRequest())
        with pytest.raises(grpc.RpcError):
            next(refused)
        reached(refused, "tenant.watchers")
        for _ in range(2):
            Watch(large).stop()
        # What ends makes room.
        watch.stop()
        first.send(*cut(motion(60)))
        assert first.failure().code() == grpc.StatusCode.OK
        assert events(segment(small, cut(motion(60))))

        def watches() -> bool:
            call = small.WatchEvents(pb.WatchEventsRequest())
            call.initial_metadata()
            call.cancel()
            return call.code() == grpc.StatusCode.CANCELLED

        until(watches, "there is room for a watcher again")
        for other in others:
            other.cancel()


def test_a_session_among_many_that_reaches_a_limit_ends_alone(two: Two) -> None:
    with two(limits={"frames_per_s": 100}, limit_patience_s=0) as (_, small, large):
        frames = motion(1000)
        opens = [pb.OpenSession(session=1 + n, config=config(session_id=f"s{n}").config) for n in range(2)]

        def requests() -> Iterator[pb.SegmentManyRequest]:
            yield pb.SegmentManyRequest(opens=opens)
            opened.wait(300)
            both = b"".join(frames[:500].tobytes() for _ in range(2))
            yield pb.SegmentManyRequest(
                sessions=[1, 2], first_frames=[0, 0], chunk_bytes=[len(both) // 2] * 2, data=both
            )

        opened = threading.Event()
        closed: dict[int, pb.SessionClosed] = {}
        seen = 0
        for response in small.SegmentMany(requests()):
            seen += len(response.opened)
            if seen == 2:
                opened.set()
            closed |= {one.session: one for one in response.closed}
        assert not closed[1].HasField("failure"), "it was first, and owes nothing"
        failure = closed[2].failure
        assert (failure.reason, failure.metadata["limit"]) == ("LIMIT_REACHED", "tenant.frames_per_s")
        assert float(failure.metadata["retry_after_s"]) > 0
        assert events(segment(large, cut(motion(60))))[-1].summary.frames == 60


def test_who_sends_faster_than_allowed_is_slowed_down_and_loses_nothing(two: Two) -> None:
    with two(tenants={"small": {"frames_per_s": 1000}}) as (_, small, large):
        frames = motion(3000)
        before = time.monotonic()
        slowed = events(segment(small, cut(frames, rest=100)))
        assert time.monotonic() - before >= (3000 - 2000 - 100) / 1000, "two seconds' worth may come at once"
        assert [one.frame for one in slowed] == [one.frame for one in events(segment(large, cut(frames)))]


def test_who_would_have_to_wait_too_long_is_refused_after_what_came_before(two: Two) -> None:
    with two(tenants={"small": {"bytes_per_s": 1200}}, limit_patience_s=0) as (_, small, large):
        call = Call(small, config())
        call.opened()
        call.send(chunk(0, motion(300)), chunk(300, motion(300)))
        responses = call.rest()
        assert events(responses)[-1].summary.frames == 300
        assert "sends too many bytes" in reached(call.call, "tenant.bytes_per_s")
        assert events(segment(large, cut(motion(600))))[-1].summary.frames == 600


def test_an_address_has_limits_of_its_own(serve: Serve) -> None:
    with serve(peer_limits={"streams": 1}) as (_, stub):
        call = Call(stub, config())
        call.opened()
        assert "the address 127.0.0.1 has 1 open streams" in reached(Call(stub, config()).failure(), "peer.streams")
        call.cancel()


def test_streams_of_more_frames_than_may_come_are_not_opened(serve: Serve) -> None:
    with serve(limits={"frames_per_s": 100}) as (_, stub):
        call = Call(stub, config(60))
        call.opened()
        message = reached(Call(stub, config(60)).failure(), "tenant.frames_per_s")
        assert "has open streams of 60 frames a second, and wants another of 60" in message
        other = Call(stub, config(40))
        other.opened()
        call.cancel(), other.cancel()


def test_a_bucket_holds_two_seconds_and_may_owe() -> None:
    clock = Time()
    bucket = Bucket(10, clock)
    bucket.take(20)
    assert bucket.wait_s() == 0
    bucket.take(30)
    assert bucket.wait_s() == pytest.approx(3)
    clock.now += 2
    assert bucket.wait_s() == pytest.approx(1)
    assert bucket.wait_s(10) == pytest.approx(2)
    clock.now += 100
    assert bucket.is_full
    bucket.take(20)
    assert bucket.wait_s() == 0


def test_openings_are_counted_and_come_back_with_time() -> None:
    clock = Time()
    metrics = Metrics(())
    limits = Limits(Settings(limits={"opens_per_s": 0.5}), metrics, clock)
    share = limits.of(Caller("lab", address="192.0.2.1"))
    share.count_opening()
    with pytest.raises(LimitReached, match=r"tenant 'lab' opens streams too fast.*come back in 2.0 s") as caught:
        share.count_opening()
    assert caught.value.retry_after_s == pytest.approx(2.0)
    assert metrics.registry.get_sample_value("kineseg_refused_total", {"reason": "LIMIT_REACHED"}) == 1
    limits.of(Caller("other", address="192.0.2.1")).count_opening()
    clock.now += caught.value.retry_after_s
    limits.of(Caller("lab")).count_opening()


def test_what_is_given_back_twice_is_given_back_once() -> None:
    share = Limits(Settings(limits={"streams": 2, "watchers": 2}), Metrics(())).of(Caller())
    free, watched = share.take_stream(30), share.take_watcher()
    share.take_stream(30)
    share.take_watcher()
    free(), free(), watched(), watched()
    share.take_stream(30)
    share.take_watcher()
    for take in (lambda: share.take_stream(30), share.take_watcher):
        with pytest.raises(LimitReached):
            take()


def test_addresses_that_have_nothing_are_forgotten() -> None:
    clock = Time()
    limits = Limits(Settings(peer_limits={"streams": 1, "opens_per_s": 1}), Metrics(()), clock)
    keeps = limits.of(Caller(address="a"))
    keeps.take_stream(30)
    for number in range(25_000):
        limits.of(Caller(address=f"{number}")).count_opening()
        clock.now += 0.001
    assert len(limits._addresses) <= 12_001
    with pytest.raises(LimitReached):
        limits.of(Caller(address="a")).take_stream(30)


def test_a_tenant_has_the_limits_of_all_but_for_its_own(tmp_path: Path) -> None:
    path = tmp_path / "kineseg.toml"
    path.write_text(
        "[limits]\nstreams = 3\nframes_per_s = 500\n[tenants.lab]\nstreams = 30\nframes_per_s = 'none'\n",
        encoding="utf-8",
    )
    settings = Settings(config_file=path)
    assert (settings.limits_of("lab").streams, settings.limits_of("lab").frames_per_s) == (30, None)
    assert (settings.limits_of("other").streams, settings.limits_of("other").frames_per_s) == (3, 500)
    # As a process of several gets them.
    again = Settings(**settings.model_dump(mode="json", exclude={"config_file"}, exclude_unset=True))
    assert again.limits_of("lab") == settings.limits_of("lab")


def test_what_processes_have_together_is_limited(tmp_path: Path) -> None:
    """As many as there are share what one may have; what one of them no longer has, another may."""
    uses_folder(tmp_path).mkdir()
    clock = Time()
    settings = Settings(limits={"streams": 3, "watchers": 1, "frames_per_s": 100})
    both = [Limits(settings, Metrics(()), clock) for _ in range(2)]
    exchanges = [SharedUses(place(tmp_path, index, 2), limits) for index, limits in enumerate(both)]

    def exchange() -> None:
        for each in exchanges * 2:
            each.exchange()

    one, other = (limits.of(Caller("lab")) for limits in both)
    one.take_stream(30)
    free, watched = one.take_stream(30), one.take_watcher()
    exchange()
    other.take_stream(30)
    with pytest.raises(LimitReached, match=r"tenant 'lab' has 3 open streams; its limit tenant.streams is 3"):
        other.take_stream(1)
    with pytest.raises(LimitReached, match=r"has 1 watchers"):
        other.take_watcher()
    both[1].of(Caller("another")).take_stream(30)
    free(), watched()
    exchange()
    other.take_watcher()
    with pytest.raises(LimitReached, match=r"has open streams of 60 frames a second, and wants another of 60"):
        other.take_stream(60)
    other.take_stream(40)


@pytest.mark.parametrize("processes", [2, 16])
@pytest.mark.parametrize("busy", ["one", "one after all"])
def test_what_comes_in_several_is_slowed_down_to_the_limit(tmp_path: Path, processes: int, busy: str) -> None:
    uses_folder(tmp_path).mkdir()
    clock = Time()
    settings = Settings(limits={"frames_per_s": 1000}, limit_patience_s=60)
    every = [Limits(settings, Metrics(()), clock) for _ in range(processes)]
    exchanges = [SharedUses(place(tmp_path, index, processes), limits) for index, limits in enumerate(every)]
    shares = [limits.of(Caller("lab")) for limits in every]
    may_send_at = [0.0] * processes
    sent = []
    for tick in range(1600):  # of 25 ms
        clock.now += 0.025
        sends = shares if busy == "one after all" and tick < 800 else shares[:1]
        sent.append(0)
        for index, share in enumerate(sends):
            if clock.now >= may_send_at[index]:
                may_send_at[index] = clock.now + share.take_frames(50, 0)
                sent[-1] += 50
        if tick % 10 == 9:
            for each in exchanges:
                each.exchange()
    for late in (sent[400:800], sent[1200:]):
        assert sum(late) / (0.025 * len(late)) == pytest.approx(1000, rel=0.15)


def place(folder: Path, index: int, count: int) -> Place:
    async def loaded() -> None:
        pass

    return Place(index, count, folder, loaded, lambda: None)
