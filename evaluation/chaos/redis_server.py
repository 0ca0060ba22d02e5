"""A real Redis or Valkey of one's own, at a socket in a folder."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self

_PATIENCE_S = 60.0


class NoRedis(RuntimeError):  # noqa: N818 - named for what is missing
    """There is no program to run, or no library that asks it."""


class RedisServer:
    """Started anew as often as one likes; what it has written to its folder is there again. Entered with `with`.

    Args:
        folder: Where it keeps its socket, and what it writes before it answers. The path must be short, as sockets'
            are.

    Attributes:
        url: Where it is found.

    Raises:
        NoRedis: None is installed, or the library `redis` is not.
    """

    def __init__(self, folder: Path) -> None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            raise NoRedis("needs redis-server or valkey-server (apt-get install redis-server)")
        if find_spec("redis") is None:
            raise NoRedis("needs the library redis (pip install 'kineseg[redis]')")
        self._program, self._folder = found, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder / 'redis.sock'}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers."""
        options = ["--port", "0", "--unixsocket", str(self._folder / "redis.sock"), "--dir", str(self._folder),
                   "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"]  # fmt: skip
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError("Redis does not answer")
            time.sleep(0.005)

    def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        import redis

        with (
            contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError),
            redis.Redis.from_url(self.url) as asked,
        ):
            return bool(asked.ping())
        return False
