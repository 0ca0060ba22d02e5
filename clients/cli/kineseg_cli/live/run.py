"""A live source on its way through an engine, until one of them ends or somebody stops it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from kineseg import EndReason, KinesegError, Reconnected, RequestError, Summary, Unavailable
from kineseg.sources import Frames, Source, SourceInfo

from kineseg_cli.failures import CommandError
from kineseg_cli.interrupt import Stop
from kineseg_cli.live.engines import Engine, Opened
from kineseg_cli.live.listener import Listener

SILENT_S = 3.0
_LOOK_S = 0.05
_TELL_S = 1.0
_KEPT_S = 120.0  # of frames, while what segments is away


class Backlog:
    """Frames that have been read of a source and not been sent yet. Outlives a run: the next one begins with them."""

    def __init__(self) -> None:
        self._frames: deque[Frames] = deque()
        self._seconds = 0.0
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._closed = False
        self.reported = False  # of the oldest: listeners know of it

    @property
    def seconds(self) -> float:
        """For so long they go on."""
        return self._seconds

    def add(self, frames: Frames) -> None:
        """Has been read."""
        self._frames.append(frames)
        self._seconds += frames.n_frames / frames.info.rate
        self._changed.set()

    def open(self) -> None:
        """More will be read."""
        self._closed = False

    def close(self) -> None:
        """Nothing more will be read."""
        self._closed = True
        self._changed.set()

    async def change(self) -> None:
        """Returns once something has been taken, or after a moment."""
        self._taken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._taken.wait()

    async def first(self) -> Frames | None:
        """The oldest; it stays until it is `taken`. None: there will be none."""
        while not self._frames:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._frames[0]

    def taken(self) -> None:
        """The oldest has been sent."""
        frames = self._frames.popleft()
        self.reported = False
        self._taken.set()
        self._seconds = self._seconds - frames.n_frames / frames.info.rate if self._frames else 0.0


class LiveRun:
    """One source, one engine, and who hears of it.

    Args:
        source: Entered already.
        engine: Entered already.
        listener: Hears what happens.
        stop: Once it is set, no more is read, and all streams end properly.
        duration_s: The same, so long after the first frame.
        backlog: What a run before has left.
    """

    def __init__(
        self,
        source: Source,
        engine: Engine,
        listener: Listener,
        *,
        stop: Stop,
        duration_s: float | None = None,
        backlog: Backlog | None = None,
    ) -> None:
        self._source = source
        self._engine = engine
        self._listener = listener
        self._stop = stop
        self._duration_s = duration_s
        self._backlog = backlog or Backlog()
        self._open: dict[str, Opened] = {}
        self._refused: dict[str, SourceInfo] = {}  # by performer: what cannot be segmented
        self._began: float | None = None
        self.frames = 0

    async def run(self) -> None:
        """Run it.

        Raises:
            SourceError: The source has ended, and not well.
            KinesegError: A stream was refused or has failed.
            CommandError: The model cannot take such frames.
        """
        self._backlog.open()
        deciding = asyncio.create_task(self._read_items())
        reading = asyncio.create_task(self._read_frames())
        sending = asyncio.create_task(self._send_frames())
        watching = asyncio.create_task(self._watch(reading))
        try:
            await asyncio.wait({sending, deciding}, return_when=asyncio.FIRST_COMPLETED)
            if not deciding.done():
                for opened in self._open.values():
                    await self._end(opened)
                finishing = asyncio.create_task(self._engine.finish())
                await asyncio.wait({finishing, deciding}, return_when=asyncio.FIRST_COMPLETED)
                finishing.cancel()
                await asyncio.gather(finishing, return_exceptions=True)
            await deciding  # why a stream has ended says more than that nothing can be sent to it
            for task in (sending, reading):  # if it was not asked to end
                failure = task.exception() if task.done() and not task.cancelled() else None
                if failure is not None:
                    raise failure
        finally:
            tasks = watching, reading, sending, deciding
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self, opened: Opened) -> None:
        with contextlib.suppress(KinesegError):  # it has ended, and why is read with the rest
            await self._engine.end(opened)

    async def _read_frames(self) -> None:
        """Reads as fast as is sent, but goes on while what segments is away."""
        backlog = self._backlog
        try:
            async for frames in self._source:
                if self._began is None:
                    self._began = time.monotonic()
                backlog.add(frames)
                while backlog.seconds and not (self._engine.away_s and backlog.seconds < _KEPT_S):
                    await backlog.change()
        finally:
            backlog.close()

    async def _send_frames(self) -> None:
        while (frames := await self._backlog.first()) is not None:
            await self._send(frames)
            self._backlog.taken()

    async def _send(self, frames: Frames) -> None:
        if self._refused.get(frames.info.performer) is frames.info:
            return
        opened = await self._opened_for(frames)
        if opened is None:
            return
        if not self._backlog.reported:
            self._backlog.reported = True
            self._listener.frames(opened.stream, frames)
        try:
            await self._engine.send(opened, frames)
        except RequestError as error:
            self._refuse(frames.info, error)
        else:
            self.frames += frames.n_frames

    def _refuse(self, info: SourceInfo, error: Exception) -> None:
        """One of several is left out; raises the error where there is no other."""
        infos = self._source.infos
        hopeful = [
            name
            for name in self._source.layouts()
            if name != info.performer and not (name in self._refused and self._refused[name] is infos.get(name))
        ]
        if not hopeful:
            raise error
        self._refused[info.performer] = info
        self._listener.refused(info, str(error))

    async def _opened_for(self, frames: Frames) -> Opened | None:
        info = frames.info
        opened = self._open.get(info.performer)
        if opened is not None and opened.stream.info is info and not opened.ended:
            return opened
        if opened is not None and not opened.ended:
            await self._engine.end(opened)
        try:
            opened = self._open[info.performer] = await self._engine.open(info)
        except (CommandError, RequestError) as error:
            self._open.pop(info.performer, None)
            self._refuse(info, error)
            return None
        self._listener.opened(opened.stream)
        return opened

    async def _read_items(self) -> None:
        async for opened, item in self._engine:
            if isinstance(item, KinesegError):
                if opened.ended:
                    continue
                if not isinstance(item, RequestError):
                    raise item
                opened.ended = True
                self._refuse(opened.stream.info, item)
                continue
            if isinstance(item, Reconnected):
                self._listener.reconnected(opened.stream, item)
                continue
            self._listener.item(opened.stream, item)
            if isinstance(item, Summary) and item.reason is not EndReason.COMPLETED:
                opened.ended = True
                if item.reason is EndReason.IDLE:  # nothing came for long; what comes begins another stream
                    continue
                drained = item.reason is EndReason.DRAINED
                why = "it is shutting down" if drained else f"the stream was {item.reason}"
                raise Unavailable(f"the server ended the stream after {item.frames} frames: {why}", retryable=drained)

    async def _watch(self, reading: asyncio.Task[None]) -> None:
        """Looks for the end, and tells how the source is, and what segments."""
        reported, away_s = 0.0, 0.0
        while True:
            if self._over():
                reading.cancel()
            now = time.monotonic()
            if now - reported >= _TELL_S:
                reported = now
                before, away_s = away_s, self._engine.away_s
                if before or away_s:
                    self._listener.away(away_s)
                health = self._source.health()
                self._listener.health(health, self._source.silence() if health.silent_s >= SILENT_S else "")
            await asyncio.sleep(_LOOK_S)

    def _over(self) -> bool:
        if self._stop.is_set():
            return True
        began, lasts = self._began, self._duration_s
        return began is not None and lasts is not None and time.monotonic() - began >= lasts
