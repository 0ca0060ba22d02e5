"""The servers under load, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import grpc
import psutil

BARE_METHOD = "/benchmark.Bare/Bare"


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Attributes:
        address: Where its calls go.
        pid: Of its process.
        start_s: From its command to where it served.
    """

    address: str
    pid: int
    start_s: float = 0.0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its calls go, one after the other."""
        return (self.address,)

    def resident_bytes(self) -> int:
        return int(psutil.Process(self.pid).memory_info().rss)

    def cpu_seconds(self) -> float:
        """Of all its processes."""
        process = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))


@dataclass(frozen=True)
class Several:
    """Servers that share a load.

    Attributes:
        each: Those that cost something.
        addresses: Where calls go, one after the other.
    """

    each: tuple[Running, ...]
    addresses: tuple[str, ...]

    def cpu_seconds(self) -> float:
        return sum(one.cpu_seconds() for one in self.each)


@contextmanager
def kineseg_server(processes: int = 1, **settings: object) -> Iterator[Running]:
    """`kineseg serve` with its defaults, in so many processes, and with other settings."""
    command = [sys.executable, "-m", "kineseg_cli", "serve", "--port", "0", "--processes", str(processes)]
    given = {"log_format": "json", "metrics_port": "none"} | settings
    environment = os.environ | {f"KINESEG_{name.upper()}": str(value) for name, value in given.items()}
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    log = process.stderr
    assert log is not None
    # Once its log has filled the pipe, it would wait.
    rest = threading.Thread(target=log.read)
    try:
        serving = next((line for line in log if '"serving"' in line), None)
        start_s = time.perf_counter() - began
        if serving is None:
            raise RuntimeError("kineseg serve has ended instead of serving")
        rest.start()
        yield Running(json.loads(serving)["address"], process.pid, start_s)
    finally:
        process.terminate()
        process.wait(timeout=60)
        if rest.ident is not None:
            rest.join()
        log.close()


@contextmanager
def echo_server() -> Iterator[Running]:
    """A bare grpc.aio server that sends every message back."""
    with _bare_server(_echo) as server:
        yield server


@contextmanager
def reading_server(answer_s: float) -> Iterator[Running]:
    """A bare grpc.aio server that reads messages, and answers the latest one of a call every so many seconds."""
    with _bare_server(partial(_answer, answer_s)) as server:
        yield server


async def _echo(requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


async def _answer(every_s: float, requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
    due = 0.0
    async for _request in requests:
        if (now := time.monotonic()) >= due:
            due = now + every_s
            yield b""


@contextmanager
def _bare_server(behaviour: Callable[..., AsyncIterator[bytes]]) -> Iterator[Running]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_bare, args=(theirs, behaviour), daemon=True)
    process.start()
    theirs.close()  # so that a server that does not start ends the waiting
    try:
        address = ours.recv()
        assert process.pid is not None
        yield Running(address, process.pid)
    finally:
        ours.send("stop")
        process.join(20)
        if process.is_alive():
            process.terminate()


def _serve_bare(connection: Connection, behaviour: Callable[..., AsyncIterator[bytes]]) -> None:
    async def serve() -> None:
        server = grpc.aio.server()
        service, method = BARE_METHOD[1:].split("/")
        handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(behaviour)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        connection.send(f"127.0.0.1:{port}")
        await asyncio.to_thread(connection.recv)
        await server.stop(None)

    asyncio.run(serve())
