"""Real servers on loopback, with small bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import grpc
import pytest
import structlog
from kineseg_service.config import Settings
from kineseg_service.logs import configure_logs
from kineseg_service.server import BackgroundServer

from tests.service.talk import Stub


class Serve(Protocol):
    def __call__(self, *bundles: Path, **settings: object) -> AbstractContextManager[tuple[BackgroundServer, Stub]]: ...


@pytest.fixture(scope="session")
def serve(tiny: Path) -> Serve:
    """Starts a server with these bundles (or the tiny one) and settings, and a channel to it."""

    @contextmanager
    def start(*bundles: Path, **settings: object) -> Iterator[tuple[BackgroundServer, Stub]]:
        values = {"port": 0, "metrics_port": None, "packaged_bundle": False, "max_sessions": 128, "log_level": "error"}
        # A channel of its own, so that nothing is shared with other tests' servers.
        own = [("grpc.use_local_subchannel_pool", 1)]
        with (
            BackgroundServer(Settings(bundles=bundles or (tiny,), **(values | settings))) as server,
            grpc.insecure_channel(server.address, own) as channel,
        ):
            yield server, Stub(channel)

    return start


@pytest.fixture(scope="session")
def running(serve: Serve, tiny: Path, fragile: Path) -> Iterator[tuple[BackgroundServer, Stub]]:
    """One server for all tests that leave it as they found it."""
    with serve(tiny, fragile, metrics_port=0, max_gap_s=1.0) as both:
        yield both


@pytest.fixture
def set_logs() -> Iterator[Callable[..., None]]:
    """Sets the form and the least level of the logs of this process, see `configure_logs`, for one test.

    The first server of a process sets them for all that follow: who looks at the log cannot know which one that was.
    """
    before: dict[str, Any] | None = structlog.get_config() if structlog.is_configured() else None
    yield configure_logs
    if before is None:
        structlog.reset_defaults()
    else:
        structlog.configure(**before)


@pytest.fixture
def stub(running: tuple[BackgroundServer, Stub]) -> Stub:
    return running[1]
