"""The life of one stream without any input or output: what to send next, how acknowledgements count, what has arrived.

The synchronous and the asynchronous stream drive the same `StreamProtocol`: they call it, move the messages that it
hands out, hand it what came back, and wait where it says "not yet". It never waits and never locks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from numpy.typing import ArrayLike

from kineseg._chunker import Batch
from kineseg._config import Limits, StreamConfig
from kineseg._errors import Internal, KinesegError, StreamClosed, UsageError
from kineseg._events import Event, FrameResult, Summary
from kineseg._stream_life import StreamLife, StreamState
from kineseg._wire import (
    config_to_wire,
    event_from_wire,
    frame_result_from_wire,
    opened_from_wire,
    profile_from_wire,
)
from kineseg.v1 import segmentation_pb2 as pb


class StreamProtocol(StreamLife):
    """State of one stream with a call of its own.

    Args:
        config: What is streamed.
        limits: How much may be under way or unread.
    """

    def __init__(self, config: StreamConfig, limits: Limits) -> None:
        super().__init__(config, limits)
        self.answers = 0  # how many messages have come back
        self._requests: deque[pb.SegmentRequest] = deque()
        self._unread: deque[Event | FrameResult] = deque()
        self._sender: Hashable | None = None

    # -- towards the transport

    def start(self) -> None:
        """The call begins."""
        if self.state is not StreamState.IDLE:
            raise StreamClosed(f"a stream is opened once, and this one is {self.state.value}")
        self.state = StreamState.OPENING
        self._requests.append(pb.SegmentRequest(config=config_to_wire(self.config)))

    def next_request(self) -> pb.SegmentRequest | None:
        """The next message to send; None if there is none now."""
        return self._requests.popleft() if self._requests and not self.over else None

    @property
    def request_ready(self) -> bool:
        """Whether `next_request` has an answer: a message, or None for good."""
        return bool(self._requests) or self.sending_done

    @property
    def sending_done(self) -> bool:
        """Whether nothing more will be sent."""
        return self.over or (self.state is StreamState.INPUT_ENDED and not self._requests)

    def receive(self, response: pb.SegmentResponse) -> None:
        """A message came back.

        Raises:
            Internal: It is not what the contract says may come now.
        """
        self.answers += 1
        if self.over:
            return
        kind = response.WhichOneof("payload")
        if kind == "opened":
            self._open(opened_from_wire(response.opened))
        elif self.opened is None:
            raise Internal(f"the server answered with {kind or 'nothing'} before it opened the stream")
        elif kind == "ack":
            self._acknowledge(response.ack.frames)
        elif kind == "event":
            event = event_from_wire(response.event)
            if isinstance(event, Summary):
                self.summary = event
            self._unread.append(event)
        elif kind == "frame_result":
            self._unread.append(frame_result_from_wire(response.frame_result))
        elif kind == "profile":
            self.profile = profile_from_wire(response.profile.json)

    def finish(self, error: KinesegError | None) -> None:
        """The call has ended; `error` says how unless it ended well."""
        super().finish(error)
        self._requests.clear()

    # -- towards the caller; a method that says False or None means: wait for a change, then ask again

    def check_from(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None,
        timestamps_ns: ArrayLike | None,
        first_frame: int | None,
        sender: Hashable,
    ) -> Batch:
        """What a caller wants to send, as a batch for `admit`; `sender` identifies the caller."""
        batch = self.check(frames, timestamps, timestamps_ns, first_frame)
        self._sender = sender
        return batch

    def cancel(self) -> None:
        """Give the stream up."""
        super().cancel()
        self._requests.clear()

    def begin_reading(self, reader: Hashable) -> None:
        """Somebody reads to the end.

        Raises:
            UsageError: The reader is also who sends, and has not ended the input: nothing would ever end the reading.
            StreamClosed: The stream is not open yet.
        """
        if self.state in (StreamState.IDLE, StreamState.OPENING):
            self._raise_end()
        if self.state is StreamState.OPEN and self._sender == reader:
            raise UsageError(
                "this thread or task sends to the stream, so reading on to the stream's end would wait for ever: call "
                "end_input() first; to read while still sending use poll(), or another thread or task"
            )

    @property
    def readable(self) -> bool:
        """Whether `read` has an answer now."""
        return bool(self._unread) or self.over

    def read(self) -> Event | FrameResult | None:
        """The next thing that arrived; None once there is none, which is final if the stream is `over`.

        Raises:
            KinesegError: What ended the call, after everything before it was read, if it has not been raised yet.
        """
        if self._unread:
            return self._unread.popleft()
        self.raise_once()
        return None

    def read_all(self) -> list[Event | FrameResult]:
        """Everything that arrived; raises what `read` raises if that is nothing."""
        if not self._unread:
            self.raise_once()
        items = list(self._unread)
        self._unread.clear()
        return items

    def _queue(self, chunk: pb.FrameChunk) -> None:
        self._requests.append(pb.SegmentRequest(chunk=chunk))

    def _count_unread(self) -> int:
        return len(self._unread)
