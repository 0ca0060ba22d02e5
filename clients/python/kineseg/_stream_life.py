"""What a stream's life is, whatever carries it: what may be sent now, what is under way, how it stands and how it ends.

It never waits, never locks and knows no transport. A method that says False means: wait for a change, then ask again.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, NoReturn

from numpy.typing import ArrayLike

from kineseg._chunker import Batch, Chunker
from kineseg._config import Limits, StreamConfig
from kineseg._errors import BacklogError, Internal, KinesegError, StreamBusy, StreamClosed
from kineseg._events import Reconnected, Summary
from kineseg._info import EndReason, Opened
from kineseg._resume import Outage, Resume
from kineseg.v1 import segmentation_pb2 as pb


class StreamState(enum.StrEnum):
    """Where a stream stands."""

    IDLE = "not opened yet"
    OPENING = "opening"
    OPEN = "open"
    INPUT_ENDED = "input ended"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"


_OVER = {StreamState.ENDED, StreamState.FAILED, StreamState.CANCELLED}


class StreamLife(ABC):
    """State of one stream.

    Args:
        config: What is streamed.
        limits: How much may be under way or unread.
    """

    def __init__(self, config: StreamConfig, limits: Limits) -> None:
        self.config = config
        self.frames_processed = 0  # index after the last frame acknowledged
        self.state = StreamState.IDLE
        self.opened: Opened | None = None
        self.summary: Summary | None = None
        self.profile: dict[str, Any] | None = None
        self.error: KinesegError | None = None
        self.resume: Resume | None = None  # of a stream that can be resumed
        self.outage: Outage | None = None  # there is no connection now
        self.progress = 0  # how often something has come of it
        self._limits = limits
        self._chunker: Chunker | None = None
        self._chunk_frames = 1
        self._window = 0
        self._most_kept = 0
        # Of the chunks that are not acknowledged yet, oldest first: the index after the last frame, and how many.
        self._chunks: deque[tuple[int, int]] = deque()
        self._unacked = 0
        self._again: deque[pb.FrameChunk] = deque()  # what a server that goes on with it has not got yet
        self._raised = False
        self._busy: set[str] = set()

    @abstractmethod
    def _queue(self, chunk: pb.FrameChunk) -> None:
        """Queue a chunk to be sent."""

    @abstractmethod
    def _count_unread(self) -> int:
        """How many events and frame results wait to be read."""

    @property
    def over(self) -> bool:
        """Whether the stream has ended."""
        return self.state in _OVER

    @property
    def decided_opening(self) -> bool:
        """Whether it is known if the stream could be opened."""
        return self.opened is not None or self.over

    @property
    def awaits(self) -> bool:
        """Whether the server owes an answer: an acknowledgement, or the summary after the end of sending."""
        owes = self._unacked > 0 or self.state is StreamState.INPUT_ENDED or self._keeps_enough
        return owes and self.outage is None and not self.over

    @property
    def resumes(self) -> bool:
        """Whether another call can go on with it."""
        return self.resume is not None

    @property
    def _keeps_enough(self) -> bool:
        resume = self.resume
        return resume is not None and resume.frames >= self._most_kept and resume.hopes(self._limits.stall_s)

    @property
    def sends_again(self) -> bool:
        """Whether something is still to be sent again."""
        return bool(self._again)

    @property
    def unsettled(self) -> bool:
        """Whether something that was sent is still to be answered, with a connection or without."""
        return not self.over and (self._unacked > 0 or self.state is StreamState.INPUT_ENDED)

    @property
    def frames_sent(self) -> int:
        """Index after the last frame that was taken from the caller."""
        return self._chunker.next_frame if self._chunker else 0

    def require_open(self) -> None:
        """Raise why nothing can be sent, if so."""
        self._sendable()

    def finish(self, error: KinesegError | None) -> None:
        """It is over; `error` says why unless it ended well."""
        if self.over:
            return
        if error is None and self.summary is None:
            error = Internal("the server ended the stream without a summary")
        self.error = error
        self.state = StreamState.FAILED if error else StreamState.ENDED
        if self.resume is not None:
            self.resume.clear()

    def _reopen(self, resumed: pb.Resumed, most_in_flight: int | None = None) -> Reconnected:
        """A server goes on with it: sends what it has not got, as far as it may be under way."""
        if self.resume is None or self.outage is None:
            raise Internal("the server resumed a stream that was open")
        outage, self.outage = self.outage, None
        sent_again = 0
        if not resumed.input_ended:
            self._fit_window(most_in_flight)
            # What had been acknowledged may be under way again, and counts as such.
            self._chunks = deque((end, frames) for end, frames in self._chunks if end <= resumed.next_frame)
            self._unacked = sum(frames for _, frames in self._chunks)
            self._again = deque(self.resume.left(resumed.next_frame))
            sent_again = sum(map(self.resume.count, self._again))
            self._send_again()
        return Reconnected(
            away_s=outage.away_s, attempts=outage.attempts, sent_again=sent_again, reason=outage.reason.message
        )

    def _send_again(self) -> None:
        """Queues what is to be sent again, as far as it may be under way, and then the end, if there is one."""
        assert self.resume is not None
        while self._again and self._unacked < self._window:
            chunk = self._again.popleft()
            frames = self.resume.count(chunk)
            self._chunks.append((chunk.first_frame + frames, frames))
            self._unacked += frames
            self._queue(chunk)
        if not self._again and self.state is StreamState.INPUT_ENDED:
            self._queue_end()

    @abstractmethod
    def _queue_end(self) -> None:
        """Queue that nothing more will be sent."""

    def check(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None,
        timestamps_ns: ArrayLike | None,
        first_frame: int | None,
    ) -> Batch:
        """What a caller wants to send, as a batch for `admit`."""
        return self._sendable().check(frames, timestamps, timestamps_ns, first_frame)

    def admit(self, batch: Batch) -> bool:
        """Take as many frames as may be under way; True once all are taken.

        Raises:
            BacklogError: Too many events are unread.
            StreamClosed: The stream takes no more frames.
            KinesegError: What ended the stream, if it has not been raised yet.
        """
        chunker = self._sendable()
        while batch.remaining:
            unread = self._count_unread()
            if unread >= self._limits.unread:
                raise BacklogError(
                    f"{unread} events wait to be read: read them with poll() or in another thread or task "
                    "while sending, or allow more with Limits(unread=...)",
                    accepted=batch.taken,
                )
            if self._unacked >= self._window or self._again or self._keeps_enough:
                return False
            if self.resume is not None:  # a store that fails slows no one
                self.resume.give_up(self.frames_processed, self._most_kept)
            self._enqueue(chunker.take(batch))
        return True

    def push(self) -> None:
        """Send what is buffered, though the chunk is not full."""
        self._enqueue(self._sendable().drain())

    def settled(self) -> bool:
        """Whether everything sent has been acknowledged; raises what `admit` raises once the stream has ended."""
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

    def raise_once(self) -> None:
        """Raise what ended the stream, if anything did and it has not been raised yet."""
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

    def _open(self, opened: Opened, most_in_flight: int | None = None) -> None:
        """The server has opened the stream; so many frames may be under way, if it says so."""
        if self.opened is not None:
            raise Internal("the server opened the stream twice")
        config = self.config
        chunk_frames = max(1, round(config.chunk_s * config.rate))
        if opened.max_chunk_frames > 0:
            chunk_frames = min(chunk_frames, opened.max_chunk_frames)
        if most_in_flight is not None:
            chunk_frames = max(1, min(chunk_frames, most_in_flight // 4))
        self._chunker = Chunker(tuple(config.channels) or opened.model.channels, chunk_frames, config.joints)
        self._chunk_frames = chunk_frames
        self._fit_window(most_in_flight)
        if self.config.resume and opened.resume_token:
            self.resume = Resume(opened.stream_id, opened.resume_token, self._chunker.frame_bytes)
        self._most_kept = max(self._window, round(self._limits.keep_s * config.rate))
        self.opened = opened
        self.state = StreamState.OPEN

    def _fit_window(self, most_in_flight: int | None) -> None:
        config, chunk_frames = self.config, self._chunk_frames
        # At least two chunks, so that one can travel while the other is processed.
        self._window = max(2 * chunk_frames, round(self._limits.in_flight_s * config.rate))
        if most_in_flight is None:
            # What is acknowledged later on purpose is no reason to wait.
            self._window += round(config.ack_interval_s * config.rate)
        else:
            # The chunk taken last, and what a `push` adds to it, may exceed the window by a chunk less a frame each.
            self._window = max(1, min(self._window, most_in_flight - 2 * (chunk_frames - 1)))

    def _enqueue(self, chunk: pb.FrameChunk | None) -> None:
        if chunk is None or self._chunker is None:
            return
        end = self._chunker.next_frame
        frames = end - chunk.first_frame
        if self.resume is not None:
            self.resume.keep(chunk)
        if self._again and self.outage is None:
            self._again.append(chunk)
            return
        self._chunks.append((end, frames))
        self._unacked += frames
        if self.outage is None:
            self._queue(chunk)

    def _acknowledge(self, frames: int, durable: int | None = None) -> None:
        """All chunks up to this frame have been processed, and those up to another are safe."""
        self.progress += 1
        if self.resume is not None:  # what was acknowledged before may be again
            self.resume.safe(frames if durable is None else durable)
        elif not self._chunks or frames < self._chunks[0][0]:
            raise Internal("the server acknowledged a chunk that was never sent")
        while self._chunks and self._chunks[0][0] <= frames:
            self._unacked -= self._chunks.popleft()[1]
        self.frames_processed = max(self.frames_processed, frames)
        if self._again:
            self._send_again()

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
