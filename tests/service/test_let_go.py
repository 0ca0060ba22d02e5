"""Calls that are over are let go of at once: what only the garbage collector finds stays long, with all it holds."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.talk import Call, Stub, config, motion, until
from tests.service.talk_many import Many, chunks, opens

MALFORMED = pb.SegmentRequest(chunk=pb.FrameChunk(data=b"odd"))


@pytest.fixture(autouse=True)
def _not_collected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive(*kinds: str) -> int:
    return sum(type(each).__name__ in kinds for each in gc.get_objects())


@pytest.mark.parametrize("fields", [{}, {"resumable": True}, {"model": "scratch", "channels": ["a", "b"]}])
def test_a_stream_that_is_refused(stub: Stub, fields: dict[str, object]) -> None:
    kinds = "LiveStream", "ScheduledStream", "PatternTable"
    before = alive(*kinds)
    for _ in range(3):
        call = Call(stub, config(**fields))  # type: ignore[arg-type]
        call.opened()
        call.send(MALFORMED)
        assert call.failure().code() is grpc.StatusCode.INVALID_ARGUMENT
    until(lambda: alive(*kinds) <= before, "nothing is left of it")


def test_a_question_that_is_refused(stub: Stub) -> None:
    before = alive("_ServicerContext")
    for _ in range(20):
        with pytest.raises(grpc.RpcError):
            stub.GetSession(pb.GetSessionRequest(session_id="unknown"))
    until(lambda: alive("_ServicerContext") <= before, "nothing is left of it")


@pytest.mark.parametrize("how", ["finish", "cancel"])
def test_a_call_of_many_streams(stub: Stub, how: str) -> None:
    kinds = "ManyCall", "Outgoing"
    before = alive(*kinds)
    many = Many(stub, opens(1), opens(2, resumable=True))
    many.until_opened(1, 2)
    many.send(chunks((1, 0, motion(30)), (2, 0, motion(30))))
    many.until_acked(1, 30)
    getattr(many, how)()
    until(lambda: alive(*kinds) <= before, "nothing is left of it")
