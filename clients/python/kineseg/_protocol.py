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
from kineseg._events import Event, FrameResult, Reconnected, Summary
from kineseg._info import EndReason
from kineseg._resume import Outage
from kineseg._resuming import may_go_on
from kineseg._silence import Asked
from kineseg._stream_life import StreamLife, StreamState
from kineseg._wire import (
    config_to_wire,
    event_from_wire,
    frame_result_from_wire,
    opened_from_wire,
    profile_from_wire,
)
from kineseg.v1 import segmentation_pb2 as pb

# So a stream ends without an error.
_WELL = {EndReason.COMPLETED, EndReason.CLOSED, EndReason.DRAINED}


class StreamProtocol(StreamLife):
    """State of one stream with a call of its own.

    Args:
        config: What is streamed.
        limits: How much may be under way or unread.
        addresses: How many servers there are to ask.
    """

    def __init__(self, config: StreamConfig, limits: Limits, addresses: int = 1) -> None:
        super().__init__(config, limits)
        self._addresses = addresses
        self.answers = 0  # how many messages have come back
        self.asked = Asked()
        self._requests: deque[pb.SegmentRequest] = deque()
        self._unread: deque[Event | FrameResult | Reconnected] = deque()
        self._call = 0  # how many calls there have been
        self.gives_up = False  # it is over here, and the server gets to know, which then ends the call
        self._sender: Hashable | None = None

    # -- towards the transport

    def start(self) -> None:
        """The call begins."""
        if self.state is not StreamState.IDLE:
            raise StreamClosed(f"a stream is opened once, and this one is {self.state.value}")
        self.state = StreamState.OPENING
        self._requests.append(pb.SegmentRequest(config=config_to_wire(self.config)))

    def begin_call(self) -> int:
        """A call is made; the number that it goes by here. It opens the stream, or goes on with it."""
        self._call += 1
        if self.outage is not None and self.resume is not None:
            self._requests.clear()
            self._requests.append(pb.SegmentRequest(resume=self.resume.request()))
        return self._call

    def next_request(self, call: int) -> pb.SegmentRequest | None:
        """The next message to send in a call; None if there is none now."""
        return self._requests.popleft() if self._requests and call == self._call else None

    def request_ready(self, call: int) -> bool:
        """Whether `next_request` has an answer: a message, or None for good."""
        return bool(self._requests) or self.sending_done(call)

    def sending_done(self, call: int) -> bool:
        """Whether nothing more will be sent in a call."""
        if call != self._call or self.over:
            return True
        waits = self._requests or self.sends_again or self.outage is not None
        return self.state is StreamState.INPUT_ENDED and not waits

    def receive(self, response: pb.SegmentResponse, call: int) -> None:
        """A message came back in a call.

        Raises:
            Internal: It is not what the contract says may come now.
        """
        if call != self._call:
            return
        self.answers += 1
        if self.over:
            return
        kind = response.WhichOneof("payload")
        if kind == "opened" and response.opened.HasField("resumed"):
            self._unread.append(self._reopen(response.opened.resumed))
        elif kind == "opened":
            self._open(opened_from_wire(response.opened))
        elif self.opened is None:
            raise Internal(f"the server answered with {kind or 'nothing'} before it opened the stream")
        elif kind == "ack":
            durable = response.ack.durable_frames if response.ack.HasField("durable_frames") else None
            self._acknowledge(response.ack.frames, durable)
        elif kind == "event":
            event = event_from_wire(response.event)
            if isinstance(event, Summary):
                self.summary = event
            self._arrive(event)
        elif kind == "frame_result":
            self._arrive(frame_result_from_wire(response.frame_result))
        elif kind == "profile":
            self.profile = profile_from_wire(response.profile.json)

    def broke(self, failure: KinesegError | None, call: int) -> Outage | None:
        """A call has ended so, or an attempt to make another; the outage in which to make one. None: it is over."""
        if call != self._call:
            return None
        if self.over or self.resume is None or failure is None:
            self.finish(failure)
        elif self.summary is not None and self.summary.reason in _WELL and may_go_on(failure):
            self.finish(None)  # there was nothing more to say
        elif self.outage is None and not may_go_on(failure):
            self.finish(failure)
        elif self.outage is not None and not self.outage.goes_on(failure):
            self.finish(self.outage.error(failure))
        else:
            self.outage = self.outage or Outage(failure, self._limits.reconnect_s, self._addresses)
            return self.outage
        return None

    def next_attempt_s(self) -> float | None:
        """Seconds to wait before another call is made; None: it is over."""
        wait_s = None if self.outage is None or self.over else self.outage.wait_s()
        if wait_s is None and self.outage is not None:
            self.finish(self.outage.error(None))
        return wait_s

    def finish(self, error: KinesegError | None, call: int | None = None) -> None:
        """It, or this call of it, is over; `error` says why unless it ended well."""
        if call in (None, self._call) and not self.over:
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
        was_over = self.over
        super().cancel()
        if was_over:
            return
        self._requests.clear()
        if self.resume is not None and self.outage is None:  # a server that does not know would keep it
            self._requests.append(pb.SegmentRequest(give_up=pb.GiveUp()))
            self.gives_up = True

    def end_input(self) -> None:
        """Send what is buffered, and nothing after it. Does nothing if that is so already."""
        was_open = self.state is StreamState.OPEN
        super().end_input()
        self.asked.note(self.answers)
        if was_open and self.outage is None and not self._again:
            self._queue_end()

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

    def read(self) -> Event | FrameResult | Reconnected | None:
        """The next thing that arrived; None once there is none, which is final if the stream is `over`.

        Raises:
            KinesegError: What ended the call, after everything before it was read, if it has not been raised yet.
        """
        if self._unread:
            return self._unread.popleft()
        self.raise_once()
        return None

    def read_all(self) -> list[Event | FrameResult | Reconnected]:
        """Everything that arrived; raises what `read` raises if that is nothing."""
        if not self._unread:
            self.raise_once()
        items = list(self._unread)
        self._unread.clear()
        return items

    def _arrive(self, item: Event | FrameResult) -> None:
        self.progress += 1
        if self.resume is not None:
            self.resume.sees(item)
        self._unread.append(item)

    def _queue_end(self) -> None:
        if self.resume is not None:
            self._requests.append(pb.SegmentRequest(end=pb.EndInput()))

    def _queue(self, chunk: pb.FrameChunk) -> None:
        self.asked.note(self.answers)
        self._requests.append(pb.SegmentRequest(chunk=chunk))

    def _count_unread(self) -> int:
        return len(self._unread)
