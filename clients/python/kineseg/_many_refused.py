"""Streams that the server of their call refuses for now, while others go on in it: when they are asked for again."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from kineseg._member_protocol import MemberProtocol
from kineseg._resume import Outage

Handle = TypeVar("Handle")


class Refused(Generic[Handle]):
    """Those of one outage are asked for together, after a wait that grows."""

    def __init__(self) -> None:
        self._due: dict[Outage, tuple[float, list[MemberProtocol[Handle]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._due)

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

    def take_due(self) -> list[MemberProtocol[Handle]]:
        """Those whose time has come, which are to be asked for now."""
        now = time.monotonic()
        over = [outage for outage, (at, _) in self._due.items() if at <= now]
        return [member for outage in over for member in self._due.pop(outage)[1]]

    def left_s(self) -> float | None:
        """Seconds until the time of some has come; None: there are none."""
        return max(0.0, min(at for at, _ in self._due.values()) - time.monotonic()) if self._due else None

    def clear(self) -> None:
        """They are asked for in another way, or not at all."""
        self._due.clear()
