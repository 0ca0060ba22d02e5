"""One acknowledgement may stand for several chunks, where the client wants so; nothing else changes by it."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.events import Ack, FrameResult, Output
from kineseg_service.streams.held_acks import HeldAcks

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, chunk, config, cut, events, motion, segment

FRAMES = motion(600)


def acks(responses: list[pb.SegmentResponse]) -> list[int]:
    return [response.ack.frames for response in responses if response.WhichOneof("payload") == "ack"]


def test_one_stands_for_all_that_were_processed_meanwhile(stub: Stub) -> None:
    every = segment(stub, cut(FRAMES, rest=1))
    few = segment(stub, cut(FRAMES, rest=1), ack_interval_s=10)
    assert acks(every) == list(range(1, 601))
    assert acks(few)[-1] == 600
    assert len(acks(few)) < 100, "a stream that ends within the interval needs two, and a slow machine a few more"
    assert acks(few) == sorted(set(acks(few)))
    assert content(events(few)) == content(events(every))
    assert few[-1].event.HasField("summary"), "the last acknowledgement comes before the end"


def test_a_client_that_waits_for_each_gets_each(stub: Stub) -> None:
    """It is held back, not left out: whoever sends nothing before it has come goes on after the interval."""
    call = Call(stub, config(ack_interval_s=0.05))
    call.opened()
    for first in range(0, 200, 50):
        call.send(chunk(first, FRAMES[first : first + 50]))
        assert call.read_ack() == first + 50
    call.half_close()
    assert call.failure().code().name == "OK"


def test_a_stream_that_waits_for_its_reader_is_not_kept_waiting_by_what_never_comes(serve: Serve) -> None:
    """What a later one stands for counts as taken: with little room the stream would stand still for ever."""
    with serve(queue_responses=2) as (_, stub):
        assert acks(segment(stub, cut(FRAMES, rest=1), ack_interval_s=0.01))[-1] == 600


@given(st.lists(st.lists(st.booleans(), max_size=4), max_size=12), st.sampled_from([1e-9, 1000.0]))
def test_what_was_given_before_a_chunk_ended_comes_before_its_acknowledgement(
    batches: list[list[bool]], interval_s: float
) -> None:
    """Each batch holds ends of chunks (True) and results of frames, in any order."""

    async def run() -> tuple[list[Output], list[Output], int]:
        given_: list[Output] = []
        out: list[Output] = []
        never = 0
        held = HeldAcks(interval_s, out.append)
        for number, batch in enumerate(batches):
            outputs: list[Output] = [
                Ack(len(given_) + i) if is_ack else FrameResult(len(given_) + i, 0.0, 0.0, 0.0, [], 0)
                for i, is_ack in enumerate(batch)
            ]
            given_ += outputs
            left, passed_over = held.sift(outputs, to_the_end=number == len(batches) - 1)
            out += left
            never += passed_over
            await asyncio.sleep(0)
        return given_, out, never

    given_, out, never = asyncio.run(run())
    assert len(out) + never == len(given_)
    assert [o for o in out if isinstance(o, FrameResult)] == [o for o in given_ if isinstance(o, FrameResult)]
    seen: set[int] = set()
    for output in out:
        if isinstance(output, Ack):
            before = {o.frame for o in given_[: output.frames] if isinstance(o, FrameResult)}
            assert before <= seen
        else:
            assert isinstance(output, FrameResult)
            seen.add(output.frame)
    ends = [o.frames for o in given_ if isinstance(o, Ack)]
    assert [o.frames for o in out if isinstance(o, Ack)][-1:] == ends[-1:]
