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
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import grpc
import psutil

ECHO_METHOD = "/benchmark.Echo/Echo"


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
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_echo, args=(theirs,), daemon=True)
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


def _serve_echo(connection: Connection) -> None:
    async def echo(requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    async def serve() -> None:
        server = grpc.aio.server()
        service, method = ECHO_METHOD[1:].split("/")
        handler: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(echo)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        connection.send(f"127.0.0.1:{port}")
        await asyncio.to_thread(connection.recv)
        await server.stop(None)

    asyncio.run(serve())
