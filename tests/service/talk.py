"""Talking to a server with the generated stubs and nothing else."""

from __future__ import annotations

import queue
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import grpc
import numpy as np
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc
from kineseg_service.server import BackgroundServer
from numpy.typing import NDArray

F32 = NDArray[np.float32]
T = TypeVar("T")
Stub = pb_grpc.SegmentationServiceStub
PATIENCE_S = 300.0  # until a test says that something did not happen; nothing passes by waiting
# Little room in the transport, so that it is the server's queues that fill.
SMALL = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.lookahead_bytes", 16_384), ("grpc.http2.bdp_probe", 0)]


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that must happen."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.005)


def motion(frames: int, channels: int = 3, seed: int = 0, rate_hz: float = 30.0) -> F32:
    """A signal (frames, channels) that goes through a few distinct regimes of about four seconds."""
    random = np.random.default_rng(seed)
    levels = random.normal(0, 1.5, (5, channels))
    which = random.integers(0, 5, frames)[np.arange(frames) // max(1, int(4 * rate_hz))]
    return (levels[which] + random.normal(0, 0.2, (frames, channels))).astype("<f4")


def chunk(first_frame: int, frames: F32, times: Sequence[int] = ()) -> pb.SegmentRequest:
    data = np.ascontiguousarray(frames, "<f4").tobytes()
    return pb.SegmentRequest(chunk=pb.FrameChunk(first_frame=first_frame, data=data, capture_times_ns=times))


def config(rate_hz: float = 30.0, **fields: object) -> pb.SegmentRequest:
    return pb.SegmentRequest(config=pb.StreamConfig(frame_rate_hz=rate_hz, **fields))  # type: ignore[arg-type]


def cut(
    frames: F32, sizes: Iterable[int] = (), rest: int = 50, times: Sequence[int] = ()
) -> Iterator[pb.SegmentRequest]:
    """Chunks of these sizes, and of `rest` frames after them."""
    at, sizes = 0, iter(sizes)
    while at < len(frames):
        n = next(sizes, rest)
        yield chunk(at, frames[at : at + n], times[at : at + n])
        at += n


class Call:
    """One `Segment` call, message by message. The configuration is sent at once unless it is none."""

    def __init__(self, stub: Stub, first: pb.SegmentRequest | None, timeout_s: float = PATIENCE_S) -> None:
        self._requests: queue.SimpleQueue[pb.SegmentRequest | None] = queue.SimpleQueue()
        if first is not None:
            self.send(first)
        self.call = stub.Segment(iter(self._requests.get, None), timeout=timeout_s)

    def opened(self) -> pb.Opened:
        response = self.read()
        assert response.WhichOneof("payload") == "opened"
        return response.opened

    def send(self, *requests: pb.SegmentRequest) -> None:
        for request in requests:
            self._requests.put(request)

    def half_close(self) -> None:
        self._requests.put(None)

    def read(self) -> pb.SegmentResponse:
        return next(self.call)

    def read_ack(self) -> int:
        """Reads up to the next acknowledgement, and gives its number of frames."""
        while True:
            response = self.read()
            if response.WhichOneof("payload") == "ack":
                return response.ack.frames

    def rest(self) -> list[pb.SegmentResponse]:
        """All that is still to come; leaves an error to `failure`."""
        responses = []
        try:
            for response in self.call:
                responses.append(response)  # noqa: PERF402 - what came before an error counts
        except grpc.RpcError:
            pass
        return responses

    def failure(self) -> grpc.Call:
        """How the call ended."""
        self.half_close()
        self.rest()
        return self.call

    def cancel(self) -> None:
        self.call.cancel()
        self.half_close()


def segment(
    stub: Stub, requests: Iterable[pb.SegmentRequest], rate_hz: float = 30.0, **fields: object
) -> list[pb.SegmentResponse]:
    """A whole stream."""
    return list(stub.Segment(iter([config(rate_hz, **fields), *requests]), timeout=PATIENCE_S))


def events(responses: Iterable[pb.SegmentResponse]) -> list[pb.Event]:
    return [response.event for response in responses if response.WhichOneof("payload") == "event"]


def kinds(responses: Iterable[pb.SegmentResponse]) -> list[str]:
    return [event.WhichOneof("detail") or "" for event in events(responses)]


def results(responses: Iterable[pb.SegmentResponse]) -> list[pb.FrameResult]:
    return [response.frame_result for response in responses if response.WhichOneof("payload") == "frame_result"]


def status_of(call: grpc.Call) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Status, message and what a program reads of the error of a call that has ended: `reason` and the metadata."""
    said = {}
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = Status.FromString(value)
            assert (status.code, status.message) == (call.code().value[0], call.details())
            [detail] = [one for one in status.details if one.Is(ErrorInfo.DESCRIPTOR)]
            info = ErrorInfo()
            assert detail.Unpack(info)
            assert info.domain == "kineseg"
            said = {"reason": info.reason, **info.metadata}
    return call.code(), call.details() or "", said


class Watch:
    """A watcher that has begun to watch when this returns."""

    def __init__(self, stub: Stub, **fields: object) -> None:
        self.call = stub.WatchEvents(pb.WatchEventsRequest(**fields))  # type: ignore[arg-type]
        self.call.initial_metadata()
        self.seen: list[pb.WatchEventsResponse] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            self.seen.extend(self.call)
        except grpc.RpcError:
            assert self.call.cancelled()

    def stop(self) -> None:
        self.call.cancel()
        self._thread.join()

    def join(self) -> None:
        self._thread.join()


def scraped(server: BackgroundServer, name: str) -> float:
    """The value of one of the server's metrics, which has no labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics") as response:
        lines = response.read().decode().splitlines()
    [value] = [line.split()[1] for line in lines if line.split()[0] == name]
    return float(value)


def session(stub: Stub, name: str) -> pb.Session:
    return stub.GetSession(pb.GetSessionRequest(session_id=name)).session


def still(stub: Stub, look: Callable[[], T]) -> T:
    """What is seen once it stays the same while other streams go through from end to end.

    No clock says so, as a busy machine lets everything stand for a while.
    """
    [channels] = [len(model.channels) for model in stub.ListModels(pb.ListModelsRequest()).models if model.is_default]
    others = motion(300, channels)
    seen: list[T] = []

    def unchanged() -> bool:
        segment(stub, cut(others))
        seen.append(look())
        last = seen[-6:]
        return len(last) == 6 and all(one == last[0] for one in last)

    until(unchanged, "nothing changes any more")
    return seen[-1]


def settled(stub: Stub, name: str) -> pb.Session:
    """The session once it stands still, having got frames."""
    until(lambda: session(stub, name).frames_received > 0, "frames arrive")
    return still(stub, lambda: session(stub, name))
