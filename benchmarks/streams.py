"""Live streams: how long a chunk takes to its acknowledgement, next to a bare echo of the same messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub

from benchmarks.processes import ECHO_METHOD, Running, echo_server, kineseg_server

RATE = 120.0
CHUNK_S = 0.05
COUNTS = (1, 16, 64)


@dataclass(frozen=True)
class Load:
    """One server under so many live streams."""

    streams: int
    p50_ms: float
    p99_ms: float
    late_share: float  # of the chunks, acknowledged later than the next one is due
    frames_sent: int
    frames_acknowledged: int
    last_ack_after_s: float  # how long after the last chunk was sent
    server_cpu_share: float  # of one core


@dataclass(frozen=True)
class Comparison:
    """The same messages to kineseg and to the echo, one after the other."""

    kineseg: Load
    echo: Load


def measure(seconds: float) -> list[Comparison]:
    """Streams `seconds` of motion in real time, to each server, for each number of streams."""
    chunks = requests(seconds)
    found = []
    for count in COUNTS:
        with echo_server() as server:
            echo = asyncio.run(_load(server, count, chunks, _open_echo))
        with kineseg_server() as server:
            ours = asyncio.run(_load(server, count, chunks, _open_segment))
        found.append(Comparison(ours, echo))
    return found


def requests(seconds: float) -> list[bytes]:
    """The requests of a stream after its configuration, as bytes."""
    frames = canonical_pose(generate(seed=1, duration_s=seconds, rate=RATE)).frames.astype("<f4")
    size = round(RATE * CHUNK_S)
    return [
        pb.SegmentRequest(
            chunk=pb.FrameChunk(first_frame=i, data=np.ascontiguousarray(frames[i : i + size]).tobytes())
        ).SerializeToString()
        for i in range(0, len(frames) // size * size, size)
    ]


async def _open_echo(channel: grpc.aio.Channel) -> Any:
    return channel.stream_stream(ECHO_METHOD)()


async def _open_segment(channel: grpc.aio.Channel) -> Any:
    call = channel.stream_stream("/kineseg.v1.SegmentationService/Segment")()
    config = pb.StreamConfig(frame_rate_hz=RATE)
    await call.write(pb.SegmentRequest(config=config).SerializeToString())
    await call.read()
    return call


async def _load(server: Running, count: int, chunks: list[bytes], open_call: Callable[[Any], Any]) -> Load:
    async with grpc.aio.insecure_channel(server.address) as channel:
        calls = [await open_call(channel) for _ in range(count)]
        cpu, began = server.cpu_seconds(), time.perf_counter()
        start = began + 0.2
        results = await asyncio.gather(
            *(_stream(call, chunks, start + CHUNK_S * i / count) for i, call in enumerate(calls))
        )
        spent = time.perf_counter() - began
        cpu = server.cpu_seconds() - cpu
    waits = np.array([w for waits, _ in results for w in waits])
    return Load(
        streams=count,
        p50_ms=float(np.percentile(waits, 50) * 1e3),
        p99_ms=float(np.percentile(waits, 99) * 1e3),
        late_share=float((waits > CHUNK_S).mean()),
        frames_sent=count * len(chunks) * round(RATE * CHUNK_S),
        frames_acknowledged=sum(len(waits) for waits, _ in results) * round(RATE * CHUNK_S),
        last_ack_after_s=max(after for _, after in results),
        server_cpu_share=cpu / spent,
    )


async def _stream(call: Any, chunks: list[bytes], start: float) -> tuple[list[float], float]:
    """Sends a chunk whenever it is due and returns each one's time to its answer, and the last one's."""
    sent: list[float] = []
    waits: list[float] = []

    async def read() -> None:
        while len(waits) < len(chunks):
            answer = await call.read()
            if answer is grpc.aio.EOF:
                raise RuntimeError("the server ended the stream")
            # An acknowledgement or, from the echo, the request itself; events come in between.
            if answer[:1] in (b"\x12", chunks[0][:1]):
                waits.append(time.perf_counter() - sent[len(waits)])

    reader = asyncio.create_task(read())
    for i, chunk in enumerate(chunks):
        await asyncio.sleep(max(0.0, start + i * CHUNK_S - time.perf_counter()))
        sent.append(time.perf_counter())
        await call.write(chunk)
    last = time.perf_counter()
    await reader
    after = time.perf_counter() - last
    await call.done_writing()
    while await call.read() is not grpc.aio.EOF:
        pass
    return waits, after


async def open_and_feed(address: str, count: int, chunks: list[bytes]) -> tuple[Any, list[Any]]:
    """Opens streams, sends each all chunks and waits until they are processed; returns the channel and the calls."""
    channel = grpc.aio.insecure_channel(address)
    stub = SegmentationServiceStub(channel)
    calls = []
    for _ in range(count):
        call = stub.Segment()
        await call.write(pb.SegmentRequest(config=pb.StreamConfig(frame_rate_hz=RATE)))
        await call.read()
        calls.append(call)

    async def feed(call: Any) -> None:
        async def read() -> None:
            acks = 0
            while acks < len(chunks):
                acks += (await call.read()).HasField("ack")

        reader = asyncio.create_task(read())
        for chunk in chunks:
            await call.write(pb.SegmentRequest.FromString(chunk))
        await reader

    await asyncio.gather(*(feed(call) for call in calls))
    return channel, calls
