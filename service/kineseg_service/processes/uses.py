"""What each process gives to tenants and addresses, so that limits are those of the server and not of each process.

Each writes a file, and reads those of the others, a few times a second. What is opened in two of them at the same
moment may exceed a limit by that; and what comes too fast in several is slowed down to it within a second or two.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from pathlib import Path

import msgpack

from kineseg_service.access.limits import Limits
from kineseg_service.access.use import Use, Uses, together
from kineseg_service.logs import harmless
from kineseg_service.processes.place import Place, uses_folder

_EVERY_S = 0.25
# Who has not written for so long has died, or hangs: its streams are no more.
_STALE_S = 5.0


class SharedUses:
    """Between one process and the others. To be used in the event loop of its limits.

    Args:
        place: Which process it is.
        limits: Its own.
    """

    def __init__(self, place: Place, limits: Limits) -> None:
        self._folder = uses_folder(place.folder)
        self._own = self._folder / str(place.index)
        self._processes = place.count
        self._limits = limits

    async def run(self) -> None:
        """Exchanges it with the others again and again, until it is cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            with harmless("limits"):
                self.exchange()

    def exchange(self) -> None:
        """Once."""
        self._write(self._limits.uses())
        self._limits.leave_to_others(self._elsewhere(), self._processes)

    def _write(self, uses: Uses) -> None:
        if not uses:
            self._own.unlink(missing_ok=True)
            return
        written = self._own.with_suffix(".new")
        written.write_bytes(msgpack.packb([[*of, *use] for of, use in uses.items()]))
        written.replace(self._own)

    def _elsewhere(self) -> Uses:
        found: defaultdict[tuple[str, str], list[Use]] = defaultdict(list)
        for path in self._folder.iterdir():
            if path.name != self._own.name and not path.suffix:
                for of, use in _read(path).items():
                    found[of].append(use)
        return {of: together(uses) for of, uses in found.items()}


def _read(path: Path) -> Uses:
    with contextlib.suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime <= _STALE_S:
            return {(kind, name): Use(*numbers) for kind, name, *numbers in msgpack.unpackb(path.read_bytes())}
    return {}
