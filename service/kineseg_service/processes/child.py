"""A process of several as its supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from kineseg_core.errors import CannotStart

from kineseg_service.config import Settings
from kineseg_service.processes.place import metrics_folder

_OPEN, _END = b"open\n", b"end\n"  # as the worker expects them


class Child:
    """One process. `start` it, then `loaded`, then `open`.

    Args:
        index: Its number.
        settings: How it runs, with its port.
        folder: What all processes share.
        page: Whether its streams are shown on the supervisor's page.
    """

    def __init__(self, index: int, settings: Settings, folder: Path, *, page: bool = False) -> None:
        self.index = index
        self._settings = settings
        self._folder = folder
        self._page = page
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the system."""
        return self._running.pid

    @property
    def started(self) -> bool:
        """It has been started."""
        return self._process is not None

    async def start(self) -> None:
        """Starts it."""
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(metrics_folder(self._folder))}
        environment.pop("KINESEG_CONFIG_FILE", None)  # what stands there is in the settings already
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "kineseg_service.processes.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        what = {
            "index": self.index,
            "count": self._settings.processes,
            "folder": str(self._folder),
            "page": self._page,
            "settings": self._settings.model_dump(mode="json", exclude={"config_file"}, exclude_unset=True),
        }
        self._tell(json.dumps(what).encode() + b"\n")

    async def loaded(self) -> None:
        """Returns when it has loaded; raises `CannotStart` when it cannot."""
        await self._answer("loaded")

    async def open(self) -> None:
        """Lets it open its port, and returns when it has; raises `CannotStart` when it cannot."""
        self._tell(_OPEN)
        await self._answer("serving")

    async def ended(self) -> int:
        """Waits for its end; its exit status, or the signal that ended it, negative."""
        return await self._running.wait()

    def end(self) -> None:
        """Asks it to drain and to end."""
        if self.started:
            self._tell(_END)  # it may be waiting for a command
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self._signal(signal.SIGKILL)

    @property
    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _tell(self, line: bytes) -> None:
        pipe = self._running.stdin
        assert pipe is not None
        pipe.write(line)

    async def _answer(self, wanted: str) -> None:
        pipe = self._running.stdout
        assert pipe is not None
        line = await pipe.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        if "error" in answer:
            raise CannotStart(answer["error"])
        if wanted not in answer:
            status = await self.ended()
            raise CannotStart(f"process {self.index} ended with status {status} before it served; the log says why")
