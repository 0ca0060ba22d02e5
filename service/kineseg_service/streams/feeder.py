"""What lets the members of a call take their chunks: in turn, many at once, and all at once to the engine."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from time import monotonic

from kineseg_core.errors import StepFailed
from kineseg_core.intake.together import take_together

from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Item, ScheduledStream
from kineseg_service.streams.member import MemberStream
from kineseg_service.streams.open_stream import TURN_S

_log = get_logger(__name__)
_TOGETHER = 32
"""So many members' chunks are begun at once: about half a turn's work."""


class Feeder:
    """The line of members that have something to take. To be used in one event loop; `run` is to be a task there."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._line: deque[MemberStream] = deque()
        self._filled = asyncio.Event()

    def add(self, member: MemberStream) -> None:
        """The member has something to take, and gets its turn."""
        if not member.queued:
            member.queued = True
            self._line.append(member)
            self._filled.set()

    async def run(self) -> None:
        """Gives members their turns, until it is cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._line:
                # Handed over before others have their turn: one of them may end a member.
                self._take_turn()
                await asyncio.sleep(0)

    def _take_turn(self) -> None:
        until = monotonic() + TURN_S
        taken: list[tuple[ScheduledStream, Sequence[Item], float]] = []
        frames = 0
        while self._line and monotonic() < until:
            members = [self._line.popleft() for _ in range(min(_TOGETHER, len(self._line)))]
            _begin(members)
            for member in members:
                member.queued = False
                intake = member.session.intake
                before = intake.received
                try:
                    items = member.take(until)
                except Exception:
                    failure = StepFailed("the stream could not be ended")
                    _log.exception("ending failed", session=member.session_id, error_id=failure.error_id)
                    member.give_up(failure)
                    continue
                frames += intake.received - before
                if items:
                    taken.append((member.stream, items, member.came))
                if member.can_take:
                    self.add(member)
        if taken:
            self._engine.submit_many(taken)
            with harmless("metrics"):
                self._metrics.received(frames)


def _begin(members: Sequence[MemberStream]) -> None:
    """Begins the next chunk of each that has one, all of them together."""
    waiting = [(member, chunk) for member in members if (chunk := member.next_chunk()) is not None]
    for (member, _), taken in zip(waiting, take_together([chunk for _, chunk in waiting]), strict=True):
        if taken is not None:  # else its turn comes to the same error, and ends it
            member.begun(taken)
