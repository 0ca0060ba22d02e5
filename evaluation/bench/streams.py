"""Live streams: how long a chunk takes to its acknowledgement, next to a bare echo of the same messages.

Every stream has a person and motion of its own, so that their segments end at different times, as those of people do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import grpc
import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import BARE_METHOD, Running, echo_server, kineseg_server

RATE = 120.0
CHUNK_S = 0.05
COUNTS = (1, 16, 64)


@dataclass(frozen=True)
class Load:
    """One server under so many live streams.

    Attributes:
        streams: How many.
        p50_ms, p99_ms: From sending a chunk to its acknowledgement.
        late_share: Of the chunks: not acknowledged when the next one is due, whoever was slow.
        frames_sent: By all streams.
        frames_in_time: Those of them that were acknowledged when the chunk after a stream's last one would be due.
        last_ack_after_s: How long after its last chunk was sent the slowest stream was done.
        server_cpu_share: Of one core, while chunks were due.
    """

    streams: int
    p50_ms: float
    p99_ms: float
    late_share: float
    frames_sent: int
    frames_in_time: int
    last_ack_after_s: float
    server_cpu_share: float


@dataclass(frozen=True)
class Comparison:
    """The same messages to kineseg and to the echo, one after the other."""

    kineseg: Load
    echo: Load


def measure(seconds: float) -> list[Comparison]:
    """Streams `seconds` of motion in real time, to each server, for each number of streams."""
    motions = [requests(seconds, seed) for seed in range(max(COUNTS))]
    found = []
    for count in COUNTS:
        with echo_server() as server:
            echo = asyncio.run(_load(server, motions[:count], _open_echo))
        with kineseg_server() as server:
            ours = asyncio.run(_load(server, motions[:count], _open_segment))
        found.append(Comparison(ours, echo))
    return found


@cache
def requests(seconds: float, seed: int, chunk_s: float = CHUNK_S) -> list[bytes]:
    """The requests of a stream after its configuration, as bytes; every seed is another person doing other things."""
    frames = canonical_pose(generate(seed, seconds, RATE)).frames.astype("<f4")
    size = round(RATE * chunk_s)
    return [
        pb.SegmentRequest(
            chunk=pb.FrameChunk(first_frame=i, data=np.ascontiguousarray(frames[i : i + size]).tobytes())
        ).SerializeToString()
        for i in range(0, len(frames) // size * size, size)
    ]


async def _open_echo(channel: grpc.aio.Channel) -> Any:
    return channel.stream_stream(BARE_METHOD)()


async def _open_segment(channel: grpc.aio.Channel) -> Any:
    call: Any = channel.stream_stream("/kineseg.v1.SegmentationService/Segment")()
    config = pb.StreamConfig(frame_rate_hz=RATE)
    await call.write(pb.SegmentRequest(config=config).SerializeToString())
    await call.read()
    return call


@dataclass(frozen=True)
class _Times:
    """Of one stream's chunks, each (chunks,): when it was due, sent and acknowledged."""

    due: np.ndarray
    sent: np.ndarray
    acknowledged: np.ndarray


async def _load(server: Running, motions: list[list[bytes]], open_call: Callable[[Any], Any]) -> Load:
    count, chunks = len(motions), min(map(len, motions))
    async with grpc.aio.insecure_channel(server.address) as channel:
        calls = [await open_call(channel) for _ in range(count)]
        start = time.perf_counter() + 0.2
        streams = asyncio.gather(
            *(
                _stream(call, motion[:chunks], start + CHUNK_S * i / count)
                for i, (call, motion) in enumerate(zip(calls, motions, strict=True))
            )
        )
        cpu_share = await _cpu_share(server, start, chunks * CHUNK_S)
        found = await streams
    waits = np.concatenate([times.acknowledged - times.sent for times in found])
    late = np.concatenate([times.acknowledged > times.due + CHUNK_S for times in found])
    in_time = sum(int((times.acknowledged <= times.due[-1] + CHUNK_S).sum()) for times in found)
    size = round(RATE * CHUNK_S)
    return Load(
        streams=count,
        p50_ms=float(np.percentile(waits, 50) * 1e3),
        p99_ms=float(np.percentile(waits, 99) * 1e3),
        late_share=float(late.mean()),
        frames_sent=count * chunks * size,
        frames_in_time=in_time * size,
        last_ack_after_s=max(float(times.acknowledged[-1] - times.sent[-1]) for times in found),
        server_cpu_share=cpu_share,
    )


async def _cpu_share(server: Running, start: float, seconds: float) -> float:
    """Of one core, from `start` on for so many seconds."""
    await asyncio.sleep(max(0.0, start - time.perf_counter()))
    cpu, began = server.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (server.cpu_seconds() - cpu) / (time.perf_counter() - began)


async def _stream(call: Any, chunks: list[bytes], start: float) -> _Times:
    """Sends a chunk whenever it is due."""
    due = start + CHUNK_S * np.arange(len(chunks))
    sent: list[float] = []
    acknowledged: list[float] = []

    async def read() -> None:
        while len(acknowledged) < len(chunks):
            answer = await call.read()
            if answer is grpc.aio.EOF:
                raise RuntimeError("the server ended the stream")
            # An acknowledgement or, from the echo, the request itself; events come in between.
            if answer[:1] in (b"\x12", chunks[0][:1]):
                acknowledged.append(time.perf_counter())

    reader = asyncio.create_task(read())
    for at, chunk in zip(due.tolist(), chunks, strict=True):
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        sent.append(time.perf_counter())
        await call.write(chunk)
    await reader
    await call.done_writing()
    while await call.read() is not grpc.aio.EOF:
        pass
    return _Times(due, np.array(sent), np.array(acknowledged))


async def open_and_feed(address: str, motions: list[list[bytes]]) -> tuple[Any, list[Any]]:
    """Opens a stream for each motion and sends it, each chunk when the one before has been processed, so that nothing
    waits in the server; returns the channel and the calls."""
    channel = grpc.aio.insecure_channel(address)
    stub = SegmentationServiceStub(channel)
    calls = []
    for _ in motions:
        call = stub.Segment()
        await call.write(pb.SegmentRequest(config=pb.StreamConfig(frame_rate_hz=RATE)))
        await call.read()
        calls.append(call)

    async def feed(call: Any, chunks: list[bytes]) -> None:
        for chunk in chunks:
            await call.write(pb.SegmentRequest.FromString(chunk))
            while not (await call.read()).HasField("ack"):
                pass

    await asyncio.gather(*(feed(call, chunks) for call, chunks in zip(calls, motions, strict=True)))
    return channel, calls


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    title = f"live streams, {RATE:g} frames/s, chunks of {CHUNK_S * 1e3:g} ms"
    table = Table("streams", "", "p50 ms", "p99 ms", "late", "in time", "last after", "server CPU", title=title)
    rows = []
    for pair in measure(seconds):
        rows.append(asdict(pair))
        for name, load in (("kineseg", pair.kineseg), ("echo", pair.echo)):
            table.add_row(
                str(load.streams) if name == "kineseg" else "",
                name,
                f"{load.p50_ms:.2f}",
                f"{load.p99_ms:.2f}",
                f"{load.late_share:.2%}",
                f"{load.frames_in_time:,} of {load.frames_sent:,}",
                f"{load.last_ack_after_s * 1e3:.0f} ms",
                f"{load.server_cpu_share:.0%} of a core",
            )
    return rows, table
