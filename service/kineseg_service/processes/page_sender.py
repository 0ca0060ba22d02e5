"""The page of several processes, as one of them sees it: what there is to show goes to the supervisor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import numpy as np
from kineseg import Event, FrameResult, KinesegError
from kineseg.page import StreamInfo
from kineseg.page.hub import Teach
from numpy.typing import ArrayLike

from kineseg_service.processes.page_messages import packed, page_socket, received

_GATHERED_S = 0.03
# While so much waits for the supervisor, frames and results are left out; events never are.
_MOST_WAITING = 8 << 20
_MOST_ENDED = 64  # kept, so that their segments can be named


class SentPage:
    """A page that is somewhere else. For one event loop, where it is entered before it is used.

    Args:
        folder: What all processes share.

    Attributes:
        teach: See `kineseg.page.Hub`; what is taught on the page is taught by this.
    """

    def __init__(self, folder: Path) -> None:
        self.teach: Teach | None = None
        self._folder = folder
        self._feeds: dict[str, SentFeed] = {}
        self._gathered: list[list[Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        reader, self._writer = await asyncio.open_unix_connection(page_socket(self._folder))
        self._listening = asyncio.create_task(self._listen(reader))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._send()
        self._listening.cancel()
        with contextlib.suppress(ConnectionError):
            self._writer.close()
            await self._writer.wait_closed()

    has_room = True

    def open(self, info: StreamInfo) -> SentFeed:
        """A stream has begun."""
        ended = [stream for stream, feed in self._feeds.items() if feed.ended]
        for stream in ended[: max(0, len(ended) - _MOST_ENDED)]:
            del self._feeds[stream]
        feed = self._feeds[info.stream] = SentFeed(info, self)
        self.say("open", asdict(info))
        return feed

    def get(self, stream: str, tenant: str | None = None) -> SentFeed | None:
        """One of them; None if there is none."""
        feed = self._feeds.get(stream)
        return feed if feed is not None and tenant in (None, feed.info.tenant) else None

    def pass_over(self, count: int) -> None:
        """Streams are counted where they are shown."""

    def say(self, *entry: Any) -> None:
        """Says it soon, with what else there is to say."""
        if not self._gathered:
            asyncio.get_running_loop().call_later(_GATHERED_S, self._send)
        self._gathered.append(list(entry))

    @property
    def is_busy(self) -> bool:
        """The supervisor does not keep up."""
        return self._writer.transport.get_write_buffer_size() > _MOST_WAITING

    def _send(self) -> None:
        if self._gathered and not self._writer.is_closing():
            self._writer.write(packed(self._gathered))
        self._gathered = []

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while (entries := await received(reader)) is not None:
            for what, *values in entries:
                if what == "leave_out":
                    feed = self._feeds.get(values[0])
                    if feed is not None:
                        feed.wanted = False
                elif what == "teach":
                    task = asyncio.create_task(self._teach(*values))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _teach(self, number: int, stream: str, segment_id: int, name: str) -> None:
        error = "no names can be taught here"
        if self.teach is not None:
            try:
                await self.teach(stream, segment_id, name)
                error = ""
            except KinesegError as refused:
                error = str(refused)
        self.say("taught", number, error)


class SentFeed:
    """See `kineseg.page.Feed`.

    Attributes:
        wanted: See `kineseg.page.Feed`.
    """

    def __init__(self, info: StreamInfo, page: SentPage) -> None:
        self.info = info
        self.wanted = True
        self.ended = ""
        self._page = page

    def poses(self, frames: ArrayLike, times_s: Sequence[float]) -> None:
        """The next frames, ``(T, C)``."""
        if not self._page.is_busy:
            values = np.asarray(frames, dtype=np.float32)
            self._page.say("poses", self.info.stream, values.tobytes(), values.shape[1], list(times_s))

    def result(self, result: FrameResult) -> None:
        """The next result."""
        if not self._page.is_busy:
            embedding = np.asarray(result.embedding, dtype=np.float32).tobytes()
            about = result.frame, result.time_s, result.surprise, result.anomaly_score, result.label
            self._page.say("result", self.info.stream, about, embedding)

    def event(self, event: Event) -> None:
        """The next event."""
        self._page.say("event", self.info.stream, event.to_dict())

    def arrived(self, frames: int, captured_s: float | None = None) -> None:
        """Frames have come."""
        self._page.say("arrived", self.info.stream, frames, captured_s, monotonic())

    def decided(self, delay_s: float) -> None:
        """Frames are through."""
        self._page.say("decided", self.info.stream, delay_s)

    def end(self, why: str = "ended") -> None:
        """Nothing more comes."""
        self.ended = why
        self._page.say("end", self.info.stream, why)
