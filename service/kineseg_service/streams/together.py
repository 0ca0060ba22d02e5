"""Chunks of streams with calls of their own that come at about the same time: they are taken together, once a tick.

So they cost less than one by one, and the engine is handed all of them at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kineseg_core.intake.together import SentChunk, take_together

from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.pace import Pace
from kineseg_service.scheduler.scheduled import Submitted

if TYPE_CHECKING:
    from kineseg_service.streams.live_stream import LiveStream


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
        self._waiting: list[tuple[LiveStream, SentChunk, float]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, live: LiveStream, chunk: SentChunk, came: float) -> None:
        """A chunk of a stream of which none waits; it is taken at once where there are no others to wait for."""
        live.window = self._pace.saw(live.window)
        self._waiting.append((live, chunk, came))
        if self._timer is None:
            wait_s = self._pace.wait_s()
            if wait_s > 0.0:
                self._timer = self._loop.call_later(wait_s, self.take)
            else:
                self.take()

    def take(self) -> None:
        """Takes those that wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pace.begin()
        waiting, self._waiting = self._waiting, []
        taken: list[Submitted | SentChunks] = []
        plain, others = take_together([chunk for _, chunk, _ in waiting])
        for alike in plain:
            those = [waiting[place] for place in alike.places]
            for (live, *_), frames in zip(those, alike.sizes, strict=True):
                live.took(frames)
            taken.append(SentChunks([live.stream for live, *_ in those], [came for *_, came in those], alike))
        for place, given in others.items():
            live, chunk, came = waiting[place]
            if items := live.took_items(chunk, given):
                taken.append((live.stream, items, came))
        if taken:
            self._engine.submit_many(taken)
            with harmless("metrics"):
                self._metrics.received(sum(len(chunk.data) // chunk.intake.frame_bytes for _, chunk, _ in waiting))
