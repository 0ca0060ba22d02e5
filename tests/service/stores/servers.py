"""A real Redis or Valkey, or the test is skipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.chaos.redis_server import NoRedis, RedisServer


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    try:
        server = RedisServer(folder)
    except NoRedis as error:
        pytest.skip(str(error))
    with server:
        yield server
