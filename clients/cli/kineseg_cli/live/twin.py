"""A recording on the way that live frames take: a twin sends it, a source listens, an engine segments."""

from __future__ import annotations

import asyncio

from kineseg.sources import LiveSource
from kineseg.sources.address import Expectations
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.lines import TcpListener
from kineseg.sources.ndjson import NdjsonDecoder
from kineseg.sources.recorded import Recorded
from kineseg.sources.twins import Player, open_twin

from kineseg_cli.interrupt import Stop
from kineseg_cli.live.engines import Engine
from kineseg_cli.live.listener import Listener
from kineseg_cli.live.run import LiveRun

LOOPBACK = "127.0.0.1"


async def stream_as_live(recorded: Recorded, engine: Engine, listener: Listener, *, speed: float, stop: Stop) -> None:
    """Play a recording over loopback, as lines of JSON, to a source whose frames an engine segments.

    By TCP, which waits for a busy machine: none of its frames is lost.

    Args:
        recorded: What is played.
        engine: Entered already.
        listener: Hears what happens.
        speed: How many times faster than it was captured.
        stop: Once it is set, no more is played, and the stream ends properly.

    Raises:
        KinesegError: The stream was refused or has failed.
        CommandError: The model cannot take such frames.
    """
    endpoint = TcpListener(LOOPBACK, 0, once=True)
    expected = Expectations(rate=recorded.info.rate)  # whatever its times say, it is one stream
    source = LiveSource(endpoint, NdjsonDecoder(), expected=expected, remedies=Remedies("lines of JSON", ""))

    async def play() -> None:
        async with open_twin(f"ndjson+tcp-listen://{LOOPBACK}:{endpoint.port}", recorded.info) as twin:
            await Player(recorded, twin, speed=speed, stopped=stop.is_set).play()

    async with source:
        playing = asyncio.create_task(play())
        try:
            await LiveRun(source, engine, listener, stop=stop).run()
        finally:
            playing.cancel()
            [failure] = await asyncio.gather(playing, return_exceptions=True)
    if isinstance(failure, Exception):
        raise failure
