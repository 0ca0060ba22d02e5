"""The way to one sink: its queue in the spool, delivered batch by batch, again and again if need be."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from kineseg.sinks.backoff import Backoff
from kineseg.sinks.errors import Refused, Retry
from kineseg.sinks.sink import Sink, StandingSink
from kineseg.sinks.spool import Dropped, Spool, Waiting

_SAY_AGAIN_S = 300.0
_SAY_DROPS_AGAIN_S = 60.0
_CLOSE_S = 2.0


@dataclass(slots=True)
class Counts:
    """What has become of a sink's events since this process began.

    Attributes:
        delivered: Events that it has taken.
        failed: Deliveries that were tried in vain.
        dropped: Events that made room for others, as too many waited.
        dropped_provisional: How many of them were provisional.
        refused: Events that it will never take.
        waiting: Events that wait now.
        failing: Why it takes nothing now; empty: it does.
    """

    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    dropped_provisional: int = 0
    refused: int = 0
    waiting: int = 0
    failing: str = ""


class Delivery:
    """Delivers what waits for a sink. A delivery at a time, so that order is kept.

    Args:
        sink: Takes the events.
        spool: Where they wait.
        say: Is called with what one should know.
    """

    def __init__(self, sink: Sink, spool: Spool, say: Callable[[str], None]) -> None:
        self.sink = sink
        self._name = sink.terms.name
        self._spool = spool
        self._say = say
        self._counts = Counts()
        self._backoff = Backoff()
        self._news = asyncio.Event()
        self._ending = False
        self._oldest_since = time.monotonic()
        self._said_at = 0.0
        self._drops_said_at: float | None = None
        self._keep_alive_at = 0.0  # at once: it may have been long since
        self.delivering = 0
        """The highest number in the spool that is being delivered."""
        self._standing = sink if isinstance(sink, StandingSink) else None
        state = spool.state(self._name)
        if self._standing is not None and state is not None:
            self._standing.restore(state)

    @property
    def counts(self) -> Counts:
        """What has become of its events."""
        self._counts.waiting = self._spool.count(self._name)
        return self._counts

    def wake(self) -> None:
        """Something waits, or it is to end."""
        self._news.set()

    def end(self) -> None:
        """To end as soon as nothing waits."""
        self._ending = True
        self.wake()

    def dropped(self, dropped: Dropped) -> None:
        """Events have made room for others; said at once, and then now and then."""
        self._counts.dropped += dropped.events
        self._counts.dropped_provisional += dropped.provisional
        now = time.monotonic()
        if self._drops_said_at is None or now - self._drops_said_at >= _SAY_DROPS_AGAIN_S:
            self._drops_said_at = now
            self._say(
                f"{self._name}: more than {self.sink.terms.spool} events wait: {self._counts.dropped} were dropped so "
                f"far, {self._counts.dropped_provisional} of them provisional"
            )

    def streams(self) -> Collection[str]:
        """Of which streams something stands there."""
        return () if self._standing is None else self._standing.streams()

    def streams_ended(self, streams: Collection[str]) -> None:
        """Nothing more will come of these."""
        if self._standing is not None:
            self._standing.streams_ended(streams)
            self._keep_alive_at = 0.0
            self.wake()

    async def run(self) -> None:
        """Deliver until `end`, and until nothing waits then."""
        try:
            while (waiting := await self._next()) is not None:
                self.delivering = waiting.numbers[-1]
                if not await self._tried(waiting):
                    for number, event in zip(waiting.numbers, waiting.events, strict=True):
                        alone = Waiting((number,), (event,))
                        if not await self._tried(alone):
                            self._counts.refused += 1
                            await self._remove(alone.numbers)
                self.delivering = 0
        finally:
            await self._close()

    async def _remove(self, numbers: Sequence[int]) -> None:
        """These wait no longer; tried until the file can be written, since what is not removed would come again."""
        while True:
            try:
                self._spool.remove(self._name, numbers, None if self._standing is None else self._standing.state())
                return
            except sqlite3.Error as error:
                await asyncio.sleep(await self._failed(error))

    async def _next(self) -> Waiting | None:
        """What is to be delivered next; meanwhile what stands is kept alive. None: the end."""
        most, linger_s = self.sink.terms.batch, self.sink.linger_s
        while True:
            self._news.clear()
            if self._standing is not None and time.monotonic() >= self._keep_alive_at:
                await self._kept_alive(self._standing)
            now = time.monotonic()
            count = self._spool.count(self._name)
            if not count:
                self._oldest_since = now
                if self._ending:
                    return None
            elif count >= most or self._ending or now >= self._oldest_since + linger_s:
                self._oldest_since = now
                return self._spool.waiting(self._name, most)
            until = [self._oldest_since + linger_s] if count else []
            if self._standing is not None:
                until.append(self._keep_alive_at)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(until) - time.monotonic()) if until else None):
                    await self._news.wait()

    async def _kept_alive(self, sink: StandingSink) -> None:
        try:
            async with asyncio.timeout(sink.terms.timeout_s):
                await sink.keep_alive()
        except Exception as error:
            await self._failed(error)
        else:
            self._worked()
            await self._remove(())
        self._keep_alive_at = time.monotonic() + sink.keep_alive_s

    async def _tried(self, waiting: Waiting) -> bool:
        """Deliver until it is taken; False: it is refused, saying why if it is one event."""
        while True:
            try:
                async with asyncio.timeout(self.sink.terms.timeout_s):
                    await self.sink.deliver(waiting.events)
            except Refused as error:
                if len(waiting.events) == 1:
                    self._say(f"{self._name}: event {waiting.events[0].id} is refused and left out: {error}")
                return False
            except Exception as error:  # whatever it is, no event is lost for it
                pause_s = await self._failed(error)
                await asyncio.sleep(pause_s)
                continue
            self._worked()
            self._counts.delivered += len(waiting.events)
            await self._remove(waiting.numbers)
            return True

    async def _failed(self, error: Exception) -> float:
        """Say so, now and then; returns for how long to wait."""
        late = isinstance(error, TimeoutError)
        why = f"no answer within {self.sink.terms.timeout_s:g} s" if late else str(error) or type(error).__name__
        self._counts.failed += 1
        now = time.monotonic()
        if not self._counts.failing or now - self._said_at >= _SAY_AGAIN_S:
            self._said_at = now
            self._say(f"{self._name}: {why}; trying again, {self._spool.count(self._name)} events wait")
        self._counts.failing = why
        await self._close()
        return self._backoff.next_s(error.after_s if isinstance(error, Retry) else None)

    def _worked(self) -> None:
        self._backoff.reset()
        if self._counts.failing:
            self._say(f"{self._name}: takes events again")
            self._counts.failing = ""

    async def _close(self) -> None:
        with contextlib.suppress(Exception):  # it is given up in any case
            async with asyncio.timeout(_CLOSE_S):
                await self.sink.close()
