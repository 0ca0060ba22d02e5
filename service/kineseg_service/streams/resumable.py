"""What a stream needs to go on after its call has broken: a token, and what its client may not have got."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.events import Ack, Event, FrameResult, Output, SegmentClosed

from kineseg_service.errors import ResumeExpired

# About what an output takes besides what can be long in it: a number of an embedding as Python has it, or packed.
_OUTPUT_BYTES, _ACK_BYTES, _NUMBER_BYTES, _PACKED_BYTES = 512, 64, 32, 4


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a client has come.

    Attributes:
        seq: Number of the last event that it got.
        result_frame: Frame of the last frame result that it got; -1: none.
    """

    seq: int = 0
    result_frame: int = -1

    def covers(self, output: Output) -> bool:
        """Whether it has got this."""
        if isinstance(output, Event):
            return output.seq <= self.seq
        return isinstance(output, FrameResult) and output.frame <= self.result_frame


class Sent:
    """What has been sent last, up to so many bytes; `trimmed`: what was sent before, and is not kept."""

    def __init__(self, most_bytes: int, trimmed: Seen | None = None) -> None:
        self._most_bytes = most_bytes
        self._outputs: deque[Output] = deque()
        self._bytes = 0
        self._trimmed = trimmed or Seen()

    @property
    def trimmed(self) -> Seen:
        """What was sent and is not kept."""
        return self._trimmed

    @property
    def size(self) -> int:
        """About how many bytes are kept."""
        return self._bytes

    @property
    def outputs(self) -> Sequence[Output]:
        """What is kept, the oldest first."""
        return self._outputs

    def add(self, output: Output) -> None:
        """It is being sent."""
        if isinstance(output, Ack) and self._outputs and isinstance(self._outputs[-1], Ack):
            self._outputs[-1] = output  # it stands for the one before it
            return
        self._outputs.append(output)
        self._bytes += _bytes_of(output)
        while self._bytes > self._most_bytes:
            self._trim()

    def since(self, seen: Seen) -> list[Output]:
        """What a client that has come so far has not got.

        Raises:
            ResumeExpired: Some of it has been given up.
        """
        if seen.seq < self._trimmed.seq or seen.result_frame < self._trimmed.result_frame:
            raise ResumeExpired(
                f"what came after event {seen.seq} is not kept any more: the stream cannot be resumed; open another"
            )
        unseen: list[Output] = []
        for output in reversed(self._outputs):
            if seen.covers(output):
                break
            unseen.append(output)
        unseen.reverse()
        return unseen

    def take_back(self, outputs: int) -> None:
        """So many of the last will be sent again."""
        for _ in range(outputs):
            self._bytes -= _bytes_of(self._outputs.pop())

    def _trim(self) -> None:
        output = self._outputs.popleft()
        self._bytes -= _bytes_of(output)
        before = self._trimmed
        if isinstance(output, Event):
            self._trimmed = Seen(output.seq, before.result_frame)
        elif isinstance(output, FrameResult):
            self._trimmed = Seen(before.seq, output.frame)


class Resumable:
    """What a resumable stream has besides others.

    Args:
        most_bytes: So much is kept of what has been sent.
        token: That it has had before; empty: a new one.
        trimmed: What was sent before, and is not kept.

    Attributes:
        token: Says that a client is the stream's own.
        sent: What has been sent last.
        seen: What its client had before it was resumed; none of that is sent again.
    """

    def __init__(self, most_bytes: int, token: str = "", trimmed: Seen | None = None) -> None:
        self.token = token or secrets.token_urlsafe(24)
        self.sent = Sent(most_bytes, trimmed)
        self.seen = Seen()


def same_token(token: str, given: str) -> bool:
    """Whether they are the same; how long that takes tells nothing."""
    return hmac.compare_digest(token.encode(), given.encode())


def _bytes_of(output: Output) -> int:
    if isinstance(output, Ack):
        return _ACK_BYTES
    if isinstance(output, FrameResult):
        return _OUTPUT_BYTES + _NUMBER_BYTES * len(output.embedding)
    if isinstance(output, Event):
        detail = output.detail
        return _OUTPUT_BYTES + (_PACKED_BYTES * len(detail.embedding) if isinstance(detail, SegmentClosed) else 0)
    return _OUTPUT_BYTES + len(output.json)
