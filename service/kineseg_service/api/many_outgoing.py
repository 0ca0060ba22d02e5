"""What is to be sent of the sessions of a `SegmentMany` call, and how it becomes messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CoreError
from kineseg_core.events import Output

from kineseg_service.api.many_response import Collected
from kineseg_service.api.opening import Openings, resumed_message
from kineseg_service.config import Settings
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.streams.member import MemberStream
from kineseg_service.streams.resumption import Finished

# So many notices may wait for a client that does not read before its requests are not read either.
_MOST_NOTICES = 8192


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session has been opened, or resumed."""

    member: MemberStream
    resumed: bool = False


@dataclass(slots=True)
class _Finished:
    """A session was resumed that had come to its end; `at` is how much of what its client has not got has been sent."""

    number: int
    finished: Finished
    outputs: list[Output]
    at: int = -1


@dataclass(slots=True, eq=False)
class _Given:
    """What a session has given; `at` is how much of it has been sent."""

    member: MemberStream
    delivery: Delivery
    at: int = 0


@dataclass(frozen=True, slots=True)
class _Closed:
    """A session is over without having come to its end: refused, given up, or failed with this error."""

    number: int
    error: CoreError | None


class Sending(NamedTuple):
    """The next message, and what it says of sessions.

    Attributes:
        message: As it is to be sent.
        taken: Of whom how many outputs are in it.
        ended: Whose end is in it, and with which error, if any.
        failed: With which errors others are over, which have not come to their ends.
    """

    message: pb.SegmentManyResponse
    taken: list[tuple[MemberStream, int]]
    ended: list[tuple[MemberStream, CoreError | None]]
    failed: list[CoreError | None]


class Outgoing:
    """What waits to be sent: notices, in order, and how far sessions have come.

    Args:
        members: The open sessions of the call.
        openings: Says how they have been opened.
        settings: Limits.

    Attributes:
        changed: There may be more.
    """

    def __init__(self, members: Mapping[int, MemberStream], openings: Openings, settings: Settings) -> None:
        self._members = members
        self._openings = openings
        self._settings = settings
        self._notices: deque[_Opened | _Given | _Closed | _Finished] = deque()
        self._acked: dict[int, int] = {}  # how far sessions have come, of which their clients have not heard
        self.changed = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._notices) or bool(self._acked)

    @property
    def is_full(self) -> bool:
        """So much waits that no more is to be asked for."""
        return len(self._notices) > _MOST_NOTICES

    def opened(self, member: MemberStream, *, resumed: bool) -> None:
        """A session has been opened, or resumed."""
        self._notice(_Opened(member, resumed))

    def finished(self, number: int, finished: Finished, outputs: list[Output]) -> None:
        """A session was resumed that had come to its end, and of which its client has not got these."""
        self._notice(_Finished(number, finished, outputs))

    def given(self, member: MemberStream, delivery: Delivery) -> None:
        """A session has given something."""
        self._notice(_Given(member, delivery))

    def acknowledged(self, member: MemberStream, frames: int) -> None:
        """All that follows from a session's first so many frames has been given before."""
        if member.number in self._members:
            self._acked[member.number] = frames
            self.changed.set()

    def closed(self, number: int, error: CoreError | None) -> None:
        """A session is over without having come to its end: refused, given up, or failed with this error."""
        self._acked.pop(number, None)
        self._notice(_Closed(number, error))

    def hold(self, members: Collection[MemberStream]) -> None:
        """Gives back to members what they have given and has not been sent."""
        leaving = set(members)
        left: deque[_Opened | _Given | _Closed | _Finished] = deque()
        for notice in self._notices:
            if not isinstance(notice, _Opened | _Given) or notice.member not in leaving:
                left.append(notice)
            elif isinstance(notice, _Given):
                notice.member.hold(notice.delivery.outputs[notice.at :])
        self._notices = left
        for member in members:
            self._acked.pop(member.number, None)

    def forget(self, member: MemberStream) -> None:
        """A session leaves: what it has given is not sent."""
        self._acked.pop(member.number, None)

    def _notice(self, notice: _Opened | _Given | _Closed | _Finished) -> None:
        self._notices.append(notice)
        self.changed.set()

    def collect(self) -> Sending:
        """Takes what goes into the next message."""
        collected = Collected()
        taken: list[tuple[MemberStream, int]] = []
        ended: list[tuple[MemberStream, CoreError | None]] = []
        failed: list[CoreError | None] = []
        while self._notices and not collected.is_full:
            notice = self._notices.popleft()
            if isinstance(notice, _Given):
                member, delivery, before = notice.member, notice.delivery, notice.at
                if member.number not in self._members:
                    continue  # it has left
                notice.at = collected.add_outputs(member.number, delivery.outputs, before)
                member.sent(delivery.outputs[before : notice.at])
                taken.append((member, notice.at - before))
                if notice.at < len(delivery.outputs):
                    self._notices.appendleft(notice)
                elif delivery.summary is not None or delivery.error is not None:
                    error = delivery.error or member.error
                    self._collect_acknowledged([member.number] if member.number in self._acked else [], collected)
                    collected.add_closed(member.number, error)
                    ended.append((member, error))
            elif isinstance(notice, _Opened):
                self._collect_opened(notice, collected)
            elif isinstance(notice, _Finished):
                self._collect_finished(notice, collected)
            else:
                failed.append(notice.error)
                collected.add_closed(notice.number, notice.error)
        waiting = {notice.member.number for notice in self._notices if isinstance(notice, _Opened | _Given)}
        self._collect_acknowledged([number for number in self._acked if number not in waiting], collected)
        return Sending(collected.message(), taken, ended, failed)

    def _collect_acknowledged(self, numbers: Collection[int], collected: Collected) -> None:
        """How far sessions have come of which all that comes before has been collected."""
        members = self._members
        durable = {}
        if self._openings.keeps:
            durable = {number: beside.durable for number in numbers if (beside := members[number].beside) is not None}
        collected.add_acknowledged({number: self._acked.pop(number) for number in numbers}, durable)

    def _collect_opened(self, notice: _Opened, collected: Collected) -> None:
        member = notice.member
        if member.number in self._members:
            most = min(self._settings.max_chunk_frames, member.window_frames)
            opened = self._openings.opened(member, most, resumed=notice.resumed)
            collected.add_opened(member.number, opened, member.window_frames)

    def _collect_finished(self, notice: _Finished, collected: Collected) -> None:
        number, finished = notice.number, notice.finished
        if notice.at < 0:
            opened = resumed_message(finished.described, finished.received, ended=True)
            collected.add_opened(number, opened, self._settings.window_frames)
            notice.at = 0
        notice.at = collected.add_outputs(number, notice.outputs, notice.at)
        if notice.at < len(notice.outputs):
            self._notices.appendleft(notice)
        else:
            collected.add_closed(number, finished.error)
