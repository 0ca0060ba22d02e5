"""Many streams on one call, without any input or output: what to send next, and what has arrived for whom.

The synchronous and the asynchronous face drive the same `ManyProtocol`, as streams with a call of their own drive
`StreamProtocol`. It never waits and never locks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from itertools import repeat
from typing import Generic, TypeVar

from kineseg._config import Limits
from kineseg._errors import KinesegError, StreamClosed, Timeout, Unavailable, UsageError
from kineseg._many_refused import Refused, Unanswered
from kineseg._many_request import End, Entry, request_of
from kineseg._many_unread import Unread
from kineseg._member_protocol import MemberProtocol
from kineseg._resume import Outage
from kineseg._resuming import may_go_on
from kineseg._silence import Asked
from kineseg._status import error_from_failure
from kineseg._stream_life import StreamState
from kineseg.v1 import segmentation_pb2 as pb

Handle = TypeVar("Handle")


class ManyProtocol(Generic[Handle]):
    """State of the streams of one caller; their call ends when they are all over, and another one begins when needed.

    Args:
        limits: How much may be under way or unread.
        timeout: Seconds that any answer may take.
        addresses: How many servers there are to ask.
    """

    def __init__(self, limits: Limits, timeout: float, addresses: int) -> None:
        self.answers = 0  # how many messages have come back
        self.asked = Asked()
        self.progress = 0  # how often something has come of a stream
        self.gives_up = False  # streams are given up, and the server gets to know, which then ends the call
        self.outage: Outage | None = None  # there is no connection now
        self.input_ended = False  # nothing more will be sent, and no stream opened
        self.calling = False  # there is a call
        self._limits = limits
        self._addresses = addresses
        self._members: dict[int, MemberProtocol[Handle]] = {}  # of the call, those that are not over
        self._call = 0  # how many calls there have been
        self._last_number = 0
        self._queue: deque[Entry] = deque()
        self._held: list[MemberProtocol[Handle]] = []  # which this call refuses, as it may all others
        self._refused: Refused[Handle] = Refused()  # which it refuses, while others go on in it
        self._unanswered: Unanswered[Handle] = Unanswered(limits.stall_s, timeout)
        self.unread: Unread[Handle] = Unread()
        self._sender: Hashable | None = None

    # -- towards the transport

    def begin_call(self) -> int:
        """A call begins, with the streams that are to go on; the number that it goes by here."""
        self.calling = True
        self._last_number = 0
        self._queue.clear()
        self._call += 1
        members, self._members = list(self._members.values()), {}
        self.ask(members)
        return self._call

    def broke(self, failure: KinesegError | None, call: int) -> Outage | None:
        """A call has ended, or an attempt to make another; the outage in which to make one, see `StreamLife.broke`."""
        if call != self._call:
            return None
        failure = failure or self._why_refused()  # a call that ends well has nothing to say of those
        if self.gives_up or failure is None or not self.resumes:
            self.finish(failure, call)
            return None
        if not (may_go_on(failure) if self.outage is None else self.outage.goes_on(failure)):
            for member in [member for member in self._members.values() if member.refused is not None]:
                self._finish_refused(member)
            self.finish(failure if self.outage is None else self.outage.error(failure), call)
            return None
        self.outage = self.outage or self._outage(failure)
        self._clear()
        for number, member in list(self._members.items()):
            if member.resume is None:
                del self._members[number]
                self._finish(member, failure)
            else:
                member.outage = member.outage or self.outage
        return self.outage

    def next_attempt_s(self) -> float | None:
        """Seconds to wait before another call is made; None: there is nothing to go on with."""
        if self.outage is None or not self._members:
            self.calling = False
            return None
        wait_s = self.outage.wait_s()
        if wait_s is None:
            self.finish(self.outage.error(None))
        return wait_s

    @property
    def resumes(self) -> bool:
        """Whether another call can go on with some of the streams."""
        return any(member.resumes for member in self._members.values())

    def ask_again(self, call: int) -> float | None:
        """Asks again for streams that were refused, or not answered, if their time has come.

        Returns:
            Seconds until others' has; None: there are none.

        Raises:
            KinesegError: No stream goes on in this call, see `receive`.
        """
        if call != self._call:
            return None
        for member in self._unanswered.take_due():
            if self._members.get(member.number) is member and member.outage is not None and member.refused is None:
                member.refused = Timeout("the server has not answered whether it goes on with the stream")
                self._held.append(member)
        if self._held:
            self._go_on_later()
        self.ask(member for member in self._refused.take_due() if self._members.pop(member.number, None) is member)
        left_s = self._refused.left_s(), self._unanswered.left_s()
        return min((each for each in left_s if each is not None), default=None)

    def request_ready(self, call: int) -> bool:
        """Whether `next_request` has an answer: a message, or None for good."""
        return bool(self._queue) or self.sending_done(call)

    def sending_done(self, call: int) -> bool:
        """Whether nothing more will be sent in this call."""
        if call != self._call or not self.calling:
            return True
        is_through = self.input_ended and not self._queue and self.outage is None
        return is_through and not any(
            member.outage is not None or member.sends_again for member in self._members.values()
        )

    def next_request(self, call: int) -> pb.SegmentManyRequest | None:
        """All that waits to be sent, or as much of it as one message should hold; None if that is nothing."""
        if call != self._call or not self._queue or not self.calling:
            return None
        return request_of(self._queue)

    def receive(self, response: pb.SegmentManyResponse, call: int) -> None:
        """A message came back. What comes for a stream that was given up here is passed over.

        Raises:
            Internal: It is not what the contract says may come now.
            KinesegError: No stream goes on in this call, why the first does not: another server may have them.
        """
        if call != self._call:
            return
        self.answers += 1
        self.progress += bool(response.outputs or response.acked_sessions or response.closed)
        members = self._members
        if response.opened:
            self.outage = None
        for opened in response.opened:
            member = members.get(opened.session)
            if member is None:
                continue
            self._unanswered.answered(member.outage)
            was_away = member.outage is not None
            try:
                reconnected = member.receive_opened(opened)
            except KinesegError as lost:
                if not was_away:
                    raise
                self.queue_cancel(member)  # what the server has lost of it is lost to no other
                self._finish(member, lost)
                continue
            if reconnected is not None:
                self.unread.add(member, reconnected)
        for output in response.outputs:
            member = members.get(output.session)
            if member is not None:
                item = member.receive(output)
                if item is not None:
                    self.unread.add(member, item)
        durable: Iterable[int | None] = response.durable_frames or repeat(None, len(response.acked_frames))
        for number, frames, safe in zip(response.acked_sessions, response.acked_frames, durable, strict=True):
            member = members.get(number)
            if member is not None:
                member.receive_ack(frames, safe)
        for closed in response.closed:
            member = members.get(closed.session)
            if member is not None:
                error = error_from_failure(closed.failure) if closed.HasField("failure") else None
                self._close(member, error)
        if self._held:
            self._go_on_later()
        elif response.closed and self._refused:
            self._require_life()

    def finish(self, error: KinesegError | None, call: int | None = None) -> None:
        """The call, or this one, has ended, and what is left of its streams with it; `error` says how unless well."""
        if call not in (None, self._call):
            return
        self.calling = False
        self.outage = None
        self._clear()
        if error is not None and error.reason == "STREAM_IDLE":
            error.retryable = True  # what is asked of a call just as it ends, for want of streams, is asked again
        for member in list(self._members.values()):
            failure = error
            if error is None and member.opened is None:  # asked for as the call ended
                failure = Unavailable("the server ended the call before it opened the stream", retryable=True)
            self._finish(member, failure)
        self._members.clear()

    # -- from the streams

    def queue_chunk(self, number: int, chunk: pb.FrameChunk) -> None:
        """A stream sends a chunk."""
        self.asked.note(self.answers)
        self._queue.append((number, chunk))

    def queue_end(self, number: int) -> None:
        """A stream sends nothing more."""
        self.asked.note(self.answers)
        self._queue.append((number, End.INPUT))

    def queue_cancel(self, member: MemberProtocol[Handle]) -> None:
        """A stream is given up."""
        if self._members.pop(member.number, None) is not None:
            self._queue.append((member.number, End.ALL))

    def count_unread(self) -> int:
        """How much waits to be read, of all streams."""
        return len(self.unread)

    # -- towards the caller

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.input_ended and not self._members

    def count_open(self) -> int:
        """How many streams are open or being opened."""
        return len(self._members)

    @property
    def awaits(self) -> bool:
        """Whether the server owes an answer."""
        return self.calling and any(member.awaits for member in self._members.values())

    def require_input(self) -> None:
        """Raise `StreamClosed` if the input has been ended."""
        if self.input_ended:
            raise StreamClosed("the input has been ended by end_input(): no stream can be opened")

    def ask(self, members: Iterable[MemberProtocol[Handle]]) -> None:
        """Ask the server to open these, or to go on with them, in the call that there is."""
        for member in members:
            self._last_number += 1
            self._members[self._last_number] = member
            if member.resume is None:
                self._queue.append(member.start(self._last_number))
            else:
                self._queue.append(member.go_on(self._last_number))
                self._unanswered.add(member)

    def give_up(self, member: MemberProtocol[Handle], error: KinesegError | None) -> None:
        """A stream that is being opened is not to be."""
        self.queue_cancel(member)
        if error is None:
            member.state = StreamState.CANCELLED
        else:
            member.finish(error)

    def sent_by(self, sender: Hashable) -> None:
        """Who sends; it must not read to the end while it may send more."""
        self._sender = sender

    def end_input(self) -> None:
        """Nothing more will be sent, and no stream opened."""
        for member in list(self._members.values()):
            if member.opened is None:
                member.cancel()
            else:
                member.end_input()
        self.input_ended = True

    def cancel(self) -> None:
        """Give all streams up."""
        kept = self.resumes and self.calling and self.outage is None
        self._queue.clear()
        for member in list(self._members.values()):
            member.cancel()
        self.input_ended = True
        self.gives_up = self.gives_up or kept  # a server that does not know would keep them
        if not self.gives_up:
            self.calling = False
            self._queue.clear()

    def push(self) -> None:
        """Send what is buffered in any stream."""
        for member in self._members.values():
            if member.state is StreamState.OPEN:
                member.push()

    def settled(self) -> bool:
        """Whether everything sent has been acknowledged, or its stream is over."""
        return not any(member.unsettled for member in self._members.values())

    def begin_reading(self, reader: Hashable) -> None:
        """Somebody reads to the end.

        Raises:
            UsageError: The reader is also who sends, and has not ended the input: nothing would ever end the reading.
        """
        if not self.input_ended and self._sender == reader:
            raise UsageError(
                "this thread or task sends, so reading on to the end would wait for ever: call end_input() first; to "
                "read while still sending use poll(), or another thread or task"
            )

    @property
    def readable(self) -> bool:
        """Whether there is an answer to who reads: something has come, or nothing more will."""
        return bool(self.unread) or self.over

    # -- inside

    def _finish(self, member: MemberProtocol[Handle], error: KinesegError | None) -> None:
        was_open = member.opened is not None
        member.finish(error)
        if member.error is not None and was_open:  # who opens it gets the error otherwise
            self.unread.add_error(member)

    def _close(self, member: MemberProtocol[Handle], error: KinesegError | None) -> None:
        """The server has ended a stream, or does not go on with it."""
        if error is not None and (member.outage is not None or (member.resumes and may_go_on(error))):
            member.refused = error
            self._held.append(member)
            self._unanswered.answered(member.outage)
        else:
            del self._members[member.number]
            self._finish(member, error)

    def _go_on_later(self) -> None:
        """Decides on those that are refused: where others go on in this call, it is asked for them again."""
        self._require_life()
        if self.outage is not None:  # it is not known yet of any
            return
        for member in self._held:
            if self._members.get(member.number) is not member or member.refused is None:
                continue  # given up meanwhile
            member.outage = member.outage or self._outage(member.refused)
            if not (may_go_on(member.refused) and self._refused.add(member)):
                self._finish_refused(member)
        self._held.clear()

    def _require_life(self) -> None:
        """Raise why not, if no stream goes on in this call."""
        why = self._why_refused()
        if why is not None and all(member.refused is not None for member in self._members.values()):
            raise why

    def _why_refused(self) -> KinesegError | None:
        """Why a stream is refused now, if one is; best so that others may not be."""
        errors = [member.refused for member in self._members.values() if member.refused is not None]
        return next(filter(may_go_on, errors), errors[0] if errors else None)

    def _finish_refused(self, member: MemberProtocol[Handle]) -> None:
        """No one goes on with it."""
        del self._members[member.number]
        self._finish(member, member.refused if member.outage is None else member.outage.error(member.refused))

    def _outage(self, reason: KinesegError) -> Outage:
        return Outage(reason, self._limits.reconnect_s, self._addresses)

    def _clear(self) -> None:
        """Nothing more is asked in this call."""
        self._queue.clear()
        self._held.clear()
        self._refused.clear()
        self._unanswered.clear()
