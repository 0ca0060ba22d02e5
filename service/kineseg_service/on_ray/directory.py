"""Where the servers are: asked over HTTP by whoever opens streams, by the ingress, and by Prometheus."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from starlette.responses import PlainTextResponse

from kineseg_service.on_ray.replica import Found

_FRESH_S = 0.5
_PATIENCE_S = 5.0


class Directory:
    """The deployment that Serve's HTTP ingress leads to. It keeps nothing: the replicas say where they are.

    Args:
        replicas: The deployment of servers.
    """

    def __init__(self, replicas: Any) -> None:
        self._replicas = replicas
        self._lock = asyncio.Lock()
        self._known: list[Found] = []
        self._at = float("-inf")

    async def __call__(self, request: Any) -> Any:
        """``/addresses``: as `kineseg.Client` takes them; ``/targets``: as Prometheus does; else all that is known."""
        found = least_loaded_first(await self._found())
        match request.url.path.rpartition("/")[2]:
            case "addresses":
                if not found:  # an empty answer would be taken for one
                    return PlainTextResponse("no server is there yet; try again", 503)
                return ",".join(each.address for each in found)
            case "targets":
                return [
                    {"targets": [each.metrics], "labels": {"replica": each.replica}} for each in found if each.metrics
                ]
        return {"replicas": [asdict(each) for each in found]}

    async def _found(self) -> list[Found]:
        """Those that answer; however many ask, replicas are asked twice a second at most."""
        async with self._lock:
            if time.monotonic() - self._at > _FRESH_S:
                self._known = await self._asked()
                self._at = time.monotonic()
            return self._known

    async def _asked(self) -> list[Found]:
        from ray.serve.exceptions import DeploymentUnavailableError

        try:
            asked = self._replicas.broadcast("found")
            answers = await asked.results_async(timeout_s=_PATIENCE_S, return_exceptions=True)
        except DeploymentUnavailableError:
            return []
        return [each for each in answers if isinstance(each, Found)]


def least_loaded_first(found: Iterable[Found]) -> list[Found]:
    """In the order in which clients should ask them: a client stays at the first one that answers."""
    return sorted(found, key=lambda each: (each.streams, random.random()))
