"""Calls that are over are let go of at once: what only the garbage collector finds stays long, with all it holds."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.talk import Call, Stub, config, until

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
