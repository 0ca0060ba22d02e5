"""Many streams on one call: one thread reads what the server says, gRPC's own thread sends what is queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self, Unpack

import grpc
from numpy.typing import ArrayLike

from kineseg._arguments import wait
from kineseg._base_stream import CallSettings
from kineseg._base_streams import BaseSharedStream, BaseStreams, Opening
from kineseg._config import StreamChoices, StreamConfig
from kineseg._errors import KinesegError
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._reading import Reading
from kineseg._resuming import may_pass
from kineseg._sending import PerStream
from kineseg._stream import GIVE_UP_S
from kineseg._waiting import LONGEST_WAIT_S
from kineseg.v1 import segmentation_pb2 as pb

Connect = Callable[[Iterator[pb.SegmentManyRequest]], "grpc._CallIterator[pb.SegmentManyResponse]"]


class SharedStream(BaseSharedStream):
    """One of many streams on a call; opened by `Streams.open`. What comes of it is read from `Streams`."""

    _owner: Streams

    def send(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None = None,
        *,
        timestamps_ns: ArrayLike | None = None,
        first_frame: int | None = None,
    ) -> None:
        """Send frames of this stream; see `Stream.send`."""
        self._owner.send({self: frames}, timestamps, timestamps_ns=timestamps_ns, first_frame=first_frame)

    def end_input(self) -> None:
        """Nothing more will be sent to this stream: it ends with its summary, and the others go on."""
        self._owner._change(self._protocol.end_input)

    def cancel(self) -> None:
        """Give this stream up; the others go on."""
        self._owner._change(self._protocol.cancel)


class Streams(BaseStreams[SharedStream], Reading):
    """Many streams that share one call: frames go in, events come out, all at once.

    Made by `Client.streams`, and to be entered with ``with``. Leaving it ends the input of all its streams and waits
    until the server has processed everything; leaving it by an exception cancels them. One thread may send while
    another one reads, and several may send to different streams.

    What ends one stream ends no other. Its error is given once: raised by a `send` that needs the stream, or read in
    the place of an event, or raised on leaving. What ends the call, such as a server that goes away, ends all streams
    with the same error; others can be opened afterwards.
    """

    def __init__(self, connect: Connect, configure: Callable[..., StreamConfig], settings: CallSettings) -> None:
        super().__init__(settings, configure)
        self._connect = connect
        self._call: grpc._CallIterator[pb.SegmentManyResponse] | None = None
        self._readers: list[threading.Thread] = []
        lock = threading.RLock()
        self._arrived = threading.Condition(lock)  # callers wait for what the reader brings
        self._queued = threading.Condition(lock)  # the sending thread waits for what callers queue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self.cancel()
            if self._readers:
                self._readers[-1].join(GIVE_UP_S)
            self._end_call()
            for reader in self._readers:
                reader.join()

    def open(self, config: StreamConfig | None = None, **choices: Unpack[StreamChoices]) -> SharedStream:
        """Open a stream.

        Args:
            config: What is streamed.
            choices: The same as fields of `StreamConfig`; they override those of `config`.

        Raises:
            InvalidRequest: A value is out of range; `field` names it.
            StreamClosed: The input has been ended.
            KinesegError: The server refused, or was not there within the client's timeout and retries.
        """
        [stream] = self.open_all([self._configure(config, choices)])
        stream._protocol.require_opened()
        return stream

    def open_all(self, configs: Iterable[StreamConfig]) -> list[SharedStream]:
        """Open streams, all at once; those that could not be opened have their `error`.

        Raises:
            InvalidRequest: These are no configurations; nothing was opened.
            StreamClosed: The input has been ended.
        """
        streams = [SharedStream(config, self) for config in self._configs(configs)]
        left = streams
        tries = self._settings.tries()
        while True:
            tries.begin()
            self._open_once(left)
            left = [stream for stream in left if stream.error is not None and may_pass(stream.error)]
            if not tries.failed([stream.error for stream in left if stream.error is not None]):
                break
            time.sleep(tries.wait_s)
        return streams

    def send(
        self,
        frames: Mapping[SharedStream, ArrayLike],
        timestamps: PerStream[SharedStream, ArrayLike] = None,
        *,
        timestamps_ns: PerStream[SharedStream, ArrayLike] = None,
        first_frame: PerStream[SharedStream, int] = None,
    ) -> None:
        """Send frames of several streams at once; waits while too much of one is on its way (`Limits.in_flight_s`).

        Args:
            frames: The frames of each stream, as for `Stream.send`.
            timestamps: Capture times in seconds, as for `Stream.send`: a mapping of streams to theirs, or else the
                same for all.
            timestamps_ns: The same in whole nanoseconds, instead.
            first_frame: Index of the first of these frames, of each stream or of all, for a source that lost some.

        Raises:
            InvalidRequest: A value cannot be used; nothing was sent, and all streams go on.
            WrongChannels: As `InvalidRequest`, of the number of channels or joints.
            BacklogError: Too many events are unread; `frames_sent` of each stream says up to which frame it has taken.
            StreamClosed: One of the streams takes no more frames; the others have taken theirs.
            KinesegError: What ended one of the streams; the others have taken theirs.
        """
        with self._arrived:
            sending = self._sending(frames, timestamps, timestamps_ns, first_frame)
            try:
                self._protocol.sent_by(threading.current_thread())
                self._wait(sending.admit)
            finally:
                sending.end()
                self._queued.notify_all()
        sending.raise_first()

    def flush(self) -> None:
        """Send what waits for its chunk to fill, and wait until the server has processed everything sent."""
        with self._arrived:
            self._protocol.push()
            self._wait(self._protocol.settled)

    def end_input(self) -> None:
        """Nothing more will be sent to any stream, and none opened: all end with their summaries."""
        self._change(self._protocol.end_input)

    def cancel(self) -> None:
        """Give all streams up; events that arrived can still be read."""
        self._change(self._protocol.cancel)
        if self._protocol.gives_up:
            self._end_call_soon(GIVE_UP_S)
        else:
            self._end_call()

    def poll(self, timeout: float = 0.0) -> list[tuple[SharedStream, Event | FrameResult | Reconnected | KinesegError]]:
        """What has arrived and was not read, without waiting for more: of which stream, and what.

        Args:
            timeout: Seconds to wait for the first of it if there is nothing.

        Raises:
            InvalidRequest: `timeout` is no number.
        """
        wait_s = wait("timeout", timeout)
        with self._arrived:
            self._wait(lambda: self._protocol.readable, wait_s)
            self._give_up_silent()
            return self._protocol.unread.read_all()  # type: ignore[return-value]  # only these are opened here

    def __iter__(self) -> Iterator[tuple[SharedStream, Event | FrameResult | Reconnected | KinesegError]]:
        """Everything until all streams have ended, of which stream, and what; a stream that failed ends with its error.

        Raises:
            UsageError: This thread sends and has not called `end_input`: to read while still sending use `poll`.
        """
        with self._arrived:
            self._protocol.begin_reading(threading.current_thread())
        return self

    def __next__(self) -> tuple[SharedStream, Event | FrameResult | Reconnected | KinesegError]:
        with self._arrived:
            while True:
                self._wait(lambda: self._protocol.readable)
                item = self._protocol.unread.read()
                if item is not None:
                    return item  # type: ignore[return-value]
                if self._protocol.over:
                    raise StopIteration

    def _finish(self) -> None:
        with self._arrived:
            self._protocol.end_input()
            self._wait(lambda: self._protocol.over)
            self._protocol.unread.raise_first()

    def _change(self, change: Callable[[], None]) -> None:
        with self._arrived:
            change()
            self._arrived.notify_all()
            self._queued.notify_all()

    def _open_once(self, streams: list[SharedStream]) -> None:
        with self._arrived:
            members = self._attempt(streams)
            self._protocol.require_input()
            if not self._protocol.calling:
                self._begin_call()
            self._protocol.ask(members)
            self._queued.notify_all()
            opening = Opening(members, self._protocol, self._settings.timeout)
            try:
                while not opening.decided():
                    self._arrived.wait(min(opening.left_s(), LONGEST_WAIT_S))
            except BaseException:
                opening.give_up()
                raise
            self._open_unanswered(opening)

    def _begin_call(self) -> None:
        self._readers = [reader for reader in self._readers if reader.is_alive()]
        self._readers.append(self._begin_reading(self._protocol))

    def _ask_again(self, number: int) -> float | None:
        """See `ManyProtocol.ask_again`; a call in which no stream goes on ends."""
        unread = self._protocol.count_unread()
        try:
            return self._protocol.ask_again(number)
        except KinesegError:
            if self._call is not None:
                self._settings.abandon(self._call)
            return None
        finally:
            if unread != self._protocol.count_unread():
                self._arrived.notify_all()
