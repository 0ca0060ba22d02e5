"""Sinks that write whole files: a file has all that came within a minute, and is there as a whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.own_thread import OwnThread
from kineseg.sinks.terms import Terms

Write = Callable[[Path, Sequence[SinkEvent]], None]


class Recorder:
    """Writes files into a folder, each under a name that follows from its first event: it is never written twice.

    Args:
        address: Of the folder; option ``every``, seconds.
        suffix: Of the files.
        write: Writes one.

    Raises:
        SinkError: There is no such folder, or an option cannot be used.
    """

    def __init__(self, address: SinkAddress, suffix: str, write: Write) -> None:
        address.check_options(["every"])
        self._folder = Path(address.path).expanduser()
        if not address.path or not self._folder.is_dir():
            raise SinkError(f"{address.where}: name a folder that is there, such as {address.scheme}:recorded")
        self._suffix = suffix
        self._write = write
        self._thread = OwnThread()
        self.linger_s = address.number("every", 60.0, low=0.0, high=86400.0)
        self.terms = Terms.of(address, batch=20_000)
        self.where = f"files in {self._folder}"

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        await self._thread.do(lambda: self._record(events))

    async def close(self) -> None:
        """See `Sink`."""

    def _record(self, events: Sequence[SinkEvent]) -> None:
        first = events[0]
        at = re.sub(r"[-:]", "", first.emitted_at)
        path = self._folder / f"events-{at}-{first.stream_id[-12:]}-{first.values['seq']}{self._suffix}"
        unfinished = path.with_name(path.name + ".unfinished")
        self._write(unfinished, events)
        with unfinished.open("r+b") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)
