"""A server as a replica: Ray starts it, asks how it is and how many streams it has, and lets it drain at its end."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Any

import ray
from kineseg_core.garbage import collected_seldom
from ray import serve

from kineseg_service.config import Settings
from kineseg_service.errors import ServerFailed
from kineseg_service.server import BackgroundServer

STREAMS = "streams"
"""Under this name Serve's autoscaling gets the number of open streams."""


@dataclass(frozen=True, slots=True)
class Found:
    """A replica, as the directory knows it.

    Attributes:
        replica: Its name in Ray, and that of its server.
        address: Where clients reach it, HOST:PORT.
        metrics: Where Prometheus does; None: nowhere.
        streams: How many are open.
        pid: Of its process, on its machine.
    """

    replica: str
    address: str
    metrics: str | None
    streams: int
    pid: int


class Replica:
    """What Serve makes of the deployment, in a process each.

    Args:
        settings: As of `Settings`; ports are free ones unless they say otherwise, and the server's name is that of the
            replica.

    Raises:
        ValueError, RuntimeError: It cannot start, see `Server.start`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._name = str(serve.get_replica_context().replica_id.unique_id)
        own: dict[str, Any] = {"port": 0, "metrics_port": 0, "server_id": self._name}
        self._settings = Settings(**own | settings)
        self._server = BackgroundServer(self._settings)
        with collected_seldom():
            self._server.start()

    def found(self) -> Found:
        """Where it is and what it does."""
        host = _reached(self._settings.host)
        metrics = self._server.metrics_port
        return Found(
            replica=self._name,
            address=f"{host}:{self._server.port}",
            metrics=None if metrics is None else f"{host}:{metrics}",
            streams=self._server.open_streams,
            pid=os.getpid(),
        )

    def record_autoscaling_stats(self) -> dict[str, float]:
        """What Serve's autoscaling is given."""
        return {STREAMS: float(self._server.open_streams)}

    def check_health(self) -> None:
        """Raises `ServerFailed` when the server has ended, so that Serve puts another replica in its place."""
        if not self._server.is_running:
            raise ServerFailed("the server has failed and ended; the log says how")

    def __del__(self) -> None:
        """Serve lets it go: streams that outlive their server are left in the store, where others find them."""
        server = getattr(self, "_server", None)  # none where it could not start
        if server is not None:
            server.stop()


def _reached(host: str) -> str:
    """Where others reach what listens on `host`: on all addresses of a machine, by the one that Ray knows."""
    try:
        everywhere = ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        everywhere = False
    found = str(ray.util.get_node_ip_address()) if everywhere else host
    return f"[{found}]" if ":" in found else found
