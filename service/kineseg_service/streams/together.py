"""Chunks of streams with calls of their own that come at about the same time: they are taken together, once a tick.

So they cost less than one by one, and the engine is handed all of them at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from kineseg_core.errors import StepFailed
from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import SentChunk, take_together
from kineseg_core.session import Session

from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.pace import Pace
from kineseg_service.scheduler.scheduled import AnySubmitted, Item, ScheduledStream

_log = get_logger(__name__)
# As measured: of fewer a chunk by itself costs less, of one a third.
_MANY = 4


class Sender(Protocol):
    """A stream that sends chunks, see `LiveStream`."""

    session: Session
    window: int

    @property
    def stream(self) -> ScheduledStream: ...

    def took(self, frames: int) -> None: ...

    def took_items(self, chunk: SentChunk, given: Iterable[Taken] | None) -> list[Item]: ...


class _Waiting(NamedTuple):
    live: Sender
    chunk: SentChunk
    came: float


class Together:
    """The chunks of a tick. To be used in one event loop.

    Args:
        engine: Gets what they give.
        metrics: Where frames are counted.
        tick_s: None waits for longer, see `Pace`.
    """

    def __init__(self, engine: Engine, metrics: Metrics, tick_s: float) -> None:
        self._engine = engine
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(tick_s)
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.Handle | None = None

    def add(self, live: Sender, chunk: SentChunk, came: float) -> None:
        """A chunk of a stream of which none waits; it is taken with those that have come already where there are no
        others to wait for."""
        live.window = self._pace.saw(live.window)
        self._waiting.append(_Waiting(live, chunk, came))
        if self._timer is None:
            wait_s = self._pace.wait_s()
            self._timer = self._loop.call_later(wait_s, self.take) if wait_s > 0.0 else self._loop.call_soon(self.take)

    def take(self) -> None:
        """Takes those that wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pace.begin()
        waiting, self._waiting = self._waiting, []
        intakes = [each.live.session.intake for each in waiting]
        before = sum(intake.taken_here for intake in intakes)
        many = len(waiting) >= _MANY
        taken = _together(waiting) if many else _alone([(each, None) for each in waiting])
        if taken:
            self._engine.submit_many(taken, gathered=True, chunks=len(waiting))
        self.count(sum(intake.taken_here for intake in intakes) - before)

    def count(self, frames: int) -> None:
        """So many frames have been taken."""
        with harmless("metrics"):
            self._metrics.received(frames)


def _together(waiting: Sequence[_Waiting]) -> list[AnySubmitted]:
    try:
        plain, others = take_together([each.chunk for each in waiting])
    except Exception:
        failure = StepFailed("the stream could not be read")
        _log.exception("reading failed", streams=len(waiting), error_id=failure.error_id)
        return _alone([(each, map(_raise, (failure,))) for each in waiting])
    taken: list[AnySubmitted] = []
    for alike in plain:
        those = [waiting[place] for place in alike.places]
        for each, frames in zip(those, alike.sizes, strict=True):
            each.live.took(frames)
        taken.append(SentChunks([each.live.stream for each in those], [each.came for each in those], alike))
    return taken + _alone([(waiting[place], given) for place, given in others.items()])


def _alone(waiting: Sequence[tuple[_Waiting, Iterable[Taken] | None]]) -> list[AnySubmitted]:
    """Those whose chunk gives this, see `take_together`; none: it has not been taken yet."""
    taken: list[AnySubmitted] = []
    for (live, chunk, came), given in waiting:
        if items := live.took_items(chunk, given):
            taken.append((live.stream, items, came))
    return taken


def _raise(error: Exception) -> Taken:
    raise error
