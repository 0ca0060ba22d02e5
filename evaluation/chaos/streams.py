"""Live streams, beside what runs them, while something is done to their servers; and the same without that."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Self

import kineseg
import numpy as np
from kineseg.motion import canonical_pose, generate
from numpy.typing import NDArray

from evaluation.chaos.beside import begin
from evaluation.chaos.outcome import Figures, least, none

Take = NDArray[np.float32]
RATE = 30.0
_CHUNK_S = 0.2
_PEOPLE = 20
# Whoever is silent for so long is not waited for.
QUICK = kineseg.Limits(stall_s=2.0, reconnect_s=120.0, silence_s=120.0)


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a stream gave.

    Attributes:
        events: Without what differs from run to run: the stream's id, and when they were emitted.
        stream_ids: Of which streams they say that they are.
        away: How often it was connected anew.
        sent_again: So many frames were sent again.
        error: What it ended with, unless well.
    """

    events: list[kineseg.Event]
    stream_ids: set[str]
    away: int
    sent_again: int
    error: str = ""


@cache
def take(seed: int, seconds: float) -> Take:
    """A person who does things, (T, C), as the default model takes it."""
    return np.ascontiguousarray(canonical_pose(generate(seed, seconds, RATE)).frames, np.float32)


def takes(count: int, seconds: float) -> list[Take]:
    """One for each of so many streams; people come again."""
    return [take(at % _PEOPLE, seconds) for at in range(count)]


def undisturbed(address: str, wanted: Sequence[Take]) -> list[Outputs]:
    """What the same takes give when nothing happens, as fast as they go."""
    of_each = {id(one): one for one in wanted}
    with LiveStreams(address, list(of_each.values()), speed=float("inf")) as streams:
        found = dict(zip(of_each, streams.finish(), strict=True))
    return [found[id(one)] for one in wanted]


def as_undisturbed(outputs: Sequence[Outputs], expected: Sequence[Outputs], how: str) -> Figures:
    """What is asked of streams to which something happens; `how` they should have gone on."""
    return (
        none("streams that failed, or whose events are others", differ(outputs, expected)),
        least(f"streams that {how}, share", sum(one.away > 0 for one in outputs) / len(outputs), 1.0),
    )


def differ(outputs: Sequence[Outputs], expected: Sequence[Outputs]) -> int:
    """How many streams failed, or gave other events than those of the undisturbed run: some lost, some twice."""
    return sum(
        bool(one.error) or len(one.stream_ids) != 1 or one.events != other.events
        for one, other in zip(outputs, expected, strict=True)
    )


class LiveStreams:
    """Sends takes as they would be captured, every other by a call of its own, the rest by one. Entered with `with`.

    Args:
        addresses: Of the servers, with commas between them.
        wanted: What is sent.
        speed: Times as fast as it would be captured.
        limits: Of the client.
    """

    def __init__(
        self, addresses: str, wanted: Sequence[Take], *, speed: float = 1.0, limits: kineseg.Limits = QUICK
    ) -> None:
        self._addresses = addresses
        self._takes = wanted
        self._speed = speed
        self._limits = limits
        self._processed = [0] * len(wanted)
        self._done: Future[list[Outputs]] = Future()

    def __enter__(self) -> Self:
        self._done = begin(self._main())
        return self

    def __exit__(self, *_: object) -> None:
        self._done.result()

    @property
    def share(self) -> float:
        """How much of the motion has been processed."""
        return sum(self._processed) / max(1, sum(len(one) for one in self._takes))

    def until(self, share: float) -> None:
        """Waits until so much has been processed, or all have ended."""
        while self.share < share and not self._done.done():
            time.sleep(0.02)

    def finish(self) -> list[Outputs]:
        """What became of each, once all have ended."""
        return self._done.result()

    async def _main(self) -> list[Outputs]:
        async with kineseg.AsyncClient(self._addresses, limits=self._limits, timeout=30.0, retries=8) as client:
            own, shared = range(0, len(self._takes), 2), range(1, len(self._takes), 2)
            several = asyncio.create_task(self._several(client, shared))
            alone = await asyncio.gather(*(self._alone(client, at) for at in own))
            outputs = dict(zip(own, alone, strict=True)) | await several
            return [outputs[at] for at in range(len(self._takes))]

    async def _alone(self, client: kineseg.AsyncClient, at: int) -> Outputs:
        take, size = self._takes[at], round(_CHUNK_S * RATE)
        items: list[object] = []
        error = ""
        reader: asyncio.Task[None] | None = None
        await asyncio.sleep(_CHUNK_S * at / len(self._takes))  # no two at once
        try:
            async with client.stream(rate=RATE, chunk_s=_CHUNK_S) as stream:
                reader = asyncio.create_task(self._read(stream, items.append))
                async for first in self._paced(len(take), size):
                    await stream.send(take[first : first + size])
                    self._processed[at] = stream.frames_processed
                await stream.end_input()
                await reader
                self._processed[at] = len(take)
        except kineseg.KinesegError as failure:
            error = f"{type(failure).__name__}: {failure}"
            if reader is not None:
                await asyncio.gather(reader, return_exceptions=True)  # it ends with the same
        return _outputs(items, error)

    async def _read(self, stream: kineseg.AsyncStream, take: Callable[[object], None]) -> None:
        async for item in stream:
            take(item)

    async def _several(self, client: kineseg.AsyncClient, which: Sequence[int]) -> dict[int, Outputs]:
        """Those takes by one call, all in step."""
        if not which:
            return {}
        size, longest = round(_CHUNK_S * RATE), max(len(self._takes[at]) for at in which)
        items: dict[int, list[object]] = {at: [] for at in which}
        errors: dict[int, str] = {}
        async with client.streams() as many:
            opened = await many.open_all([kineseg.StreamConfig(rate=RATE, chunk_s=_CHUNK_S)] * len(which))
            streams = dict(zip(which, opened, strict=True))
            numbers = {id(stream): at for at, stream in streams.items()}

            async def read() -> None:
                async for stream, item in many:
                    at = numbers[id(stream)]
                    if isinstance(item, kineseg.KinesegError):
                        errors[at] = f"{type(item).__name__}: {item}"
                    items[at].append(item)

            reader = asyncio.create_task(read())
            async for first in self._paced(longest, size):
                going = {stream: self._takes[at] for at, stream in streams.items() if stream.error is None}
                await many.send({stream: take[first : first + size] for stream, take in going.items()})
                for at, stream in streams.items():
                    self._processed[at] = stream.frames_processed
            await many.end_input()
            await reader
        for at in which:
            self._processed[at] = len(self._takes[at])
        return {at: _outputs(items[at], errors.get(at, "")) for at in which}

    async def _paced(self, frames: int, size: int) -> AsyncIterator[int]:
        """The first frames of chunks, each when it is due."""
        began = time.monotonic()
        for first in range(0, frames, size):
            await asyncio.sleep(max(0.0, began + first / RATE / self._speed - time.monotonic()))
            yield first


def _outputs(items: Sequence[object], error: str) -> Outputs:
    events = [item for item in items if isinstance(item, kineseg.Event)]
    breaks = [item for item in items if isinstance(item, kineseg.Reconnected)]
    return Outputs(
        [dataclasses.replace(event, stream_id="", emitted_unix_ns=None) for event in events],
        {event.stream_id for event in events},
        len(breaks),
        sum(item.sent_again for item in breaks),
        error,
    )
