"""A real Redis or Valkey of one's own, at a socket in a folder."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.service.talk import until


class RedisServer:
    """Started anew as often as one likes; what it has written to its folder is there again."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            pytest.skip("needs redis-server or valkey-server (apt-get install redis-server)")
        self._program, self._folder = found, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder / 'redis.sock'}"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self._folder / "redis.sock"), "--dir", str(self._folder),
                   "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"]  # fmt: skip
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        until(self._answers, "Redis answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with (
            contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError),
            redis.Redis.from_url(self.url) as asked,
        ):
            return bool(asked.ping())
        return False


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
