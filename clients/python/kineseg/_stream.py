"""The synchronous stream: one thread reads what the server says, gRPC's own thread sends what is queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import grpc
from numpy.typing import ArrayLike

from kineseg._arguments import wait
from kineseg._base_stream import BaseStream, CallSettings
from kineseg._config import StreamConfig
from kineseg._errors import Timeout
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._reading import Reading
from kineseg.v1 import segmentation_pb2 as pb

GIVE_UP_S = 5.0
"""For so long a server may take to hear that a stream is given up."""
Connect = Callable[[Iterator[pb.SegmentRequest]], "grpc._CallIterator[pb.SegmentResponse]"]


class Stream(BaseStream, Reading):
    """Frames go in, events come out, both at once.

    Made by `Client.stream`. Entering it opens it. Leaving it ends the input and waits until the server has
    processed everything; leaving it by an exception cancels it. What ended the call, if it failed, is raised once: by
    the first of `send`, `flush`, reading or leaving that meets it. One thread may send while another one reads.
    """

    def __init__(self, connect: Connect, config: StreamConfig, settings: CallSettings) -> None:
        super().__init__(config, settings)
        self._connect = connect
        self._call = None
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
        tries = self._settings.tries()
        while True:
            with tries:
                self._open_once()
                return self
            time.sleep(tries.wait_s)

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
            gives_up = self._protocol.gives_up
            self._arrived.notify_all()
            self._queued.notify_all()
        if gives_up:
            self._end_call_soon(GIVE_UP_S)
        else:
            self._end_call()

    def poll(self, timeout: float = 0.0) -> list[Event | FrameResult | Reconnected]:
        """What has arrived and was not read, without waiting for more.

        Args:
            timeout: Seconds to wait for the first of it if there is nothing.

        Raises:
            InvalidRequest: `timeout` is no number.
            KinesegError: What ended the call, once everything before it was read.
        """
        wait_s = wait("timeout", timeout)
        with self._arrived:
            protocol = self._protocol
            protocol.occupy("reading")
            try:
                self._wait(lambda: protocol.readable, wait_s)
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

    def _open_once(self) -> None:
        protocol = self._new_attempt()
        self._reader = self._begin_reading(protocol)
        try:
            with self._arrived:
                if not self._arrived.wait_for(lambda: protocol.decided_opening, self._settings.timeout):
                    self._settings.renew(self._call)
                    protocol.finish(Timeout(f"the server did not open the stream in {self._settings.timeout:g} s"))
                if protocol.opened is None:
                    protocol.raise_once()
        except BaseException:
            self.cancel()
            raise
