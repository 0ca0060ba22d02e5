"""Real servers on loopback, with small bundles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import grpc
import pytest
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.service.talk import Stub
from tests.service.tiny_bundle import TinyModel, write_tiny_bundle

POISON = 1000.0
"""The model "fragile" gives NaN for a frame whose first channel is above this."""


class Serve(Protocol):
    def __call__(self, *bundles: Path, **settings: object) -> AbstractContextManager[tuple[BackgroundServer, Stub]]: ...


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = TinyModel(name="fragile", poison_above=POISON)
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "fragile", model)


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Messages of this one are large enough to fill the transport."""
    model = TinyModel(name="wide", channels=200, embedding=200)
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "wide", model)


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
def stub(running: tuple[BackgroundServer, Stub]) -> Stub:
    return running[1]
