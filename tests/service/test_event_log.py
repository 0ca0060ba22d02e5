"""Watchers read the event log at their own pace, go on where they were, and hear what they came too late for."""

from __future__ import annotations

import itertools

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.events import Event, SegmentRetracted
from kineseg_service.streams.event_log import EventLog

from tests.service.conftest import Serve
from tests.service.talk import (
    SMALL,
    Stub,
    chunk,
    cut,
    events,
    motion,
    scraped,
    segment,
    status_of,
    until,
)

FRAMES = motion(900)
# Every second frame is missing: an event for each.
GAPS = [chunk(at, FRAMES[at : at + 1]) for at in range(0, 900, 2)]
Id = tuple[str, int]


def ids(seen: list[pb.WatchEventsResponse]) -> list[Id]:
    return [(watched.event.stream_id, watched.event.seq) for watched in seen]


def cursor_at(stub: Stub, cursor: str) -> str:
    """Where a watch begins that comes with this cursor."""
    call = stub.WatchEvents(pb.WatchEventsRequest(cursor=cursor))
    begins = dict(call.initial_metadata())["kineseg-cursor"]
    call.cancel()
    return str(begins)


def watched_up_to(stub: Stub, cursor: str, last: Id, **fields: object) -> list[pb.WatchEventsResponse]:
    """What a watcher gets from its cursor to an event that there is."""
    call = stub.WatchEvents(pb.WatchEventsRequest(cursor=cursor, **fields))  # type: ignore[arg-type]
    seen: list[pb.WatchEventsResponse] = []
    for watched in call:
        seen.append(watched)
        if ids([watched]) == [last]:
            break
    call.cancel()
    return seen


def test_a_watcher_that_comes_back_gets_what_it_has_not_seen(serve: Serve) -> None:
    with serve() as (_, stub):
        cursor = cursor_at(stub, "")
        expected = [[(event.stream_id, event.seq) for event in events(segment(stub, cut(FRAMES)))] for _ in range(2)]
        everything = watched_up_to(stub, cursor, expected[1][-1])
        assert ids(everything) == [*expected[0], *expected[1]]
        assert not any(watched.dropped or watched.log_changed for watched in everything)
        # From every place.
        for at in range(len(everything) - 1):
            assert ids(watched_up_to(stub, everything[at].cursor, expected[1][-1])) == ids(everything)[at + 1 :]
        assert ids(watched_up_to(stub, "begin", expected[1][-1])) == ids(everything)
        # Only what is asked for, from there on, too.
        session = expected[1][0][0]
        only = watched_up_to(stub, "begin", expected[1][-1], session_id=session, kinds=["EVENT_KIND_SUMMARY"])
        assert ids(only) == [expected[1][-1]]


def test_a_watcher_that_comes_too_late_hears_how_many_it_lost(serve: Serve) -> None:
    with serve(event_log_bytes=40_000, metrics_port=0) as (server, stub):
        begin = cursor_at(stub, "")
        emitted = [(event.stream_id, event.seq) for event in events(segment(stub, GAPS))]
        seen = watched_up_to(stub, begin, emitted[-1])
        assert 0 < len(seen) < len(emitted)
        assert ids(seen) == emitted[-len(seen) :]
        assert [watched.dropped for watched in seen] == [len(emitted) - len(seen), *[0] * (len(seen) - 1)]
        assert scraped(server, "kineseg_event_log_trimmed_total") == len(emitted) - len(seen)
        assert scraped(server, "kineseg_watch_dropped_total") == len(emitted) - len(seen)


def test_a_watcher_that_stops_reading_delays_no_one_and_hears_what_it_lost(serve: Serve) -> None:
    with serve(event_log_bytes=40_000) as (server, stub), grpc.insecure_channel(server.address, SMALL) as channel:
        watch = Stub(channel).WatchEvents(pb.WatchEventsRequest())
        watch.initial_metadata()
        emitted: list[pb.Event] = []
        while len(emitted) < 2000:  # more than the transport takes
            emitted += events(segment(stub, GAPS))
        seen = []
        for watched in watch:
            seen.append(watched)
            if ids([watched]) == [(emitted[-1].stream_id, emitted[-1].seq)]:
                break
        watch.cancel()
        where = {(event.stream_id, event.seq): at for at, event in enumerate(emitted)}
        places = [-1, *(where[one] for one in ids(seen))]
        assert [b - a - 1 for a, b in itertools.pairwise(places)] == [watched.dropped for watched in seen]
        assert sum(watched.dropped for watched in seen) == len(emitted) - len(seen) > 0


def read_all(log: EventLog, position: int) -> list[bytes]:
    """What there is from a position on, in the pieces in which it is read."""
    found: list[bytes] = []
    position, entries = log.read(position)
    while entries:
        found += [data for _, _, _, data, _ in entries]
        position, entries = log.read(position + len(entries))
    return found


def test_what_was_logged_a_while_ago_is_read_as_it_was() -> None:
    log = EventLog(lambda event: f"event {event.seq}".encode())
    for seq in range(500):
        log.publish("a session", Event("a stream", seq, 0, seq, 0.0, None, seq, 0.0, SegmentRetracted(seq)))
    everything = [f"event {seq}".encode() for seq in range(500)]
    for position in range(501):
        assert read_all(log, position) == everything[position:]
    _, entries = log.read(0)
    assert entries[0][:3] == ("a session", "a stream", "segment_retracted")


def test_a_log_holds_no_more_than_it_may_and_counts_what_it_gives_up() -> None:
    gone: list[None] = []
    log = EventLog(lambda event: b"x" * 100, most_bytes=20_000, on_trim=lambda: gone.append(None))
    for seq in range(5000):
        log.publish("a session", Event("a stream", seq, 0, seq, 0.0, None, seq, 0.0, SegmentRetracted(seq)))
        assert log.begin == len(gone)
    assert 80 < log.end - log.begin < 5000
    assert len(read_all(log, 0)) == log.end - log.begin


def test_what_is_old_is_not_kept(serve: Serve) -> None:
    with serve(event_log_s=0.2) as (_, stub):
        segment(stub, cut(FRAMES))
        until(lambda: cursor_at(stub, "begin") == cursor_at(stub, ""), "nothing is left")


def test_a_cursor_of_another_server_gives_all_and_says_so(serve: Serve) -> None:
    with serve() as (_, stub):
        other = cursor_at(stub, "")
    with serve() as (_, stub):
        emitted = [(event.stream_id, event.seq) for event in events(segment(stub, cut(FRAMES)))]
        seen = watched_up_to(stub, other, emitted[-1])
        assert ids(seen) == emitted
        assert [watched.log_changed for watched in seen] == [True] + [False] * (len(seen) - 1)


@pytest.mark.parametrize("cursor", ["nonsense", "a:", "a:1,", "a:-1", "a:1:2", "g:1", "a:1" + ",a:1" * 256])
def test_a_cursor_that_is_none_is_refused(stub: Stub, cursor: str) -> None:
    call = stub.WatchEvents(pb.WatchEventsRequest(cursor=cursor))
    with pytest.raises(grpc.RpcError):
        next(call)
    code, message, said = status_of(call)
    assert (code, said["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "cursor")
    assert "leave it out" in message
