"""Resident memory of the server for each open stream that has been fed for longer than it remembers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import kineseg
import numpy as np
from kineseg.motion import canonical_pose, generate
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import Running, kineseg_server
from evaluation.bench.streams import RATE, open_and_feed, requests

STREAMS = 64
FED_S = 70.0  # a segmenter remembers a minute
_CHUNK_S = 0.5
_SETTLED_S = 6.0
"""What the last burst has left free is given back by then."""
_FIRST = 64
"""Streams that share a call before the first look: what is allocated once, room for batches among it, is not counted
for each."""


@dataclass(frozen=True)
class MemoryCost:
    """Resident memory before and with the streams open, each fed with some seconds of motion.

    Attributes:
        calls: Whether each stream has a call of its `own`, or all share one (`shared`).
        streams: How many came in between.
        fed_s: Seconds of motion of each.
        idle_bytes, loaded_bytes: Before, and with them.
    """

    calls: str
    streams: int
    fed_s: float
    idle_bytes: int
    loaded_bytes: int

    @property
    def bytes_per_stream(self) -> float:
        return (self.loaded_bytes - self.idle_bytes) / self.streams


def measure() -> list[MemoryCost]:
    """Opens the streams, feeds them, and looks at the process: a call for each, and one for all."""
    motions = [requests(FED_S, seed, _CHUNK_S) for seed in range(STREAMS + 1)]
    with kineseg_server() as server:
        own = asyncio.run(_own_calls(server, motions))
    with kineseg_server() as server:
        return [own, _shared_call(server)]


async def _own_calls(server: Running, motions: list[list[bytes]]) -> MemoryCost:
    channel, calls = await open_and_feed(server.address, motions[:1])
    await asyncio.sleep(_SETTLED_S)
    idle = server.resident_bytes()
    more_channel, more = await open_and_feed(server.address, motions[1:])
    await asyncio.sleep(_SETTLED_S)
    loaded = server.resident_bytes()
    for call in (*calls, *more):
        call.cancel()
    await channel.close()
    await more_channel.close()
    return MemoryCost("own", STREAMS, FED_S, idle, loaded)


def _shared_call(server: Running) -> MemoryCost:
    people = [canonical_pose(generate(seed, FED_S, RATE)).frames.astype("<f4") for seed in range(8)]
    with kineseg.Client(server.address) as client, _fed(client) as feed:
        feed(_FIRST, people)
        time.sleep(_SETTLED_S)
        idle = server.resident_bytes()
        feed(STREAMS, people)
        time.sleep(_SETTLED_S)
        return MemoryCost("shared", STREAMS, FED_S, idle, server.resident_bytes())


@contextmanager
def _fed(client: kineseg.Client) -> Iterator[Callable[[int, list[np.ndarray]], None]]:
    """Opens more streams on one call, and sends each of them a motion, as fast as they are taken."""
    size = round(_CHUNK_S * RATE)
    with client.streams() as many:

        def feed(count: int, people: list[np.ndarray]) -> None:
            streams = many.open_all([kineseg.StreamConfig(rate=RATE, chunk_s=_CHUNK_S)] * count)
            for first in range(0, round(FED_S * RATE) // size * size, size):
                many.send({one: people[i % len(people)][first : first + size] for i, one in enumerate(streams)})
                for _ in many.poll():
                    pass
            many.flush()

        yield feed


def report(_: float) -> Report:
    """Measures, as rows and as a table."""
    table = Table("calls", "streams", "before MiB", "with MiB", "KiB a stream", title="resident memory of the server")
    costs = measure()
    for cost in costs:
        table.add_row(
            cost.calls,
            str(cost.streams),
            f"{cost.idle_bytes / 2**20:.0f}",
            f"{cost.loaded_bytes / 2**20:.0f}",
            f"{cost.bytes_per_stream / 2**10:.0f}",
        )
    return [asdict(cost) | {"bytes_per_stream": cost.bytes_per_stream} for cost in costs], table
