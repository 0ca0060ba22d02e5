"""Lines of text from a connection, a command or standard input."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

from kineseg.sources.errors import SourceError, SourceLost
from kineseg.sources.source import Inlet

LONGEST_LINE = 4 << 20


class TcpListener:
    """Listens for connections that write lines; any number of them, one after the other or at once.

    Args:
        host: Interface to listen on; empty: all.
        port: 0: any free one.
        once: It ends with the first connection.
    """

    def __init__(self, host: str, port: int, *, once: bool = False) -> None:
        self._host = host or "0.0.0.0"
        self._port = port
        self._once = once
        self._over = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._inlet: asyncio.Future[Inlet[bytes]] | None = None

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server and self._server.sockets else self._port

    @property
    def where(self) -> str:
        """What it listens to."""
        return f"TCP port {self.port} of {self._host}"

    async def open(self) -> None:
        """Bind the port.

        Raises:
            SourceError: It is taken.
        """
        self._inlet = asyncio.get_running_loop().create_future()
        try:
            self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=LONGEST_LINE)
        except OSError as error:
            raise SourceError(
                f"TCP port {self._port} of {self._host} cannot be listened on: {error.strerror or error}"
            ) from None

    async def run(self, inlet: Inlet[bytes]) -> None:
        """Receive for ever, or as long as the first connection lasts."""
        assert self._inlet is not None
        self._inlet.set_result(inlet)
        await self._over.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._inlet is not None
        inlet = await asyncio.shield(self._inlet)
        peer = writer.get_extra_info("peername")
        inlet.connected()
        with contextlib.suppress(ConnectionError):
            await read_lines(reader, inlet, f"{peer[0]}:{peer[1]}" if peer else "")
        writer.close()
        if self._once:
            self._over.set()

    async def close(self) -> None:
        """Free the port."""
        if self._inlet is not None:
            self._inlet.cancel()
        if self._server is not None:
            self._server.close()


class CommandLines:
    """Runs a command, and reads the lines that it prints.

    Args:
        command: For the shell.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    @property
    def where(self) -> str:
        """What is read."""
        return f"standard output of {self._command!r}"

    async def open(self) -> None:
        """Start it.

        Raises:
            SourceError: There is no command.
        """
        if not self._command:
            raise SourceError("exec: needs a command, such as exec:python my_camera.py")
        self._process = await asyncio.create_subprocess_shell(
            self._command,
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
            start_new_session=True,  # so that what the shell runs can be ended with it
        )

    async def run(self, inlet: Inlet[bytes]) -> None:
        """Receive until the command ends.

        Raises:
            SourceLost: It failed.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        inlet.connected()
        await read_lines(self._process.stdout, inlet, "the command")
        status = await self._process.wait()
        if status:
            raise SourceLost(f"the command ended with status {status}: {self._command}")

    async def close(self) -> None:
        """End the command, and what it has started."""
        if self._process is None or self._process.returncode is not None:
            return
        self._end("SIGTERM")
        try:
            await asyncio.wait_for(self._process.communicate(), 3.0)
        except TimeoutError:
            self._end("SIGKILL")
            await self._process.communicate()

    def _end(self, name: str) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                os.killpg(self._process.pid, getattr(signal, name))


class InputLines:
    """Reads the lines of standard input, in a thread: not every system lets the event loop wait for it.

    Args:
        file: Instead of standard input.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._file = file

    @property
    def where(self) -> str:
        """What is read."""
        return "standard input"

    async def open(self) -> None:
        """Raises SourceError if there is none."""
        if self._file is None:
            if sys.stdin is None:
                raise SourceError("standard input is closed: name another source than -")
            self._file = sys.stdin.buffer

    async def run(self, inlet: Inlet[bytes]) -> None:
        """Receive until its end."""
        assert self._file is not None
        inlet.connected()
        async for line in _in_a_thread(self._file.readline):
            inlet.take(line, len(line), "standard input")
            await inlet.room()

    async def close(self) -> None:
        """Nothing to do: the thread ends with the process."""


async def _in_a_thread(read: Callable[[], bytes]) -> AsyncIterator[bytes]:
    """What a function gives that waits, until it gives nothing."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    wanted = threading.Semaphore(64)  # lines read ahead

    def work() -> None:
        while True:
            wanted.acquire()
            try:
                line = read()
            except (OSError, ValueError):  # it was closed
                line = b""
            try:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            except RuntimeError:  # the loop is over
                return
            if not line:
                return

    threading.Thread(target=work, name="kineseg-input", daemon=True).start()
    while line := await lines.get():
        wanted.release()
        yield line


async def read_lines(reader: asyncio.StreamReader, inlet: Inlet[bytes], sender: str) -> None:
    """Give an inlet the lines of a connection, until that ends."""
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            if end.partial.strip():
                inlet.take(end.partial, len(end.partial), sender)
            return
        except asyncio.LimitOverrunError as error:
            await reader.read(max(1, error.consumed))
            inlet.take(b"", error.consumed, sender)  # which is no line of JSON
            continue
        except OSError:
            return
        inlet.take(line, len(line), sender)
        await inlet.room()
