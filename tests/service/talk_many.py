"""Talking to `SegmentMany` with the generated stubs and nothing else."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Sequence

import grpc
import numpy as np
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.talk import F32, PATIENCE_S, Stub

Sent = tuple[int, int, F32]
"""Number of a session, index of the first frame, frames."""


def opens(*numbers: int, rate_hz: float = 30.0, **fields: object) -> pb.SegmentManyRequest:
    """Sessions of one configuration."""
    return pb.SegmentManyRequest(
        opens=[
            pb.OpenSession(session=n, config=pb.StreamConfig(frame_rate_hz=rate_hz, **fields))  # type: ignore[arg-type]
            for n in numbers
        ]
    )


def chunks(*sent: Sent, times: Sequence[Sequence[int]] = ()) -> pb.SegmentManyRequest:
    """Chunks of sessions, and the capture times of each of them."""
    data = [np.ascontiguousarray(frames, "<f4").tobytes() for _, _, frames in sent]
    return pb.SegmentManyRequest(
        sessions=[number for number, _, _ in sent],
        first_frames=[first for _, first, _ in sent],
        chunk_bytes=[len(each) for each in data],
        data=b"".join(data),
        chunk_times=[len(each) for each in times],
        capture_times_ns=[time for each in times for time in each],
    )


class Many:
    """One `SegmentMany` call; what has been read of it is kept by session."""

    def __init__(self, stub: Stub, *requests: pb.SegmentManyRequest) -> None:
        self._requests: queue.SimpleQueue[pb.SegmentManyRequest | None] = queue.SimpleQueue()
        self.send(*requests)
        self.call = stub.SegmentMany(iter(self._requests.get, None), timeout=PATIENCE_S)
        self.opened: dict[int, pb.SessionOpened] = {}
        self.outputs: dict[int, list[pb.SessionOutput]] = {}
        self.acked: dict[int, list[int]] = {}
        self.durable: dict[int, int] = {}
        self.closed: dict[int, pb.SessionClosed] = {}

    def send(self, *requests: pb.SegmentManyRequest) -> None:
        for request in requests:
            self._requests.put(request)

    def half_close(self) -> None:
        self._requests.put(None)

    def read(self) -> pb.SegmentManyResponse:
        """The next message; nothing may come of a session that is over or not open."""
        response = next(self.call)
        assert len(response.acked_sessions) == len(set(response.acked_sessions)) == len(response.acked_frames)
        for opened in response.opened:
            assert opened.session not in self.opened.keys() | self.closed.keys()
            self.opened[opened.session] = opened
        for output in response.outputs:
            assert output.session in self.opened.keys() - self.closed.keys()
            self.outputs.setdefault(output.session, []).append(output)
        for number, frames in zip(response.acked_sessions, response.acked_frames, strict=True):
            assert number in self.opened.keys() - self.closed.keys()
            self.acked.setdefault(number, [0])
            # Where there is a store, what is the last may be said again: it is safe by then.
            assert frames > self.acked[number][-1] or response.durable_frames
            self.acked[number].append(frames)
        if response.durable_frames:
            self.durable.update(zip(response.acked_sessions, response.durable_frames, strict=True))
        for closed in response.closed:
            assert closed.session not in self.closed
            self.closed[closed.session] = closed
        return response

    def until_opened(self, *numbers: int) -> None:
        while not self.opened.keys() | self.closed.keys() >= set(numbers):
            self.read()

    def until_acked(self, number: int, frames: int) -> None:
        while self.acked.get(number, [0])[-1] < frames:
            self.read()

    def until_closed(self, *numbers: int) -> None:
        while not self.closed.keys() >= set(numbers):
            self.read()

    def rest(self) -> grpc.StatusCode:
        """Reads to the end; how the call ended."""
        try:
            while True:
                self.read()
        except StopIteration:
            pass
        except grpc.RpcError:
            pass
        return self.call.code()

    def finish(self) -> grpc.StatusCode:
        """Sends nothing more, and reads to the end."""
        self.half_close()
        return self.rest()

    def cancel(self) -> None:
        self.call.cancel()
        self.half_close()

    def events(self, number: int) -> list[pb.Event]:
        return [each.event for each in self.outputs.get(number, []) if each.HasField("event")]

    def failure(self, number: int) -> tuple[grpc.StatusCode, str, dict[str, str]] | None:
        """Code, message and what a program reads of the error with which a session has ended, if it did."""
        closed = self.closed[number]
        if not closed.HasField("failure"):
            return None
        failure = closed.failure
        [code] = [each for each in grpc.StatusCode if each.value[0] == failure.code]
        return code, failure.message, {"reason": failure.reason, **failure.metadata}


def as_alone(outputs: Iterable[pb.SessionOutput]) -> list[pb.SegmentResponse]:
    """What a `Segment` call would have given, but for acknowledgements."""
    responses = []
    for output in outputs:
        kind = output.WhichOneof("payload")
        assert kind is not None
        responses.append(pb.SegmentResponse(**{kind: getattr(output, kind)}))
    return responses


def without_acks(responses: Iterable[pb.SegmentResponse]) -> list[pb.SegmentResponse]:
    return [each for each in responses if each.WhichOneof("payload") not in ("ack", "opened")]
