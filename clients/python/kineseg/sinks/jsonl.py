"""``jsonl:PATH``: lines of JSON in a file that is exchanged when it is full; ``jsonl:-`` is standard output."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.own_thread import OwnThread
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms

_STANDARD_OUTPUT = "-"
_MODE = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)  # which Windows has


class JsonLines:
    """Appends to a file. Each batch is on the disk before it counts as delivered.

    Args:
        path: The file.
        terms: Which events it takes.
        most_bytes: A file larger than that is renamed, with the time in its name, and another one begun.
        keep: So many of those are kept; 0: all.
    """

    linger_s = 0.0

    def __init__(self, path: Path, terms: Terms, *, most_bytes: float, keep: int) -> None:
        self.terms = terms
        self._path = path
        self._most_bytes = most_bytes
        self._keep = keep
        self._thread = OwnThread()
        self._file: int | None = None

    @property
    def where(self) -> str:
        """The file."""
        return str(self._path)

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        lines = "".join(event.json + "\n" for event in events).encode()
        await self._thread.do(lambda: self._write(lines))

    async def close(self) -> None:
        """See `Sink`."""
        await self._thread.do(self._let_go)

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, lines: bytes) -> None:
        if self._file is None:
            self._file = os.open(self._path, _MODE, 0o666)
            _cut_unfinished_line(self._file)
        size = os.fstat(self._file).st_size
        try:
            while lines:
                lines = lines[os.write(self._file, lines) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)  # of a full disk: not half of them
            raise
        if os.fstat(self._file).st_size >= self._most_bytes:
            self._let_go()
            self._exchange()

    def _exchange(self) -> None:
        stem, suffix = self._path.stem, self._path.suffix
        self._path.rename(self._path.with_name(f"{stem}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}{suffix}"))
        ours = re.compile(rf"{re.escape(stem)}-\d{{8}}T\d{{6}}\.\d{{6}}Z{re.escape(suffix)}")
        full = sorted(path for path in self._path.parent.iterdir() if ours.fullmatch(path.name))
        for old in full[: -self._keep] if self._keep else ():
            old.unlink(missing_ok=True)


class StandardOutput:
    """Prints lines."""

    linger_s = 0.0
    where = "standard output"

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._thread = OwnThread()

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        await self._thread.do(lambda: self._print("".join(event.json + "\n" for event in events)))

    async def close(self) -> None:
        """See `Sink`."""

    def _print(self, lines: str) -> None:
        sys.stdout.write(lines)
        sys.stdout.flush()


def _cut_unfinished_line(file: int) -> None:
    """The last line, if the process was killed while it was written: it comes again."""
    end = os.fstat(file).st_size
    position = end
    while position > 0:
        size = min(4096, position)
        position -= size
        os.lseek(file, position, os.SEEK_SET)
        found = os.read(file, size).rfind(b"\n")
        if found >= 0:
            position += found + 1
            break
    if position != end:
        os.ftruncate(file, position)


def open_jsonl(address: SinkAddress) -> Sink:
    """``jsonl:PATH``; options ``max_mb`` and ``keep``."""
    address.check_options(["max_mb", "keep"])
    terms = Terms.of(address, batch=1000)
    if address.path == _STANDARD_OUTPUT:
        return StandardOutput(terms)
    path = Path(address.path).expanduser()
    if not address.path or path.is_dir() or not path.parent.is_dir():
        raise SinkError(f"{address.where}: name a file in a folder that is there, such as jsonl:events.jsonl")
    return JsonLines(
        path,
        terms,
        most_bytes=address.number("max_mb", 100.0, low=0.001, high=1e6) * 1e6,
        keep=int(address.number("keep", 0, low=0, high=1e6)),
    )
