"""The synchronous stream: one thread reads what the server says, gRPC's own thread sends what is queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import grpc
from numpy.typing import ArrayLike

from kineseg._base_stream import BaseStream, CallSettings
from kineseg._config import StreamConfig
from kineseg._errors import ClientClosed, Internal, KinesegError, Timeout
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._protocol import StreamProtocol
from kineseg._retry import delays, wait_s
from kineseg._waiting import Waiting
from kineseg.v1 import segmentation_pb2 as pb

GIVE_UP_S = 5.0
"""For so long a server may take to hear that a stream is given up."""
BROKEN = "INTERNAL"
"""The reason of the SDK's own faults: another call would meet them, too."""
Connect = Callable[[Iterator[pb.SegmentRequest]], "grpc._CallIterator[pb.SegmentResponse]"]


class Stream(BaseStream, Waiting):
    """Frames go in, events come out, both at once.

    Made by `Client.stream`. Entering it opens it. Leaving it ends the input and waits until the server has
    processed everything; leaving it by an exception cancels it. What ended the call, if it failed, is raised once: by
    the first of `send`, `flush`, reading or leaving that meets it. One thread may send while another one reads.
    """

    def __init__(self, connect: Connect, config: StreamConfig, settings: CallSettings) -> None:
        super().__init__(config, settings)
        self._connect = connect
        self._call: grpc._CallIterator[pb.SegmentResponse] | None = None
        self._reader: threading.Thread | None = None
        lock = threading.RLock()
        self._arrived = threading.Condition(lock)  # callers wait for what the reader brings
        self._queued = threading.Condition(lock)  # the sending thread waits for what callers queue

    def open(self) -> Self:
        """Open the stream; entering it does so too.

        Raises:
            KinesegError: The server refused, or was not there within the client's timeout and retries.
            StreamClosed: It was opened before.
        """
        self._begin()
        for delay in (*delays(self._settings.retries), None):
            address = self._settings.address()
            try:
                self._open_once()
                break
            except KinesegError as error:
                if delay is None or not error.retryable:
                    raise
                delay = wait_s(delay, error)
            self._settings.move_on(address)
            time.sleep(delay)
        return self

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self.cancel()
            if self._reader is not None:
                self._reader.join(GIVE_UP_S)
                self._end_call()
                self._reader.join()

    def send(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None = None,
        *,
        timestamps_ns: ArrayLike | None = None,
        first_frame: int | None = None,
    ) -> None:
        """Send frames; waits while too much is on its way (see `Limits.in_flight_s`).

        Args:
            frames: ``(T, C)``, or ``(C,)`` for one frame; numbers up to 1e9, channels as in the configuration.
                NaN: the value is missing, and the channel's last value is held until another comes. With joints
                ``(T, J, 3)`` positions, or ``(J, 3)`` for one frame, NaN: the joint is not seen; with their rotations
                rows ``(T, W)``, see `Joints.rows`.
            timestamps: ``(T,)`` capture times in seconds, increasing, or a scalar for one frame. For every frame of the
                stream or for none. A clock that contradicts the stream's rate ends it with `InvalidRequest`.
            timestamps_ns: The same in whole nanoseconds, instead.
            first_frame: Index of the first of these frames, for a source that lost some. Default: it follows the last.

        Raises:
            InvalidRequest: A value cannot be used; nothing was sent and the stream goes on.
            WrongChannels: The frames have another number of channels or joints; nothing was sent and the stream goes
                on.
            BacklogError: Too many events are unread; `BacklogError.accepted` frames were taken.
            StreamClosed: The stream takes no more frames.
            KinesegError: What ended the call.
        """
        with self._arrived:
            protocol = self._protocol
            protocol.occupy("sending to")
            try:
                batch = protocol.check_from(frames, timestamps, timestamps_ns, first_frame, threading.current_thread())
                self._wait(lambda: protocol.admit(batch))
            finally:
                protocol.vacate("sending to")
                self._queued.notify_all()

    def flush(self) -> None:
        """Send what waits for its chunk to fill, and wait until the server has processed everything sent."""
        with self._arrived:
            self._protocol.push()
            self._wait(self._protocol.settled)

    def end_input(self) -> None:
        """Nothing more will be sent: the server processes what it has and ends with the summary, which can be read."""
        with self._arrived:
            self._protocol.end_input()
            self._queued.notify_all()

    def cancel(self) -> None:
        """Give the stream up; events that arrived can still be read."""
        with self._arrived:
            self._protocol.cancel()
            tells = self._protocol.gives_up
            self._arrived.notify_all()
            self._queued.notify_all()
        if tells:  # the server ends the call when it has heard
            timer = threading.Timer(GIVE_UP_S, self._end_call)
            timer.daemon = True
            timer.start()
        else:
            self._end_call()

    def poll(self, timeout: float = 0.0) -> list[Event | FrameResult | Reconnected]:
        """What has arrived and was not read, without waiting for more.

        Args:
            timeout: Seconds to wait for the first of it if there is nothing.

        Raises:
            KinesegError: What ended the call, once everything before it was read.
        """
        with self._arrived:
            protocol = self._protocol
            protocol.occupy("reading")
            try:
                self._wait(lambda: protocol.readable, timeout)
                self._give_up_silent()
                return protocol.read_all()
            finally:
                protocol.vacate("reading")

    def __iter__(self) -> Iterator[Event | FrameResult | Reconnected]:
        """Everything until the stream ends, which is after the summary.

        Raises:
            UsageError: This thread sends and has not called `end_input`: to read while still sending use `poll`.
        """
        with self._arrived:
            self._protocol.begin_reading(threading.current_thread())
        return self

    def __next__(self) -> Event | FrameResult | Reconnected:
        with self._arrived:
            protocol = self._protocol
            protocol.occupy("reading")
            try:
                self._wait(lambda: protocol.readable)
                item = protocol.read()
            finally:
                protocol.vacate("reading")
        if item is None:
            raise StopIteration
        return item

    def _finish(self) -> None:
        with self._arrived:
            protocol = self._protocol
            protocol.end_input()
            self._wait(lambda: protocol.over)
            protocol.raise_once()

    def _end_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _open_once(self) -> None:
        protocol = self._new_attempt()
        call = self._call = self._connect(self._requests(protocol, protocol.begin_call()))
        self._reader = threading.Thread(target=self._receive, args=(protocol, call), name="kineseg-reader", daemon=True)
        self._reader.start()
        try:
            with self._arrived:
                if not self._arrived.wait_for(lambda: protocol.decided_opening, self._settings.timeout):
                    self._settings.renew(call)
                    protocol.finish(Timeout(f"the server did not open the stream in {self._settings.timeout:g} s"))
                if protocol.opened is None:
                    protocol.raise_once()
        except BaseException:
            self.cancel()
            raise

    def _requests(self, protocol: StreamProtocol, number: int) -> Iterator[pb.SegmentRequest]:
        """What gRPC's thread sends in a call."""
        while True:
            with self._queued:
                self._queued.wait_for(lambda: protocol.request_ready(number))
                request = protocol.next_request(number)
            if request is None:
                return
            yield request

    def _receive(self, protocol: StreamProtocol, call: grpc._CallIterator[pb.SegmentResponse]) -> None:
        """What the reader's thread does, for as long as the stream lives."""
        failure = self._read(protocol, call)
        settings = self._settings
        address = settings.address()
        while True:
            call.cancel()
            with self._arrived:
                moves = protocol.outage is not None or (failure is not None and failure.reason != "")
                outage = protocol.broke(failure, settings.limits.reconnect_s, settings.addresses)
                wait_s = None if outage is None else protocol.next_attempt_s()
                self._arrived.notify_all()
                self._queued.notify_all()
                if outage is None or wait_s is None:
                    return
                self._arrived.wait_for(lambda: protocol.over, wait_s)
                if protocol.over:
                    return
                number = protocol.begin_call()
            if moves:
                settings.move_on(address)
            address = settings.address()
            try:
                call = self._call = self._connect(self._requests(protocol, number))
            except (KinesegError, ValueError) as error:  # gRPC's word for a channel that another thread closed
                failure = error if isinstance(error, KinesegError) else ClientClosed()
                continue
            patience_s = outage.patience_s(settings.limits.stall_s, settings.timeout)
            opening = threading.Timer(patience_s, settings.abandon, (call,))
            opening.daemon = True
            opening.start()
            failure = self._read(protocol, call, opening)
            opening.cancel()

    def _read(
        self,
        protocol: StreamProtocol,
        call: grpc._CallIterator[pb.SegmentResponse],
        opening: threading.Timer | None = None,
    ) -> KinesegError | None:
        """Takes what comes in a call, to its end; how it ended, unless well. The first message cancels `opening`."""
        failure: KinesegError | None = None
        try:
            for response in call:
                if opening is not None:
                    opening.cancel()
                with self._arrived:
                    protocol.receive(response)
                    self._arrived.notify_all()
                    self._queued.notify_all()
        except grpc.RpcError as error:
            failure = self._settings.error(error)
        except KinesegError as error:  # what came is not what the contract says may come
            failure = error
            failure.reason = failure.reason or BROKEN
        except Exception as error:  # whatever it is, the callers must not wait for ever
            failure = Internal(f"reading the stream failed: {error!r}", reason=BROKEN)
            failure.__cause__ = error
        return failure
