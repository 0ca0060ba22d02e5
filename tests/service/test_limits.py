"""Whatever a client can pile up is limited: what waits in a queue, watchers, calls that say nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.conftest import Serve
from tests.service.talk import (
    SMALL,
    Stub,
    chunk,
    config,
    cut,
    events,
    kinds,
    motion,
    segment,
    session,
    status_of,
    until,
)


@pytest.mark.parametrize("what", ["frames", "gaps", "missing values"])
def test_what_waits_for_a_client_that_does_not_read_is_limited_whatever_it_is(what: str, serve: Serve) -> None:
    """One-frame chunks of which hardly one makes a frame of the model: 1,000 a second, or with nothing but events."""
    stop = threading.Event()
    frame = np.ones((1, 3), "<f4")
    hole = np.full((1, 3), np.nan, "<f4")

    def requests() -> Iterator[pb.SegmentRequest]:
        yield config(1000.0 if what == "frames" else 30.0, session_id="full")
        for at in range(1_000_000):
            if stop.is_set():
                return
            if what == "gaps":
                yield chunk(2 * at, frame)
            else:
                yield chunk(at, hole if what == "missing values" and at // 10 % 2 else frame)

    with (
        serve(queue_frames=64, queue_responses=64) as (server, stub),
        grpc.insecure_channel(server.address, SMALL) as channel,
    ):
        call = Stub(channel).Segment(requests())
        next(call)
        until(lambda: session(stub, "full").frames_received > 100, "it has begun")
        seen: list[int] = []

        def still() -> bool:
            seen.append(session(stub, "full").frames_received)
            return len(seen) > 40 and len(set(seen[-40:])) == 1

        until(still, "the server stops taking more")
        found = session(stub, "full")
        # Chunks that were taken and have not gone through.
        assert found.frames_received - found.frames_processed <= 4 * 64
        assert kinds(segment(stub, cut(motion(90))))[-1] == "summary"  # others go on
        stop.set()
        call.cancel()


def test_watchers_are_limited(serve: Serve) -> None:
    with serve(max_watchers=2) as (_, stub):
        watches = [stub.WatchEvents(pb.WatchEventsRequest()) for _ in range(2)]
        for watch in watches:
            watch.initial_metadata()
        third = stub.WatchEvents(pb.WatchEventsRequest())
        with pytest.raises(grpc.RpcError):
            next(third)
        code, message, metadata = status_of(third)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "all 2 watchers are taken" in message
        assert metadata["retryable"] == "true"
        watches[0].cancel()

        def watches_again() -> bool:
            watch = stub.WatchEvents(pb.WatchEventsRequest())
            watch.initial_metadata()
            if not watch.is_active():
                return False
            watch.cancel()
            return True

        until(watches_again, "the place of one that has gone is given to another")
        watches[1].cancel()


def test_calls_that_have_sent_no_configuration_are_limited(serve: Serve) -> None:
    with serve(max_opening=2, opening_timeout_s=60.0) as (_, stub):
        release = threading.Event()

        def silent() -> Iterator[pb.SegmentRequest]:
            release.wait()
            yield config()

        waiting = [stub.Segment(silent()) for _ in range(2)]

        def is_refused() -> bool:
            call = stub.Segment(iter([config()]))
            try:
                assert next(call).HasField("opened")
            except grpc.RpcError:
                code, message, metadata = status_of(call)
                assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
                assert "have not sent their configuration" in message
                assert metadata["retryable"] == "true"
                return True
            return False

        until(is_refused, "a third is refused")
        release.set()
        for call in waiting:
            assert events(call)[-1].HasField("summary")
        assert kinds(segment(stub, cut(motion(90))))[-1] == "summary"


def test_teaching_from_scratch_names_the_field_that_was_sent(
    serve: Serve, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bank = tmp_path_factory.mktemp("bank") / "bank.json"
    with serve(label_bank=bank) as (_, stub):
        release = threading.Event()

        def requests() -> Iterator[pb.SegmentRequest]:
            yield config(model="scratch", channels=["a"], session_id="own")
            release.wait()

        call = stub.Segment(requests())
        next(call)
        for example, field in (
            ({"segment": pb.FinishedSegment(session_id="own", segment_id=0)}, "segment.session_id"),
            ({"point": pb.EmbeddingPoint(model="scratch", embedding=[1.0])}, "point.model"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                stub.TeachName(pb.TeachNameRequest(name="x", **example))
            code, message, metadata = status_of(caught.value)  # type: ignore[arg-type]
            assert code is grpc.StatusCode.FAILED_PRECONDITION
            assert "scratch" in message
            assert (metadata["field"], metadata["reason"]) == (field, "MODEL_CANNOT_LEARN")
        release.set()
        list(call)
