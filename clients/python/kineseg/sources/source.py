"""A live source: an endpoint that receives, a decoder that reads, and the frames of each performer in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from kineseg.sources.address import Expectations
from kineseg.sources.arrivals import Arrivals, Remedies
from kineseg.sources.errors import SourceError, Unreadable
from kineseg.sources.frames import Frames, Layout, Sample, SourceInfo
from kineseg.sources.track import Track
from kineseg.sources.waiting_frames import WaitingFrames

Item = TypeVar("Item")
ItemIn = TypeVar("ItemIn", contravariant=True)
ItemOut = TypeVar("ItemOut", covariant=True)

MOST_PERFORMERS = 64


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a source is alive, as far as can be seen from here.

    Attributes:
        messages: What has arrived, read or not.
        unreadable: How many of them were no frames.
        frames: How many frames were read.
        late: Frames left out because a later one was there already, or they came twice.
        dropped: Frames that waited too long to be read and made room for newer ones.
        jumps: How often the sender's count or clock began anew.
        silent_s: Seconds since the last frame.
        arriving: Frames that arrive in a second, of the performer with most of them.
        jitter_s: Standard deviation of their delay, seconds.
        loss: Share of frames that never came, 0 to 1.
    """

    messages: int
    unreadable: int
    frames: int
    late: int
    dropped: int
    jumps: int
    silent_s: float
    arriving: float
    jitter_s: float
    loss: float


class Source(Protocol):
    """Frames as they come: an asynchronous context manager and iterator.

    The iterator ends where the source does: at the end of a file, or when a command has ended; what listens on a port
    never does.
    """

    @property
    def where(self) -> str:
        """What it listens to, for people."""

    @property
    def infos(self) -> Mapping[str, SourceInfo]:
        """What is known of each performer now."""

    def layouts(self) -> Mapping[str, Layout]:
        """What each performer's numbers are, as soon as a frame has come."""

    def health(self) -> Health:
        """Whether it is alive."""

    def silence(self) -> str:
        """What arrived instead of frames, and which setting of the sender to look at."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[Frames]: ...


class Decoder(Protocol[ItemIn]):
    """Turns what arrives into frames. Pure: it knows no socket and no clock."""

    def decode(self, item: ItemIn) -> Iterable[Sample]:
        """The frames in one item.

        Raises:
            Unreadable: It is none; says what it is instead.
        """

    def reset(self) -> None:
        """The connection began anew."""


class Inlet(Protocol[ItemIn]):
    """Where an endpoint puts what it receives."""

    def take(self, item: ItemIn, size: int, sender: str = "") -> None:
        """Something arrived; never waits."""

    async def room(self) -> None:
        """Wait until there is room, for senders that can wait: nothing of theirs is dropped."""

    def connected(self) -> None:
        """A connection begins (anew)."""

    def trouble(self, what: str) -> None:
        """Why nothing can arrive now, such as a connection that is refused; empty: it can."""


class Endpoint(Protocol[ItemOut]):
    """Receives."""

    @property
    def where(self) -> str:
        """What it listens to, for people."""

    async def open(self) -> None:
        """Bind, or find what is read.

        Raises:
            SourceError: It cannot; says what helps.
        """

    async def run(self, inlet: Inlet[ItemOut]) -> None:
        """Receive until the source ends, or for ever.

        Raises:
            SourceError: It has ended, and not well.
        """

    async def close(self) -> None:
        """Let go of what `open` took."""


class LiveSource(Generic[Item]):
    """A `Source` of an endpoint and a decoder.

    Args:
        endpoint: Receives.
        decoder: Reads what was received.
        expected: What the user says about the feed.
        remedies: What to say where nothing arrives.
        mapping: Canonical joint -> name of the joint, for names that are not recognised.
        performer: Only this one's frames; empty: everybody's.
    """

    def __init__(
        self,
        endpoint: Endpoint[Item],
        decoder: Decoder[Item],
        *,
        expected: Expectations,
        remedies: Remedies,
        mapping: Mapping[str, str] | None = None,
        performer: str = "",
    ) -> None:
        self._endpoint = endpoint
        self._decoder = decoder
        self._expected = expected
        self._remedies = remedies
        self._mapping = mapping or {}
        self._performer = performer
        self._tracks: dict[str, Track] = {}
        self._arrivals = Arrivals()
        self._waiting = WaitingFrames(expected.queue)
        self._task: asyncio.Task[None] | None = None

    # -- a source

    @property
    def where(self) -> str:
        """What it listens to, for people."""
        return self._endpoint.where

    @property
    def infos(self) -> Mapping[str, SourceInfo]:
        """What is known of each performer now."""
        return {name: track.info for name, track in self._tracks.items() if track.info is not None}

    def layouts(self) -> Mapping[str, Layout]:
        """What each performer's numbers are, as soon as a frame has come."""
        return {name: track.layout for name, track in self._tracks.items() if track.layout is not None}

    def health(self) -> Health:
        """Whether it is alive."""
        tracks, arrivals = self._tracks.values(), self._arrivals
        fastest = max((track.pace for track in tracks), key=lambda pace: pace.arriving, default=None)
        return Health(
            messages=arrivals.items,
            unreadable=arrivals.unreadable,
            frames=arrivals.samples,
            late=sum(track.late for track in tracks),
            dropped=self._waiting.dropped,
            jumps=sum(track.jumps for track in tracks),
            silent_s=arrivals.silent_s(),
            arriving=0.0 if fastest is None else fastest.arriving,
            jitter_s=0.0 if fastest is None else fastest.jitter_s,
            loss=0.0 if fastest is None else fastest.loss,
        )

    def silence(self) -> str:
        """What arrived instead of frames, and which setting of the sender to look at."""
        return self._arrivals.report(self.where, self._remedies)

    async def __aenter__(self) -> Self:
        await self._endpoint.open()
        self._arrivals = Arrivals()
        self._task = asyncio.create_task(self._run(), name=f"kineseg source {self.where}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._endpoint.close()

    async def __aiter__(self) -> AsyncIterator[Frames]:
        """The frames as they come.

        Raises:
            SourceError: The source has ended, and not well.
        """
        if self._task is None:
            raise SourceError("enter the source with `async with` before reading it")
        while (frames := await self._waiting.get()) is not None:
            yield frames
        await self._task

    async def _run(self) -> None:
        try:
            await self._endpoint.run(self)
        finally:
            for track in self._tracks.values():
                self._give(track.finish())
            self._waiting.close()

    # -- an inlet

    def take(self, item: Item, size: int, sender: str = "") -> None:
        """Something arrived."""
        now = time.monotonic_ns()
        self._arrivals.came(size, sender)
        count = 0
        try:
            for sample in self._decoder.decode(item):
                count += 1
                self._take(sample, now)
        except Unreadable as error:
            self._arrivals.was_unreadable(str(error))
        except Exception as error:  # no message, however malformed, ends a source
            self._arrivals.was_unreadable(f"malformed ({type(error).__name__}: {error})")
        if count:
            self._arrivals.was_read(count, now)

    async def room(self) -> None:
        """Wait until there is room."""
        await self._waiting.room()
        await asyncio.sleep(0)

    def connected(self) -> None:
        """A connection begins (anew)."""
        self._arrivals.trouble = ""
        self._decoder.reset()

    def trouble(self, what: str) -> None:
        """Why nothing can arrive now."""
        self._arrivals.trouble = what

    def _take(self, sample: Sample, now: int) -> None:
        if self._performer and sample.performer != self._performer:
            self._arrivals.was_unreadable(f"performer {sample.performer!r}, who was not asked for")
            return
        track = self._tracks.get(sample.performer)
        if track is None:
            if len(self._tracks) >= MOST_PERFORMERS:
                self._arrivals.was_unreadable(f"one performer too many: {MOST_PERFORMERS} at most")
                return
            track = self._tracks[sample.performer] = Track(sample.performer, self._expected, self._mapping)
        self._give(track.add(sample, now))

    def _give(self, pieces: list[Frames]) -> None:
        for frames in pieces:
            self._waiting.put(frames)
