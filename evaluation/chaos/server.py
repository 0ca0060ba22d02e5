"""A server in a process of its own, as an operator runs it: it can be killed, asked to go, and started anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psutil
from prometheus_client.parser import text_string_to_metric_families

from evaluation.ports import free_port

_PATIENCE_S = 300.0  # kernels may have to be compiled first
_LINES = 2000
_NOT_LOGGED = ("Traceback", "Error:", "Fatal", "Assertion")


class Server:
    """Runs with these settings on a port that stays the same. Entered with `with`.

    Args:
        settings: See `kineseg_service.config.Settings`; anything that can be written as a variable.

    Attributes:
        address: Where it is, HOST:PORT.
        log: What it has said last, the lines of all its processes.
    """

    def __init__(self, **settings: object) -> None:
        self._port, self._metrics_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self._port}"
        self.log: deque[dict[str, Any]] = deque(maxlen=_LINES)
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._serving = threading.Event()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            if self.alive:
                self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    @property
    def process(self) -> psutil.Process:
        """What runs."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it serves."""
        self.start_soon()
        self.wait()

    def start_soon(self) -> None:
        """Starts it; see `wait`."""
        self._serving.clear()
        given = {"port": self._port, "metrics_port": self._metrics_port, "log_format": "json"} | self._settings
        variables = {f"KINESEG_{name.upper()}": _written(value) for name, value in given.items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kineseg_service.server"],
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",  # whatever it says
            env=_without_settings() | variables,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def wait(self) -> None:
        """Until it serves."""
        if not self._serving.wait(_PATIENCE_S) or not self.alive:
            raise RuntimeError(f"the server does not start: {list(self.log)[-3:]}")

    def kill(self) -> None:
        """As kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As SIGTERM; returns when it has gone."""
        self._end(signal.SIGTERM)

    def metrics(self, token: str = "") -> dict[str, float]:
        """Every sample of its metrics, by name and labels as they are written: ``name{label="value"}``."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self._metrics_port}/metrics", headers=shown)
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read().decode()
        return {
            _sample_name(sample.name, sample.labels): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def resident_bytes(self) -> int:
        """What it has in memory."""
        return int(self.process.memory_info().rss)

    def faults(self) -> list[dict[str, Any]]:
        """What it has logged as an error, or could not even log; what gRPC itself says of connections is none."""
        return [
            line
            for line in self.log
            if line.get("level") in ("error", "critical") or any(word in line.get("said", "") for word in _NOT_LOGGED)
        ]

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        assert self._reader is not None
        self._process.send_signal(how)
        self._process.wait(_PATIENCE_S)
        self._reader.join()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for text in lines:
                line = _line(text)
                self.log.append(line)
                if line.get("event") == "serving":
                    self._serving.set()
        self._serving.set()


def _line(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        line = None
    return line if isinstance(line, dict) else {"said": text}


def _sample_name(name: str, labels: Mapping[str, str]) -> str:
    written = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{written}}}" if written else name


def _written(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KINESEG_")}


def key_file(folder: Path) -> Path:
    """A file of random bytes by which servers that share a store know their own states."""
    path = folder / "store.key"
    path.write_bytes(os.urandom(32))
    return path
