"""What takes events at the other end, started and killed by tests: the real thing wherever it can be had."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from tests.sinks.http_receiver import HttpReceiver


class Peer(Protocol):
    """A receiver.

    Attributes:
        url: The sink that delivers to it.
    """

    url: str

    def start(self) -> None:
        """Start it, anew with what it had kept."""

    def stop(self) -> None:
        """Kill it."""

    def received(self) -> list[dict[str, Any]]:
        """All events that it has got, in their order, those that came twice included."""

    def close(self) -> None:
        """End it."""


class Folder:
    """Files of lines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "lines"
        self._folder.mkdir()
        self.url = f"jsonl:{self._folder / 'events.jsonl'}?max_mb=0.02"

    def start(self) -> None:
        """A file is always there."""

    def stop(self) -> None:
        """And so it stays."""

    def received(self) -> list[dict[str, Any]]:
        full = sorted(self._folder.glob("events-*.jsonl"))
        assert full, "none was exchanged"
        texts = [path.read_text() for path in [*full, self._folder / "events.jsonl"] if path.exists()]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def close(self) -> None:
        """Nothing runs."""


class HttpEvents:
    """A server of HTTP."""

    def __init__(self, mode: str) -> None:
        self._server = HttpReceiver()
        self.url = f"cloudevents+{self._server.address}/in#mode={mode}"
        self.start, self.stop, self.close = self._server.start, self._server.stop, self._server.close

    def received(self) -> list[dict[str, Any]]:
        bodies = [json.loads(post.body) for post in self._server.posts]
        return [event["data"] for body in bodies for event in (body if isinstance(body, list) else [body])]


PEERS: dict[str, Callable[[Path], Peer]] = {
    "jsonl": Folder,
    "cloudevents": lambda folder: HttpEvents("structured"),
    "cloudevents in batches": lambda folder: HttpEvents("batch"),
}
