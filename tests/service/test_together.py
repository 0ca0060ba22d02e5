"""Chunks of streams with calls of their own are taken together, and none has to do with what happens to the others."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.session import Session
from kineseg_service.scheduler import pace
from kineseg_service.streams import together

from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, chunk, config, cut, events, motion, segment, status_of

STREAMS = 6
FRAMES = motion(50, seed=1)


@pytest.fixture(scope="module")
def stub(serve: Serve) -> Iterator[Stub]:
    """Of a server that takes ten times a second what several streams send."""
    with pytest.MonkeyPatch.context() as patch, serve(tick_s=0.1) as (_, stub):
        patch.setattr(pace, "_EACH_S", 1.0)
        yield stub


@pytest.fixture
def calls(stub: Stub) -> list[Call]:
    """Streams that have sent something, so that the server knows that there are several."""
    calls = [Call(stub, config()) for _ in range(STREAMS)]
    for call in calls:
        call.opened()
    for call in calls:
        call.send(chunk(0, FRAMES[:5]))
    return calls


def test_what_waits_counts_when_its_client_has_sent_all(calls: list[Call]) -> None:
    for call in calls:
        call.send(chunk(5, FRAMES[5:10]))
        call.half_close()
    assert [events(call.rest())[-1].summary.frames for call in calls] == [10] * STREAMS


def test_what_is_refused_ends_its_own_stream(calls: list[Call]) -> None:
    for call in calls:
        call.send(chunk(3 if call is calls[0] else 5, FRAMES[5:10]))
        call.half_close()
    ends = [events(call.rest())[-1].summary for call in calls]
    assert [(end.frames, end.reason == pb.END_REASON_REJECTED) for end in ends] == [
        (5, True),
        *[(10, False)] * (STREAMS - 1),
    ]
    assert status_of(calls[0].failure())[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_a_chunk_that_is_refused_while_its_client_ends_is_refused(calls: list[Call]) -> None:
    absurd = FRAMES[5:10].copy()
    absurd[3, 1] = 2e9
    for call in calls:
        call.send(chunk(5, absurd))
        call.half_close()
    for call in calls:
        assert status_of(call.failure())[0] is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("broken", [(together, "take_together"), (Session, "end")], ids=lambda place: place[1])
def test_what_fails_ends_what_it_fails_for_and_no_one_waits(
    calls: list[Call], stub: Stub, broken: tuple[object, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(together, "_MANY", 1)
    with monkeypatch.context() as failing:
        failing.setattr(*broken, fail)
        for call in calls:
            call.send(chunk(3 if broken[1] == "end" else 5, FRAMES[5:10]))
        for call in calls:
            code, message, _ = status_of(call.failure())
            assert code is grpc.StatusCode.INTERNAL
            assert "secret" not in message
    assert events(segment(stub, cut(FRAMES, rest=5)))[-1].summary.frames == 50


def test_a_number_that_is_missing_is_filled(calls: list[Call]) -> None:
    """Not all chunks can be taken together; the order remains."""
    holes = FRAMES.copy()
    holes[8, 1] = float("nan")
    for call in calls:
        call.send(*(each for each in cut(holes if call is calls[0] else FRAMES, rest=5) if each.chunk.first_frame))
        call.half_close()
    ends = [events(call.rest())[-1].summary for call in calls]
    assert [(end.frames, end.missing_values) for end in ends] == [(50, 1), *[(50, 0)] * (STREAMS - 1)]
