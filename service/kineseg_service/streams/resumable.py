"""What a stream needs to go on after its call has broken: a token, and what its client may not have got."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from kineseg_core.events import Ack, Event, FrameResult, Output, SegmentClosed

from kineseg_service.errors import ResumeExpired
from kineseg_service.streams.packed_outputs import PackedOutputs

# About what an output takes besides what can be long in it: a number of an embedding as Python has it, or packed.
_OUTPUT_BYTES, _ACK_BYTES, _NUMBER_BYTES, _PACKED_BYTES = 512, 64, 32, 4
_TOGETHER = 4
"""Outputs that are packed together, once there are so many besides the latest."""
_LATEST = 4
"""So many are not packed: of a stream in a store as many may come between two of its states, and are written."""
_JOINED = 4
"""So many packs are made one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a client has come.

    Attributes:
        seq: Number of the last event that it got.
        result_frame: Frame of the last frame result that it got; -1: none.
    """

    seq: int = 0
    result_frame: int = -1

    def then(self, output: Output) -> Seen:
        """How far it has come once it has got this, too."""
        if isinstance(output, Event):
            return Seen(output.seq, self.result_frame)
        return Seen(self.seq, output.frame) if isinstance(output, FrameResult) else self

    def covers(self, output: Output) -> bool:
        """Whether it has got this."""
        if isinstance(output, Event):
            return output.seq <= self.seq
        return isinstance(output, FrameResult) and output.frame <= self.result_frame


class Sent:
    """What has been sent last, up to so many bytes; `trimmed`: what was sent before, and is not kept.

    All but the latest are packed, and what is older in larger packs. Lists, not queues: every stream has these, hardly
    anything is in them, and an empty queue takes ten times the room of a list.
    """

    def __init__(self, most_bytes: int, trimmed: Seen | None = None) -> None:
        self._most_bytes = most_bytes
        self._packed: list[PackedOutputs] = []
        self._outputs: list[Output] = []  # what follows these
        self._packs = True
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

    def newest_first(self, after: int = 0) -> Iterator[Output]:
        """What is kept; packs that hold no event after this number, and what is older, may be left out."""
        yield from reversed(self._outputs)
        for some in reversed(self._packed):
            if some.last_seq <= after:
                break
            yield from reversed(some.unpacked())

    @property
    def has_results(self) -> bool:
        """Whether frame results may be among it; what has them is kept as it is, for it is soon given up."""
        return not self._packs

    def add(self, output: Output) -> None:
        """It is being sent."""
        if isinstance(output, Ack) and self._outputs and isinstance(self._outputs[-1], Ack):
            self._outputs[-1] = output  # it stands for the one before it
            return
        self._outputs.append(output)
        self._packs &= isinstance(output, Event | Ack)
        self._bytes += _bytes_of(output)
        if self._packs and len(self._outputs) >= _TOGETHER + _LATEST:
            self._pack()
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
        for output in self.newest_first():
            if seen.covers(output):
                break
            unseen.append(output)
        unseen.reverse()
        return unseen

    def take_back(self, outputs: int) -> None:
        """So many of the last will be sent again."""
        for _ in range(outputs):
            if not self._outputs:
                self._outputs.extend(self._packed.pop().unpacked())
            self._bytes -= _bytes_of(self._outputs.pop())

    def _pack(self) -> None:
        packed, some = self._packed, self._outputs[:_TOGETHER]
        del self._outputs[:_TOGETHER]
        before = packed[-1].last_seq if packed else self._trimmed.seq
        last_seq = max((output.seq for output in some if isinstance(output, Event)), default=before)
        packed.append(PackedOutputs.of(some, last_seq, sum(map(_bytes_of, some))))
        if len(packed) >= _JOINED and packed[-_JOINED].count == _TOGETHER:
            packed[-_JOINED:] = [PackedOutputs.joined(packed[-_JOINED:])]

    def _trim(self) -> None:
        if self._packed:
            some = self._packed.pop(0)
            self._bytes -= some.size
            self._trimmed = Seen(some.last_seq, self._trimmed.result_frame)
        else:
            output = self._outputs.pop(0)
            self._bytes -= _bytes_of(output)
            self._trimmed = self._trimmed.then(output)


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
