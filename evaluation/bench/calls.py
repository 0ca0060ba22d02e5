"""Live streams with a call each, from one client: what a chunk costs the server, beside one that only answers.

Both hold answers back for as long as they may. What is asked is a cost for each chunk, of 400 streams with chunks of 50
ms and of 1,000 with chunks of 200 ms; the loads here are such as one core carries beside the client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import grpc
from kineseg.v1 import segmentation_pb2 as pb
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import BARE_METHOD, Running, kineseg_server, reading_server
from evaluation.bench.streams import RATE, requests

LOADS = ((0.05, 32), (0.05, 64), (0.05, 128), (0.2, 128), (0.2, 256), (0.2, 512))
"""Seconds of a chunk, and how many streams."""
ACK_S = 0.25
_SEND_S = 0.01  # what is due is sent this often
_PEOPLE = 16
_TIMELY_S = 0.5  # so long after the last chunk a server that keeps up has answered it


@dataclass(frozen=True)
class Cost:
    """A server under a load.

    Attributes:
        cpu_share: Of one core, while chunks were sent.
        us_per_chunk: The same for each of them.
        in_time: Whether it kept up.
    """

    cpu_share: float
    us_per_chunk: float
    in_time: bool


@dataclass(frozen=True)
class Calls:
    """Both servers under the same load.

    Attributes:
        chunk_s: Seconds of a chunk.
        streams: How many, each with a call of its own.
        kineseg, bare: What it costs them.
        over_bare: What a chunk costs kineseg over what it costs the other one; none if one was behind,
            or the other took too little to be counted.
    """

    chunk_s: float
    streams: int
    kineseg: Cost
    bare: Cost
    over_bare: float | None


def measure(seconds: float, loads: Sequence[tuple[float, int]] = LOADS) -> list[Calls]:
    """Streams `seconds` of motion in real time to each server, for each load."""
    found = []
    for chunk_s, streams in loads:
        people = [requests(seconds, seed, chunk_s) for seed in range(min(_PEOPLE, streams))]
        motions = [people[number % len(people)] for number in range(streams)]
        bare = _cost(reading_server(ACK_S), motions, chunk_s, _open_bare)
        ours = _cost(kineseg_server(), motions, chunk_s, _open_segment)
        both = ours.in_time and bare.in_time and bare.us_per_chunk > 0.0  # of which so little may not be counted
        over = ours.us_per_chunk / bare.us_per_chunk if both else None
        found.append(Calls(chunk_s, streams, ours, bare, over))
    return found


def _cost(
    serving: AbstractContextManager[Running],
    motions: Sequence[list[bytes]],
    chunk_s: float,
    open_call: Callable[[grpc.aio.Channel], Any],
) -> Cost:
    with serving as server:
        return asyncio.run(_load(server, motions, chunk_s, open_call))


async def _open_bare(channel: grpc.aio.Channel) -> Any:
    return channel.stream_stream(BARE_METHOD)()


async def _open_segment(channel: grpc.aio.Channel) -> Any:
    call: Any = channel.stream_stream("/kineseg.v1.SegmentationService/Segment")()
    config = pb.StreamConfig(frame_rate_hz=RATE, ack_interval_s=ACK_S)
    await call.write(pb.SegmentRequest(config=config).SerializeToString())
    await call.read()
    return call


async def _load(
    server: Running, motions: Sequence[list[bytes]], chunk_s: float, open_call: Callable[[grpc.aio.Channel], Any]
) -> Cost:
    """Sends a chunk of every stream every `chunk_s`, those of different streams at different times."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        calls = [await open_call(channel) for _ in motions]
        readers = [asyncio.create_task(_read_all(call)) for call in calls]
        chunks = min(map(len, motions))
        cpu_s, began = server.cpu_seconds(), time.perf_counter()
        for number in range(chunks * len(calls)):
            chunk, stream = divmod(number, len(calls))
            due = began + chunk_s * number / len(calls)
            if due - time.perf_counter() > 0:
                await asyncio.sleep(max(_SEND_S, due - time.perf_counter()))
            await calls[stream].write(motions[stream][chunk])
        took_s, cpu_s = time.perf_counter() - began, server.cpu_seconds() - cpu_s
        for call in calls:
            await call.done_writing()
        ended = time.perf_counter()
        await asyncio.gather(*readers)
        in_time = max(took_s - chunks * chunk_s, time.perf_counter() - ended) < _TIMELY_S
    return Cost(cpu_s / took_s, cpu_s / (chunks * len(calls)) * 1e6, in_time)


async def _read_all(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    title = f"live streams with a call each, {RATE:g} frames/s; bare: a server that only reads and answers"
    table = Table("chunk", "streams", "CPU a chunk", "bare", "ratio", "of a core", "bare", title=title)
    found = measure(seconds)
    for one in found:
        table.add_row(
            f"{one.chunk_s * 1e3:g} ms",
            str(one.streams),
            *(f"{cost.us_per_chunk:.0f} µs" for cost in (one.kineseg, one.bare)),
            "behind" if one.over_bare is None else f"{one.over_bare:.2f}",
            *(f"{cost.cpu_share:.0%}" for cost in (one.kineseg, one.bare)),
        )
    return [asdict(one) for one in found], table
