"""A take played by a twin, and what the source at the other end gives."""

from __future__ import annotations

import asyncio

from kineseg.sources import Frames, open_source
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Faults, Player, open_twin

from evaluation.capture.feeds import Feed

_LISTENS_S = 1.0  # until a source has subscribed
_ARRIVES_S = 2.0  # until the last frame is there


async def heard(feed: Feed, take: Recorded, faults: Faults, *, speed: float = 1.0) -> list[Frames]:
    """What a source gives of a take that is played once.

    Raises:
        SourceError: The feed cannot be opened.
    """
    pieces: list[Frames] = []

    async def listen() -> None:
        async for piece in source:
            pieces.append(piece)  # noqa: PERF401 - each as it comes: this never ends by itself

    async with open_source(feed.url) as source:
        listening = asyncio.create_task(listen())
        await asyncio.sleep(_LISTENS_S)
        async with open_twin(feed.to, take.info) as twin:
            await Player(take, twin, speed=speed, faults=faults).play()
            await asyncio.sleep(_ARRIVES_S)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return pieces
