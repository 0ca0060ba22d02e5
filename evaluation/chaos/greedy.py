"""Clients that are no good neighbours: they do not read, do not send, send noise, say nothing, or ask for too much."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import grpc
import numpy as np
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub
from numpy.typing import NDArray

from evaluation.chaos.beside import Work
from evaluation.chaos.streams import take

_RATE = 30.0
_SECONDS = 60.0  # of motion
_CHUNK_S = 0.1
# Little room in the transport, so that it is the server that has to hold back.
_SMALL = (("grpc.use_local_subchannel_pool", 1), ("grpc.http2.lookahead_bytes", 16_384), ("grpc.http2.bdp_probe", 0))
_KNOCKS_PER_S = 50


def slow_readers(address: str, token: str, count: int) -> Work:
    """Streams that send as their motion goes on, ask for all there is, and read nothing of it."""
    return _senders(address, token, count, chunk=3, reads=False)


def fast_senders(address: str, token: str, count: int) -> Work:
    """Streams that send ten times as fast as they say, and read what comes."""
    return _senders(address, token, count, chunk=30, reads=True)


def well_behaved(address: str, token: str, count: int) -> Work:
    """Streams that send as their motion goes on, and read what comes: what others notice of these is the load."""
    return _senders(address, token, count, chunk=3, reads=True)


def in_step(address: str, token: str, count: int) -> Work:
    """The same, all in the same moment."""
    return _senders(address, token, count, chunk=3, reads=True, apart=False)


def faulty_sources(address: str, token: str, count: int) -> Work:
    """Streams of noise: something is wrong with them all the time, and each of their frames is looked into."""
    noise = np.random.default_rng(0).normal(size=(300, 59)).astype("<f4")
    return _senders(address, token, count, chunk=3, reads=True, frames=noise)


def _senders(
    address: str,
    token: str,
    count: int,
    *,
    chunk: int,
    reads: bool,
    frames: NDArray[np.float32] | None = None,
    apart: bool = True,
) -> Work:
    """Streams that send so many frames every tenth of a second: of a motion, or of these, again and again."""
    sent = take(0, _SECONDS) if frames is None else frames

    async def work(stop: asyncio.Event) -> None:
        async with _channel(address) as channel:
            calls = [await _opened(channel, token, frame_results=not reads) for _ in range(count)]

            async def send(call: Any, after_s: float) -> None:
                await asyncio.sleep(after_s)
                for first in range(0, 1 << 30, chunk):
                    at = first % (len(sent) - chunk)
                    data = sent[at : at + chunk].tobytes()
                    await call.write(pb.SegmentRequest(chunk=pb.FrameChunk(first_frame=first, data=data)))
                    await asyncio.sleep(_CHUNK_S)

            async def read(call: Any) -> None:
                while await call.read() is not grpc.aio.EOF:
                    pass

            readers = [read(call) for call in calls] if reads else []
            senders = [send(call, _CHUNK_S * apart * at / count) for at, call in enumerate(calls)]
            await _until(stop, [*readers, *senders])
            for call in calls:
                call.cancel()

    return work


def silent_senders(address: str, token: str, count: int) -> Work:
    """Streams that are open, and send nothing."""

    async def work(stop: asyncio.Event) -> None:
        async with _channel(address) as channel:
            calls = [await _opened(channel, token) for _ in range(count)]
            await stop.wait()
            for call in calls:
                call.cancel()

    return work


def silent_connections(address: str, _: str, count: int) -> Work:
    """Connections on which nothing is ever said; that the server hangs up is its right."""

    async def work(stop: asyncio.Event) -> None:
        host, port = address.rsplit(":", 1)
        writers = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                writers.append((await asyncio.open_connection(host, int(port)))[1])
        await stop.wait()
        for writer in writers:
            writer.close()

    return work


def at_its_limit(address: str, token: str, count: int) -> Work:
    """A tenant that opens streams again and again, refused or not, and sends more than it may in those that it has."""

    async def work(stop: asyncio.Event) -> None:
        data = np.zeros((30, 59), "<f4").tobytes()
        async with _channel(address) as channel:

            async def knock() -> None:
                while not stop.is_set():  # gRPC may say that a call is over where its task was cancelled
                    with contextlib.suppress(grpc.RpcError):
                        call = await _opened(channel, token)
                        for first in range(0, 3000, 30):
                            await call.write(pb.SegmentRequest(chunk=pb.FrameChunk(first_frame=first, data=data)))
                            await call.read()
                        call.cancel()
                    await asyncio.sleep(count / _KNOCKS_PER_S)

            await _until(stop, [knock() for _ in range(count)])

    return work


async def _until(stop: asyncio.Event, doing: list[Any]) -> None:
    """Does all that until it is to stop; what its server ends is over."""
    tasks = [asyncio.create_task(each) for each in doing]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _channel(address: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(address, options=_SMALL)


async def _opened(channel: grpc.aio.Channel, token: str, **choices: Any) -> Any:
    """A stream that has been opened; raises an error of gRPC's where it is refused."""
    call: Any = SegmentationServiceStub(channel).Segment(metadata=(("authorization", f"Bearer {token}"),))
    await call.write(pb.SegmentRequest(config=pb.StreamConfig(frame_rate_hz=_RATE, **choices)))
    if await call.read() is grpc.aio.EOF:
        raise grpc.RpcError
    return call
