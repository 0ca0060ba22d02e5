"""`kineseg health`."""

from __future__ import annotations

from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command


def test_it_says_whether_a_server_takes_streams(kineseg: Command) -> None:
    settings = Settings(port=0, metrics_port=None, packaged_bundle=False, log_level="error")
    with BackgroundServer(settings) as server:
        done = kineseg("health", "--server", server.address)
        assert (done.status, done.out) == (0, "serving\n")
        address = server.address
    done = kineseg("health", "--server", address, "--timeout", 2)
    assert (done.status, done.out) == (1, "")
    assert "kineseg:" in done.err
