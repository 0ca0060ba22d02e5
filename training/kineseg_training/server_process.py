"""The real server as a process of its own, for as long as a measurement takes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kineseg

from kineseg_training.errors import EvaluationError

_START_S = 300.0  # the first start on a machine compiles for a minute, or several on a busy one
_STOP_S = 20.0


@contextmanager
def running_server(bundle: Path) -> Iterator[str]:
    """Serve `bundle` on a free loopback port until the block ends.

    Yields:
        The server's address.

    Raises:
        EvaluationError: It did not start; the message has the end of its log.
    """
    port = _free_port()
    command = [sys.executable, "-m", "kineseg_cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--metrics-port", "-1", "--bundle", str(bundle)]
    # The packaged bundle may have the same name as the one that is evaluated.
    environment = os.environ | {"KINESEG_PACKAGED_BUNDLE": "false"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"127.0.0.1:{port}"
            if not _becomes_ready(address, process):
                log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
                raise EvaluationError(
                    "the server did not start; install it with `pip install 'kineseg[service,cli]'`. Its last words: "
                    + log.read().decode(errors="replace").strip()
                )
            yield address
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _becomes_ready(address: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_S
    with kineseg.Client(address, retries=0) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.health() == kineseg.Health.SERVING:
                    return True
            except kineseg.ServerError:
                pass  # not listening yet
            time.sleep(0.1)
    return False
