"""The page of several processes, as their supervisor has it: streams of all of them on one hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from kineseg import FrameResult, RequestError, event_from_dict
from kineseg.page import Feed, Hub, StreamInfo

from kineseg_service.logs import harmless
from kineseg_service.processes.page_messages import packed, page_socket, received

_TAUGHT_WITHIN_S = 30.0


class PageGatherer:
    """Shows what processes say of their streams.

    Args:
        hub: The page's.
        teaches: Whether names can be taught.
    """

    def __init__(self, hub: Hub, *, teaches: bool) -> None:
        self._hub = hub
        self._processes: set[_Process] = set()
        if teaches:
            hub.teach = self._teach

    @asynccontextmanager
    async def listening(self, folder: Path) -> AsyncIterator[None]:
        """Processes may say something, as long as the context lasts."""
        server = await asyncio.start_unix_server(self._hear, page_socket(folder))
        try:
            yield
        finally:
            server.close()
            for process in list(self._processes):
                process.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        process = _Process(self._hub, writer, self._count)
        self._processes.add(process)
        try:
            while (entries := await received(reader)) is not None:
                for what, *values in entries:
                    with harmless("the page"):
                        process.take(what, *values)
        finally:
            self._processes.discard(process)
            process.close()

    def _count(self) -> None:
        self._hub.pass_over(sum(len(process.passed_over) for process in self._processes))

    async def _teach(self, stream: str, segment_id: int, name: str) -> None:
        for process in self._processes:
            if stream in process.feeds and process.feeds[stream] is self._hub.get(stream):
                await process.teach(stream, segment_id, name)
                return
        raise RequestError("the process that had this stream has ended")


class _Process:
    """One process, from its connection on.

    Attributes:
        feeds: Its streams that are shown.
        passed_over: Those that are not.
    """

    def __init__(self, hub: Hub, writer: asyncio.StreamWriter, counted: Callable[[], None]) -> None:
        self.feeds: dict[str, Feed] = {}
        self.passed_over: set[str] = set()
        self._hub = hub
        self._writer = writer
        self._counted = counted
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[str]] = {}

    def take(self, what: str, *values: Any) -> None:
        """What it says; of streams that are not shown only that they end."""
        if what == "open":
            self._open(StreamInfo(**{**values[0], "channels": tuple(values[0]["channels"])}))
        elif what == "taught":
            number, error = values
            self._asked.pop(number).set_result(error)
        elif values[0] in self.passed_over:
            if what == "end":
                self.passed_over.discard(values[0])
                self._counted()
        elif values[0] in self.feeds:
            self._show(self.feeds[values[0]], what, *values[1:])

    async def teach(self, stream: str, segment_id: int, name: str) -> None:
        """Have it teach a name; raises `RequestError` if that cannot be done."""
        number = next(self._numbers)
        asked = self._asked[number] = asyncio.get_running_loop().create_future()
        self._writer.write(packed([["teach", number, stream, segment_id, name]]))
        try:
            async with asyncio.timeout(_TAUGHT_WITHIN_S):
                error = await asked
        except TimeoutError:
            error = "the process that has this stream does not answer"
        finally:
            self._asked.pop(number, None)
        if error:
            raise RequestError(error)

    def close(self) -> None:
        """It has gone, and its streams with it."""
        for feed in self.feeds.values():
            feed.end("gone with its process")
        for asked in self._asked.values():
            if not asked.done():
                asked.set_result("the process that had this stream has ended")
        self.passed_over.clear()
        self._counted()
        with contextlib.suppress(ConnectionError):
            self._writer.close()

    def _open(self, info: StreamInfo) -> None:
        self.feeds = {stream: feed for stream, feed in self.feeds.items() if self._hub.get(stream) is feed}
        if self._hub.has_room:
            self.feeds[info.stream] = self._hub.open(info)
            return
        self.passed_over.add(info.stream)
        self._counted()
        self._writer.write(packed([["leave_out", info.stream]]))

    def _show(self, feed: Feed, what: str, *values: Any) -> None:
        match what, values:
            case "poses", (frames, n_channels, times_s):
                feed.poses(np.frombuffer(frames, np.float32).reshape(-1, n_channels), times_s)
            case "result", ((frame, time_s, surprise, score, label), embedding):
                feed.result(
                    FrameResult(
                        frame=frame, time_s=time_s, surprise=surprise, anomaly_score=score, label=label,
                        embedding=np.frombuffer(embedding, np.float32),
                    )
                )  # fmt: skip
            case "event", (event,):
                feed.event(event_from_dict(event))
            case "arrived", (frames, captured_s, at_s):
                feed.arrived(frames, captured_s, at_s)
            case "decided", (delay_s,):
                feed.decided(delay_s)
            case "end", (why,):
                feed.end(why)
