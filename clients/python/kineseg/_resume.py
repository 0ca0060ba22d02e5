"""What a stream keeps so that it can go on after its connection broke, without any input or output."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from kineseg._errors import Internal, KinesegError, NotFound, Unavailable
from kineseg._events import Event, FrameResult
from kineseg._resuming import may_go_on
from kineseg._retry import delays_for
from kineseg.v1 import segmentation_pb2 as pb


class Resume:
    """How far a stream has come, and the frames that its server might lose.

    Args:
        stream_id: The stream.
        token: What resumes it.
        frame_bytes: Size of a frame.
    """

    def __init__(self, stream_id: str, token: str, frame_bytes: int) -> None:
        self._request = pb.ResumeStream(stream_id=stream_id, resume_token=token)
        self.frame_bytes = frame_bytes
        self._chunks: deque[pb.FrameChunk] = deque()
        self.frames = 0  # in the chunks that are kept
        self._safe = 0  # up to which they are not kept any more
        self._given_up = 0  # up to which they were not known to be safe
        self._progress_at = time.monotonic()

    def request(self) -> pb.ResumeStream:
        """What a server that is to go on needs to know."""
        return self._request

    def sees(self, item: Event | FrameResult) -> None:
        """It has come."""
        if isinstance(item, Event):
            self._request.last_seq = item.seq
        else:
            self._request.last_result_frame = item.frame

    def keep(self, chunk: pb.FrameChunk) -> None:
        """It is being sent."""
        if not self._chunks:
            self._progress_at = time.monotonic()
        self._chunks.append(chunk)
        self.frames += self.count(chunk)

    def safe(self, frames: int) -> None:
        """Frames up to this one need not be kept."""
        while self._chunks and self._end(self._chunks[0]) <= frames:
            self._safe = self._drop_oldest()
            self._progress_at = time.monotonic()

    def hopes(self, patience_s: float) -> bool:
        """Whether the oldest that is kept may become safe soon, as something has within this time."""
        return time.monotonic() - self._progress_at < patience_s

    def give_up(self, processed: int, most: int) -> None:
        """Keeps fewer frames than that, if so many have been processed: the others are needed."""
        while self.frames >= most and self._end(self._chunks[0]) <= processed:
            self._given_up = self._drop_oldest()

    def left(self, next_frame: int) -> Iterator[pb.FrameChunk]:
        """What a server that expects this frame next has not got.

        Raises:
            Internal: It has lost what it had said was safe.
            Unavailable: It has lost what it had not said was safe for so long that it is not kept any more.
        """
        if next_frame < self._safe:
            raise Internal(
                f"the server goes on from frame {next_frame}, and had said that {self._safe} frames are safe"
            )
        if next_frame < self._given_up:
            raise Unavailable(
                f"the server goes on from frame {next_frame}, and those before {self._given_up} are not kept any more: "
                "its store had failed for longer than `Limits.keep_s`",
                reason="RESUME_EXPIRED",
            )
        for chunk in self._chunks:
            first = chunk.first_frame
            if first >= next_frame:
                yield chunk
            elif self._end(chunk) > next_frame:  # it has part of the chunk
                cut = next_frame - first
                data, times = chunk.data[cut * self.frame_bytes :], chunk.capture_times_ns[cut:]
                yield pb.FrameChunk(first_frame=next_frame, data=data, capture_times_ns=times)

    def _drop_oldest(self) -> int:
        chunk = self._chunks.popleft()
        self.frames -= self.count(chunk)
        return self._end(chunk)

    def count(self, chunk: pb.FrameChunk) -> int:
        """How many frames it has."""
        return len(chunk.data) // self.frame_bytes

    def clear(self) -> None:
        """Nothing is to be sent again."""
        self._chunks.clear()
        self.frames = 0

    def _end(self, chunk: pb.FrameChunk) -> int:
        return chunk.first_frame + self.count(chunk)


class Outage:
    """The time between two connections: how long to wait before the next attempt, and when to give up.

    Args:
        reason: What ended the last one.
        limit_s: For so many seconds another is tried for.
        addresses: How many servers there are to ask.
    """

    def __init__(self, reason: KinesegError, limit_s: float, addresses: int) -> None:
        self.reason = reason
        self.attempts = 0
        self._began = time.monotonic()
        self._waits = delays_for(limit_s)
        self._addresses = addresses
        self._refusals = 0  # one after the other

    @property
    def away_s(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._began

    def wait_s(self) -> float | None:
        """Seconds to wait before the next attempt; None: it has lasted for too long."""
        self.attempts += 1
        return 0.0 if self.attempts == 1 else next(self._waits, None)

    def patience_s(self, stall_s: float, timeout: float) -> float:
        """Seconds to wait for the answer to this attempt: as for any other, but longer each time, as some are slow."""
        return min(timeout, stall_s * 2.0 ** min(self.attempts - 1, 30))

    def goes_on(self, failure: KinesegError) -> bool:
        """Whether another attempt is worth while after this one failed."""
        if isinstance(failure, NotFound):
            # Another server may have the stream.
            self._refusals += 1
            return self._refusals < self._addresses
        self._refusals = 0
        return may_go_on(failure)

    def error(self, failure: KinesegError | None) -> KinesegError:
        """What the stream ends with, as the last attempt ended with `failure`."""
        reason = self.reason
        if failure is None or failure is reason:
            why = f"there was no server to go on with for {self.away_s:.0f} s"
        elif isinstance(failure, NotFound):
            why = failure.message
        else:
            return failure
        error = Unavailable(f"the connection broke ({reason.message}), and {why}", retryable=True)
        if failure is not None:
            error.reason = failure.reason
        error.__cause__ = failure or reason
        return error
