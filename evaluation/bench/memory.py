"""Resident memory of the server for each open stream that has been fed for longer than it remembers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from evaluation.bench.processes import Running, kineseg_server
from evaluation.bench.streams import open_and_feed, requests

STREAMS = 64
FED_S = 70.0  # a segmenter remembers a minute
_CHUNK_S = 0.5


@dataclass(frozen=True)
class MemoryCost:
    """Resident memory before and with the streams open, each fed with some seconds of motion."""

    streams: int
    fed_s: float
    idle_bytes: int
    loaded_bytes: int

    @property
    def bytes_per_stream(self) -> float:
        return (self.loaded_bytes - self.idle_bytes) / self.streams


def measure() -> MemoryCost:
    """Opens the streams, feeds them, and looks at the process."""
    motions = [requests(FED_S, seed, _CHUNK_S) for seed in range(STREAMS + 1)]
    with kineseg_server() as server:
        return asyncio.run(_measure(server, motions))


async def _measure(server: Running, motions: list[list[bytes]]) -> MemoryCost:
    # One stream first, so that what is allocated once is not counted for each.
    channel, calls = await open_and_feed(server.address, motions[:1])
    idle = server.resident_bytes()
    more_channel, more = await open_and_feed(server.address, motions[1:])
    loaded = server.resident_bytes()
    for call in (*calls, *more):
        call.cancel()
    await channel.close()
    await more_channel.close()
    return MemoryCost(STREAMS, FED_S, idle, loaded)
