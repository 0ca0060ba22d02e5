"""A twin at one end and a source at the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from kineseg.sources import Frames, Health, open_source
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Faults, Player, open_twin
from numpy.typing import NDArray

PATIENCE_S = 300.0


@dataclass(frozen=True, eq=False)
class Heard:
    """What a source gave."""

    pieces: list[Frames]
    health: Health

    @property
    def values(self) -> NDArray[np.float32]:
        return np.concatenate([piece.values for piece in self.pieces])

    @property
    def times_ns(self) -> NDArray[np.int64]:
        return np.concatenate([piece.capture_times_ns for piece in self.pieces])

    @property
    def numbers(self) -> NDArray[np.int64]:
        return np.concatenate([piece.first_frame + np.arange(piece.n_frames) for piece in self.pieces])


async def hear(
    url: str,
    recorded: Recorded,
    *,
    frames: int,
    to: str = "",
    speed: float = 1.0,
    faults: Faults | None = None,
) -> Heard:
    """Plays a recording to a source until that has given so many frames, or everything has been sent."""
    pieces: list[Frames] = []

    async def read() -> None:
        async for piece in source:
            pieces.append(piece)
            if sum(one.n_frames for one in pieces) >= frames:
                return

    async with asyncio.timeout(PATIENCE_S), open_source(url) as source:
        reading = asyncio.create_task(read())
        async with open_twin(to or url, recorded.info) as twin:
            playing = asyncio.create_task(Player(recorded, twin, speed=speed, faults=faults).play())
            await asyncio.wait({reading, playing}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await asyncio.wait({reading}, timeout=2.0)
            playing.cancel()
            reading.cancel()
            for outcome in await asyncio.gather(playing, reading, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
        return Heard(pieces, source.health())
