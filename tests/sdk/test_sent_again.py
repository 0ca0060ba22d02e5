"""What is sent again to another server is sent to its end before the input is ended there."""

from __future__ import annotations

import kineseg
import numpy as np
from kineseg._config import Limits, StreamConfig
from kineseg._protocol import StreamProtocol
from kineseg.v1 import segmentation_pb2 as pb

FRAMES, WINDOW = 300, 60
OPENED = pb.Opened(
    stream_id="0198f3c2-6a3e-7c1d-9b52-0d5a6d0c7f11",
    model=pb.Model(channels=["a"]),
    resume_token="token",
    resume_s=60.0,
)


def test_the_input_is_not_ended_while_something_is_to_be_sent_again() -> None:
    protocol = StreamProtocol(StreamConfig(rate=30.0, chunk_s=1.0), Limits(in_flight_s=2.0, keep_s=60.0))
    protocol.start()
    call = protocol.begin_call()
    protocol.receive(pb.SegmentResponse(opened=OPENED), call)
    batch = protocol.check_from(np.zeros((FRAMES, 1)), None, None, None, "here")
    while not protocol.admit(batch):  # processed at once, and none of it safe
        protocol.receive(pb.SegmentResponse(ack=pb.Ack(frames=protocol.frames_sent, durable_frames=0)), call)
    protocol.receive(pb.SegmentResponse(ack=pb.Ack(frames=FRAMES, durable_frames=0)), call)
    protocol.end_input()
    assert protocol.broke(kineseg.Unavailable("gone"), call)
    call = protocol.begin_call()
    again = pb.Opened(resumed=pb.Resumed(next_frame=0))
    again.MergeFrom(OPENED)
    protocol.receive(pb.SegmentResponse(opened=again), call)
    sent, ended = 0, False
    while not ended:
        assert not protocol.sending_done(call), f"{sent} frames of {FRAMES} had been sent again"
        request = protocol.next_request(call)
        if request is None:
            protocol.receive(pb.SegmentResponse(ack=pb.Ack(frames=sent, durable_frames=0)), call)
        elif request.HasField("chunk"):
            sent += len(request.chunk.data) // 4
        ended = request is not None and request.HasField("end")
    assert sent == FRAMES
