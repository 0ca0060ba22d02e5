"""What has come of streams that share a call, and waits to be read."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from kineseg._errors import KinesegError
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._member_protocol import MemberProtocol

Handle = TypeVar("Handle")
Item = Event | FrameResult | Reconnected | KinesegError


class Unread(Generic[Handle]):
    """In the order in which it came; what ended a stream is given once, here or where it is raised."""

    def __init__(self) -> None:
        self._items: deque[tuple[MemberProtocol[Handle], Event | FrameResult | Reconnected | None]] = deque()
        self._unraised: dict[MemberProtocol[Handle], None] = {}

    def __len__(self) -> int:
        return len(self._items)

    def add(self, member: MemberProtocol[Handle], item: Event | FrameResult | Reconnected) -> None:
        """It has come of a stream."""
        self._items.append((member, item))

    def add_error(self, member: MemberProtocol[Handle]) -> None:
        """A stream has failed."""
        self._unraised[member] = None
        self._items.append((member, None))

    def read(self) -> tuple[Handle, Item] | None:
        """The next thing that arrived, and of which stream; None once there is none."""
        while self._items:
            member, item = self._items.popleft()
            if item is not None:
                return member.handle, item
            error = self._read_error(member)
            if error is not None:
                return member.handle, error
        return None

    def read_all(self) -> list[tuple[Handle, Item]]:
        """Everything that arrived."""
        items = []
        while (item := self.read()) is not None:
            items.append(item)
        return items

    def raise_first(self) -> None:
        """Raise what ended a stream, if that has been neither raised nor read yet."""
        for member in list(self._unraised):
            error = self._read_error(member)
            if error is not None:
                raise error

    def _read_error(self, member: MemberProtocol[Handle]) -> KinesegError | None:
        self._unraised.pop(member, None)
        return member.read_error()
