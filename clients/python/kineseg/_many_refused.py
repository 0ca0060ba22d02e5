"""Streams with which a call does not go on yet, while others go on in it: when they are looked at again.

Those of one outage go together.
"""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from kineseg._member_protocol import MemberProtocol
from kineseg._resume import Outage

Handle = TypeVar("Handle")


class Later(Generic[Handle]):
    """Streams of outages, each of which has its time."""

    def __init__(self) -> None:
        self._due: dict[Outage, tuple[float, list[MemberProtocol[Handle]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._due)

    def take_due(self) -> list[MemberProtocol[Handle]]:
        """Those whose time has come."""
        now = time.monotonic()
        over = [outage for outage, (at, _) in self._due.items() if at <= now]
        return [member for outage in over for member in self._due.pop(outage)[1]]

    def left_s(self) -> float | None:
        """Seconds until the time of some has come; None: there are none."""
        return max(0.0, min(at for at, _ in self._due.values()) - time.monotonic()) if self._due else None

    def clear(self) -> None:
        """There is nothing to look at any more."""
        self._due.clear()


class Refused(Later[Handle]):
    """They are asked for again after a wait that grows."""

    def add(self, member: MemberProtocol[Handle]) -> bool:
        """A stream is refused; whether it is asked for again: False once its outage has lasted for too long."""
        outage = member.outage
        assert outage is not None
        if outage not in self._due:
            wait_s = outage.wait_s()
            if wait_s is None:
                return False
            self._due[outage] = time.monotonic() + wait_s, []
        self._due[outage][1].append(member)
        return True


class Unanswered(Later[Handle]):
    """They have been asked for, and are waited for as long as the server goes on answering for others of their outage.

    Args:
        stall_s: For how long otherwise, see `Outage.patience_s`.
        timeout: How long that may become.
    """

    def __init__(self, stall_s: float, timeout: float) -> None:
        super().__init__()
        self._stall_s = stall_s
        self._timeout = timeout

    def add(self, member: MemberProtocol[Handle]) -> None:
        """A stream is asked for."""
        outage = member.outage
        assert outage is not None
        members = self._due[outage][1] if outage in self._due else []
        members.append(member)
        self._due[outage] = self._until(outage), members

    def answered(self, outage: Outage | None) -> None:
        """The server has answered for one of those."""
        if outage is not None and outage in self._due:
            self._due[outage] = self._until(outage), self._due[outage][1]

    def _until(self, outage: Outage) -> float:
        return time.monotonic() + outage.patience_s(self._stall_s, self._timeout)
