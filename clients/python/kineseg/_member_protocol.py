"""One stream of a call of many, without any input or output."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from kineseg._config import Limits, StreamConfig
from kineseg._errors import KinesegError, StreamClosed
from kineseg._events import Event, FrameResult, Reconnected, Summary
from kineseg._stream_life import StreamLife, StreamState
from kineseg._wire import (
    config_to_wire,
    event_from_wire,
    frame_result_from_wire,
    opened_from_wire,
    profile_from_wire,
)
from kineseg.v1 import segmentation_pb2 as pb

Handle = TypeVar("Handle")
Item = TypeVar("Item", Event, FrameResult)


class Shared(Protocol):
    """The call that streams share, see `ManyProtocol`."""

    def queue_chunk(self, number: int, chunk: pb.FrameChunk) -> None: ...

    def queue_end(self, number: int) -> None: ...

    def queue_cancel(self, member: MemberProtocol[Any]) -> None: ...

    def count_unread(self) -> int: ...


class MemberProtocol(StreamLife, Generic[Handle]):
    """State of one stream of a call of many.

    Args:
        config: What is streamed.
        limits: How much may be under way or unread.
        many: What it belongs to.
        handle: What the caller knows it by.
    """

    def __init__(self, config: StreamConfig, limits: Limits, many: Shared, handle: Handle) -> None:
        super().__init__(config, limits)
        self.handle = handle
        self.number = 0  # in its call, once it has been asked for
        self.refused: KinesegError | None = None  # why its call does not go on with it, which may change
        self._many = many

    def end_input(self) -> None:
        """Send what is buffered, and nothing after it. Does nothing if that is so already."""
        was_open = self.state is StreamState.OPEN
        super().end_input()
        if was_open and self.outage is None and not self._again:
            self._queue_end()

    def cancel(self) -> None:
        """Give the stream up."""
        if not self.over:
            super().cancel()
            self._many.queue_cancel(self)

    def start(self, number: int) -> pb.OpenSession:
        """It is asked for, as this number of its call."""
        self.number = number
        self.state = StreamState.OPENING
        return pb.OpenSession(session=number, config=config_to_wire(self.config))

    def go_on(self, number: int) -> pb.OpenSession:
        """It is to go on in another call, as this number of that."""
        assert self.resume is not None
        self.number = number
        self.refused = None
        return pb.OpenSession(session=number, resume=self.resume.request())

    def require_opened(self) -> None:
        """Raise why it could not be opened, if so."""
        self.raise_once()
        if self.opened is None:
            raise StreamClosed("the stream was given up while it was being opened")

    def receive_opened(self, message: pb.SessionOpened) -> Reconnected | None:
        """The server has opened it, or goes on with it, which there is to be read."""
        if message.opened.HasField("resumed"):
            return self._reopen(message.opened.resumed, message.window_frames)
        self._open(opened_from_wire(message.opened), message.window_frames)
        return None

    def receive(self, output: pb.SessionOutput) -> Event | FrameResult | None:
        """Something has come of it; what there is to read of that."""
        kind = output.WhichOneof("payload")
        if kind == "event":
            event = event_from_wire(output.event)
            if isinstance(event, Summary):
                self.summary = event
            return self._seen(event)
        if kind == "frame_result":
            return self._seen(frame_result_from_wire(output.frame_result))
        if kind == "profile":
            self.profile = profile_from_wire(output.profile.json)
        return None

    def receive_ack(self, frames: int, durable: int | None) -> None:
        """The server has processed it up to there, and it is safe up to there."""
        self._acknowledge(frames, durable)

    def _seen(self, item: Item) -> Item:
        if self.resume is not None:
            self.resume.sees(item)
        return item

    def read_error(self) -> KinesegError | None:
        """What ended it, if anything did and it has been neither raised nor read yet."""
        if self._raised:
            return None
        self._raised = True
        return self.error

    def _queue(self, chunk: pb.FrameChunk) -> None:
        self._many.queue_chunk(self.number, chunk)

    def _queue_end(self) -> None:
        self._many.queue_end(self.number)

    def _count_unread(self) -> int:
        return self._many.count_unread()
