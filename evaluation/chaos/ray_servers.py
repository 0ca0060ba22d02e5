"""A small Ray of one's own on this machine, and servers in it as `deploy/ray` starts them."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kineseg_service.on_ray.ingress import addresses_of

from evaluation.ports import free_port

PATIENCE_S = 300.0
"""Ray takes as long as the machine lets it."""
_STARTS = 3


class NoRay(RuntimeError):  # noqa: N818 - named for what is missing
    """There is nothing to run."""


@contextlib.contextmanager
def local_ray(cores: int = 4) -> Iterator[Any]:
    """Ray, started for this alone; `cores` are what it may set aside, whatever the machine has.

    Raises:
        NoRay: It is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise NoRay("needs Ray (pip install 'kineseg[ray]')") from error
    for tries in range(_STARTS, 0, -1):
        try:
            _start(ray, cores)
            break
        except Exception as error:  # Ray's own waits half a minute, which a busy machine may not keep to
            if tries == 1 or "timed out" not in str(error):
                raise
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(ray: Any, cores: int) -> None:
    ray.init(
        address="local",
        num_cpus=cores,
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(str(Path(each).absolute()) for each in sys.path)}},
    )


class RayServers:
    """The application in a Ray that runs. Entered with `with`.

    Args:
        choices: Of the application, see `kineseg_service.on_ray.application.Choices`.

    Attributes:
        directory: URL of the directory.
    """

    def __init__(self, choices: dict[str, Any]) -> None:
        self._choices = choices
        self.directory = ""

    def __enter__(self) -> RayServers:
        from kineseg_service.on_ray.application import application
        from ray import serve

        port = free_port()
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(application(self._choices), name="kineseg")
        self.directory = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        from ray import serve

        serve.shutdown()

    def replicas(self) -> list[dict[str, Any]]:
        """What the directory says of them."""
        return list(_json(self.directory)["replicas"])

    def addresses(self) -> list[str]:
        """Where they are, the one with the fewest streams first."""
        return addresses_of(self.directory)

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """What it says once there are so many."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            nonlocal found
            found = self.replicas()
            return len(found) == count

        wait_until(there, f"{count} replicas")
        return found


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Returns when something holds.

    Raises:
        TimeoutError: It takes too long.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:g} s for {what}")
        time.sleep(0.1)


def _json(url: str) -> dict[str, Any]:
    import json

    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
