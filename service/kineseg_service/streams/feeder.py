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
from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import AnySubmitted
from kineseg_service.streams.one_by_one import OneByOne, let_others_go_on
from kineseg_service.streams.open_stream import BEHIND_TURN_S, TURN_S
from kineseg_service.streams.taking import TakingStream

_log = get_logger(__name__)
TOGETHER = 80
"""So many members' chunks are taken at once: a turn's work. Whatever is left costs as much as a dozen of them more."""
_BEHIND_TOGETHER = 4
"""So many of members that others go before: their chunks are larger, or take longer."""
_OTHERS_TURNS = 16
"""After so many turns of others, it is the turn of those."""


class Feeder:
    """The line of members that have something to take. To be used in one event loop; `run` is to be a task there.

    Args:
        engine: Gets what they take.
        metrics: Where frames are counted.
        back_row: See `OpenStream`.
    """

    def __init__(self, engine: Engine, metrics: Metrics, back_row: OneByOne) -> None:
        self._engine = engine
        self._metrics = metrics
        self._back_row = back_row
        self._line: deque[TakingStream] = deque()
        self._behind: deque[TakingStream] = deque()  # those that others go before, see `OpenStream`, or that end
        self._filled = asyncio.Event()

    def add(self, member: TakingStream) -> None:
        """The member has something to take, and gets its turn."""
        if not member.queued:
            member.queued = True
            behind = member.goes_behind or member.finishing
            (self._behind if behind else self._line).append(member)
            self._filled.set()

    def offered(self, members: Sequence[TakingStream]) -> None:
        """These members have something to take, and no turn yet; they take it at once, where no one waits for one."""
        if self._line or self._behind:
            for member in members:
                self.add(member)
            return
        line = deque[TakingStream]()
        for member in dict.fromkeys(members):
            if member.goes_behind:
                self.add(member)
            else:
                line.append(member)
        if line:
            self._take_turn(line, TURN_S, TOGETHER)
            for member in line:
                self.add(member)

    async def run(self) -> None:
        """Gives members their turns, until it is cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            turns = 0
            while self._line or self._behind:
                # Handed over before others have their turn: one of them may end a member.
                turns += 1
                if self._line and not (self._behind and turns % _OTHERS_TURNS == 0):
                    self._take_turn(self._line, TURN_S, TOGETHER)
                    if self._line or self._behind:
                        await asyncio.sleep(0)
                else:
                    async with self._back_row:
                        self._take_turn(self._behind, BEHIND_TURN_S, _BEHIND_TOGETHER)
                    await let_others_go_on()

    def _take_turn(self, line: deque[TakingStream], turn_s: float, together: int) -> None:
        until = monotonic() + turn_s
        taken: list[AnySubmitted] = []
        frames = chunks = 0
        while line and monotonic() < until:
            members = [line.popleft() for _ in range(min(together, len(line)))]
            chunks += len(members)
            alone, received = self._take_together(members, taken)
            frames += received
            for member in alone:
                frames += self._take_alone(member, until, taken)
            for member in members:
                member.queued = False
                if member.can_take:
                    self.add(member)
        self.hand_over(taken, frames, chunks=None if line is self._behind else chunks)

    def hand_over(self, taken: Sequence[AnySubmitted], frames: int, *, chunks: int | None) -> None:
        """What has been taken of so many frames goes to the engine; `chunks`: see `Engine.submit_many`."""
        if taken:
            self._engine.submit_many(taken, chunks=chunks)
        if frames:
            with harmless("metrics"):
                self._metrics.received(frames)

    def _take_together(
        self, members: Sequence[TakingStream], taken: list[AnySubmitted]
    ) -> tuple[list[TakingStream], int]:
        """Takes the next chunk of each that has one, or begins it.

        Returns:
            Those that are to take what there is alone, and how many frames have been taken already.
        """
        alone, waiting, chunks = [], [], []
        for member in members:
            chunk = member.next_chunk()
            if chunk is None:
                alone.append(member)
            else:
                waiting.append(member)
                chunks.append(chunk)
        plain, others = take_together(chunks)
        frames = 0
        for alike in plain:
            those = [waiting[place] for place in alike.places]
            came = [member.took(size) for member, size in zip(those, alike.sizes, strict=True)]
            frames += sum([len(chunks[place][2]) for place in alike.places]) // those[0].frame_bytes
            taken.append(SentChunks([member.stream for member in those], came, alike))
        for place, given in others.items():
            if given is not None:  # else its turn comes to the same error, and ends it
                intake, first_frame, *_ = chunks[place]
                frames += max(0, intake.received - first_frame)  # of what follows is taken when it is read
                waiting[place].begun(given)
            alone.append(waiting[place])
        return alone, frames

    def _take_alone(self, member: TakingStream, until: float, taken: list[AnySubmitted]) -> int:
        """A member takes what there is; how many frames that are."""
        intake = member.session.intake
        before = intake.taken_here
        try:
            items = member.take(until)
        except Exception:
            failure = StepFailed("the stream could not be ended")
            _log.exception("ending failed", session=member.session_id, error_id=failure.error_id)
            member.give_up(failure)
            return 0
        if items:
            taken.append((member.stream, items, member.came))
        return intake.taken_here - before
