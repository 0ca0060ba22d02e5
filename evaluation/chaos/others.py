"""Other streams, in a process of their own, that mean well: how long their chunks take to be acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_CHUNK_S = 0.1
STREAMS = 16
_LEAVING = 0.2  # of a turn: until a server has noticed that someone is gone, and what he had is given back


@dataclass(frozen=True)
class Lap:
    """What came of the chunks that were acknowledged since the lap before.

    Attributes:
        waits_s: From when each was due to its acknowledgement.
        broken: How many streams have ended that should not have, since the beginning.
    """

    waits_s: NDArray[np.float64]
    broken: int


@dataclass(frozen=True)
class Compared:
    """The streams while they were left alone, and while they were not.

    Attributes:
        alone_s, beside_s: p99 of the time from when a chunk is due to its acknowledgement.
        broken: How many streams ended that should not have.
    """

    alone_s: float
    beside_s: float
    broken: int

    @property
    def ratio(self) -> float:
        """How much longer it took."""
        return self.beside_s / self.alone_s

    def __str__(self) -> str:
        return f"p99 of others {self.alone_s * 1e3:.1f} ms alone, {self.beside_s * 1e3:.1f} ms beside"


class Others:
    """So many live streams at a server. Entered with `with`.

    Args:
        address: Of the server.
        token: What they show; empty: nothing.
        seconds: Of motion, which then begins again. Who repeats himself is noticed and goes behind others from then on:
            it should be as much as will be sent.
        count: How many.
    """

    def __init__(self, address: str, token: str = "", *, seconds: float, count: int = STREAMS) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, address, token, seconds, count), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        assert self._pipe.recv() == "open"
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._pipe.send("stop")
        self._process.join(20)
        self._process.kill()

    def lap(self) -> Lap:
        """What came since the lap before."""
        self._pipe.send("lap")
        lap = self._pipe.recv()
        assert isinstance(lap, Lap)
        return lap

    def beside(self, seconds: float, trouble: Callable[[], AbstractContextManager[object]], turns: int = 3) -> Compared:
        """Lets them alone and troubles them, by turns, so that what the machine does else falls on both. Whoever makes
        trouble comes and goes in its turns.

        Args:
            seconds: In all.
            trouble: What is entered for each turn of trouble.
            turns: How many there are.
        """
        alone, beside, broken = [], [], 0
        each_s = seconds / turns / 2
        for _ in range(turns):
            self.lap()
            time.sleep(each_s)
            alone.append(self.lap().waits_s)
            with trouble():
                time.sleep(each_s)
            time.sleep(each_s * _LEAVING)
            lap = self.lap()
            beside.append(lap.waits_s)
            broken = lap.broken
        return Compared(_p99(alone), _p99(beside), broken)


def _p99(waits: list[NDArray[np.float64]]) -> float:
    return float(np.percentile(np.concatenate(waits), 99)) if sum(map(len, waits)) else float("inf")


def _run(pipe: Connection, address: str, token: str, seconds: float, count: int) -> None:
    asyncio.run(_Streams(address, token, seconds).run(pipe, count))


class _Streams:
    def __init__(self, address: str, token: str, seconds: float) -> None:
        from evaluation.chaos.streams import take

        self._frames = take(0, seconds)
        self._address = address
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._waits: list[float] = []
        self._broken = 0

    async def run(self, pipe: Connection, count: int) -> None:
        import grpc

        async with grpc.aio.insecure_channel(self._address) as channel:
            calls = [await self._opened(channel) for _ in range(count)]
            tasks = [asyncio.create_task(self._stream(call, at / count)) for at, call in enumerate(calls)]
            pipe.send("open")
            while await asyncio.to_thread(pipe.recv) == "lap":
                waits, self._waits = self._waits, []
                pipe.send(Lap(np.array(waits), self._broken))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _opened(self, channel: Any) -> Any:
        from kineseg.v1 import segmentation_pb2 as pb
        from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub

        from evaluation.chaos.streams import RATE

        call = SegmentationServiceStub(channel).Segment(metadata=self._metadata)
        await call.write(pb.SegmentRequest(config=pb.StreamConfig(frame_rate_hz=RATE)))
        await call.read()
        return call

    async def _stream(self, call: Any, shift: float) -> None:
        try:
            await self._send_and_read(call, shift)
        except asyncio.CancelledError:
            call.cancel()
            raise
        except Exception:
            self._broken += 1

    async def _send_and_read(self, call: Any, shift: float) -> None:
        from kineseg.v1 import segmentation_pb2 as pb

        from evaluation.chaos.streams import RATE

        frames, size = self._frames, round(_CHUNK_S * RATE)
        due: list[float] = []
        reader = asyncio.create_task(self._read(call, due))
        try:
            next_s, at = time.perf_counter() + _CHUNK_S * shift, 0
            while not reader.done():
                await asyncio.sleep(max(0.0, next_s - time.perf_counter()))
                due.append(next_s)
                data = frames[at % len(frames) : at % len(frames) + size].tobytes()
                await call.write(pb.SegmentRequest(chunk=pb.FrameChunk(first_frame=at, data=data)))
                at += size
                next_s += _CHUNK_S
            await reader
        finally:
            reader.cancel()

    async def _read(self, call: Any, due: list[float]) -> None:
        import grpc

        acknowledged = 0
        while True:
            answer = await call.read()
            if answer is grpc.aio.EOF:
                raise RuntimeError("the server ended the stream")
            if answer.HasField("ack"):
                self._waits.append(time.perf_counter() - due[acknowledged])
                acknowledged += 1
