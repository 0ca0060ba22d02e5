"""The life of one stream without any input or output: what to send next, how acknowledgements count, what has arrived.

The synchronous and the asynchronous stream drive the same `StreamProtocol`: they call it, move the messages that it
hands out, hand it what came back, and wait where it says "not yet". It never waits and never locks.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Hashable
from typing import Any, NoReturn

from numpy.typing import ArrayLike

from kineseg._chunker import Batch, Chunker
from kineseg._config import Limits, StreamConfig
from kineseg._errors import BacklogError, Internal, KinesegError, StreamBusy, StreamClosed, UsageError
from kineseg._events import Event, FrameResult, Summary
from kineseg._info import EndReason, Opened
from kineseg._wire import (
    config_to_wire,
    event_from_wire,
    frame_result_from_wire,
    opened_from_wire,
    profile_from_wire,
)
from kineseg.v1 import segmentation_pb2 as pb


class StreamState(enum.Enum):
    """Where a stream stands."""

    IDLE = "not opened yet"
    OPENING = "opening"
    OPEN = "open"
    INPUT_ENDED = "input ended"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"


_OVER = {StreamState.ENDED, StreamState.FAILED, StreamState.CANCELLED}


class StreamProtocol:
    """State of one stream.

    Args:
        config: What is streamed.
        limits: How much may be under way or unread.
    """

    def __init__(self, config: StreamConfig, limits: Limits) -> None:
        self.config = config
        self.answers = 0  # how many messages have come back
        self.frames_processed = 0  # index after the last frame acknowledged
        self.state = StreamState.IDLE
        self.opened: Opened | None = None
        self.summary: Summary | None = None
        self.profile: dict[str, Any] | None = None
        self.error: KinesegError | None = None
        self._limits = limits
        self._chunker: Chunker | None = None
        self._window = 0
        self._requests: deque[pb.SegmentRequest] = deque()
        # Of the chunks not acknowledged yet, oldest first: the index after the last frame, and the number of frames.
        self._chunks: deque[tuple[int, int]] = deque()
        self._unacked = 0
        self._unread: deque[Event | FrameResult] = deque()
        self._raised = False
        self._sender: Hashable | None = None
        self._busy: set[str] = set()

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
            self.frames_processed = max(self.frames_processed, response.ack.frames)
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
        if self.over:
            return
        if error is None and self.summary is None:
            error = Internal("the server ended the stream without a summary")
        self.error = error
        self.state = StreamState.FAILED if error else StreamState.ENDED
        self._requests.clear()

    # -- towards the caller; a method that says False or None means: wait for a change, then ask again

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.state in _OVER

    @property
    def awaits(self) -> bool:
        """Whether the server owes an answer: an acknowledgement, or the summary after the end of sending."""
        return not self.over and (self._unacked > 0 or self.state is StreamState.INPUT_ENDED)

    @property
    def decided_opening(self) -> bool:
        """Whether it is known if the stream could be opened."""
        return self.opened is not None or self.over

    @property
    def frames_sent(self) -> int:
        """Index after the last frame that was taken from the caller."""
        return self._chunker.next_frame if self._chunker else 0

    def check(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None,
        timestamps_ns: ArrayLike | None,
        first_frame: int | None,
        sender: Hashable,
    ) -> Batch:
        """What a caller wants to send, as a batch for `admit`; `sender` identifies the caller."""
        batch = self._sendable().check(frames, timestamps, timestamps_ns, first_frame)
        self._sender = sender
        return batch

    def admit(self, batch: Batch) -> bool:
        """Take as many frames as may be under way; True once all are taken.

        Raises:
            BacklogError: Too many events are unread.
            StreamClosed: The stream takes no more frames.
            KinesegError: What ended the call, if it has not been raised yet.
        """
        chunker = self._sendable()
        while batch.remaining:
            if len(self._unread) >= self._limits.unread:
                raise BacklogError(
                    f"{len(self._unread)} events wait to be read: read them with poll() or in another thread or task "
                    "while sending, or allow more with Limits(unread=...)",
                    accepted=batch.taken,
                )
            if self._unacked >= self._window:
                return False
            self._enqueue(chunker.take(batch))
        return True

    def push(self) -> None:
        """Send what is buffered, though the chunk is not full."""
        self._enqueue(self._sendable().drain())

    def settled(self) -> bool:
        """Whether everything sent has been acknowledged; raises what `admit` raises once the call has ended."""
        if self.over:
            self._raise_end()
        return not self._unacked

    def end_input(self) -> None:
        """Send what is buffered, and nothing after it. Does nothing if that is so already."""
        if self.state is StreamState.OPEN:
            self.push()
            self.state = StreamState.INPUT_ENDED
        elif self.state in (StreamState.IDLE, StreamState.OPENING):
            self._raise_end()

    def cancel(self) -> None:
        """Give the stream up."""
        if not self.over:
            self.state = StreamState.CANCELLED
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

    def raise_once(self) -> None:
        """Raise what ended the call, if anything did and it has not been raised yet."""
        if self.error is not None and not self._raised:
            self._raised = True
            raise self.error

    def occupy(self, what: str) -> None:
        """Somebody begins to send or to read; release with `vacate`.

        Raises:
            StreamBusy: Somebody else does so now.
        """
        if what in self._busy:
            raise StreamBusy(f"another thread or task is {what} this stream; use one, or guard it with a lock")
        self._busy.add(what)

    def vacate(self, what: str) -> None:
        """The end of what `occupy` began."""
        self._busy.discard(what)

    # -- inside

    def _open(self, opened: Opened) -> None:
        if self.opened is not None:
            raise Internal("the server opened the stream twice")
        config = self.config
        chunk_frames = max(1, round(config.chunk_s * config.rate))
        if opened.max_chunk_frames > 0:
            chunk_frames = min(chunk_frames, opened.max_chunk_frames)
        self._chunker = Chunker(tuple(config.channels) or opened.model.channels, chunk_frames, config.joints)
        # At least two chunks, so that one can travel while the other is processed.
        self._window = max(2 * chunk_frames, round(self._limits.in_flight_s * config.rate))
        # What is acknowledged later on purpose is no reason to wait.
        self._window += round(config.ack_interval_s * config.rate)
        self.opened = opened
        self.state = StreamState.OPEN

    def _acknowledge(self, frames: int) -> None:
        """All chunks up to this frame have been processed."""
        if not self._chunks or frames < self._chunks[0][0]:
            raise Internal("the server acknowledged a chunk that was never sent")
        while self._chunks and self._chunks[0][0] <= frames:
            self._unacked -= self._chunks.popleft()[1]

    def _enqueue(self, chunk: pb.FrameChunk | None) -> None:
        if chunk is None or self._chunker is None:
            return
        frames = self._chunker.next_frame - chunk.first_frame
        self._chunks.append((self._chunker.next_frame, frames))
        self._unacked += frames
        self._requests.append(pb.SegmentRequest(chunk=chunk))

    def _sendable(self) -> Chunker:
        if self._chunker is None or self.state is not StreamState.OPEN:
            self._raise_end()
        return self._chunker

    def _raise_end(self) -> NoReturn:
        """Raise why nothing can be sent."""
        self.raise_once()
        if self.state in (StreamState.IDLE, StreamState.OPENING):
            raise StreamClosed("the stream is not open: enter it with `with` (or `async with`), or call open()")
        if self.state is StreamState.ENDED and self.summary is not None:
            reason = self.summary.reason
            if reason is EndReason.COMPLETED:
                raise StreamClosed("the stream is complete; open another one to send more")
            raise StreamClosed(
                f"the server ended the stream: {reason.value}; what was sent before was processed, see `summary`",
                retryable=reason is EndReason.DRAINED,
            )
        if self.state is StreamState.INPUT_ENDED:
            raise StreamClosed("the input of this stream has been ended by end_input()")
        raise StreamClosed(f"the stream is {self.state.value}") from self.error
