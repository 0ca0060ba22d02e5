"""Health for those who ask the metrics port: whether a server takes streams, and whether it is to be started anew."""

from __future__ import annotations

import asyncio
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kineseg_service.config import Settings
from kineseg_service.pulse import Pulse
from kineseg_service.server import Server

from tests.service.conftest import Serve
from tests.service.locked import Keyring
from tests.service.talk import PATIENCE_S


def status(port: int | None, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_is_ready_once_it_has_loaded_and_until_it_drains(tiny: Path) -> None:
    async def check() -> None:
        # The only thread that can load models is kept busy.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        busy, asking = threading.Event(), ThreadPoolExecutor(1)
        asyncio.get_running_loop().run_in_executor(None, busy.wait)
        settings = Settings(port=0, metrics_port=0, bundles=(tiny,), packaged_bundle=False, log_level="error")
        server = Server(settings)

        async def said() -> tuple[int, int]:
            loop = asyncio.get_running_loop()
            port = server.metrics_port
            ready = await loop.run_in_executor(asking, status, port, "/readyz")
            return ready, await loop.run_in_executor(asking, status, port, "/livez")

        starting = asyncio.create_task(server.start())
        while not server.metrics_port:  # noqa: ASYNC110 - nothing else shows it
            await asyncio.sleep(0.001)
        assert await said() == (503, 200)
        busy.set()
        await starting
        assert await said() == (200, 200)
        # And then with the end of the engine.
        ending = threading.Event()
        asyncio.get_running_loop().run_in_executor(None, ending.wait)
        stopping = asyncio.create_task(server.stop(0))
        while (found := await said()) == (200, 200):  # it has not begun yet
            pass
        assert found == (503, 200)
        ending.set()
        await stopping

    asyncio.run(check())


def test_health_needs_no_token_and_metrics_do(serve: Serve, tmp_path: Path) -> None:
    with serve(tokens=Keyring(tmp_path / "tokens.json").path, metrics_port=0) as (server, _):
        assert (status(server.metrics_port, "/readyz"), status(server.metrics_port, "/livez")) == (200, 200)
        assert status(server.metrics_port, "/metrics") == 401


async def test_a_loop_that_hangs_is_not_alive() -> None:
    now = 100.0
    pulse = Pulse(hangs_s=0.2, clock=lambda: now)
    pulse.serves = True
    pulse.start()
    assert pulse.is_ready
    now += 0.3  # in which nothing else has had its turn
    assert not pulse.is_alive
    assert not pulse.is_ready
    async with asyncio.timeout(PATIENCE_S):
        while not pulse.is_ready:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    pulse.stop()
