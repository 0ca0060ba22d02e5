"""A real Alertmanager of one's own, which notifies a receiver of one's own."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.ports import free_port
from tests.sinks.http_receiver import HttpReceiver
from tests.sources.brokers import Broker, found

_ROUTE = """
route: {receiver: hook, group_by: [session], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: "%s/hook", send_resolved: true}]}]
"""


class Alertmanager(Broker):
    """A real one, which notifies a receiver of ours and keeps nothing when it is killed."""

    def __init__(self, folder: Path, receiver: HttpReceiver) -> None:
        program, port = found("prometheus-alertmanager", "apt-get install prometheus-alertmanager"), free_port()
        (folder / "alertmanager.yml").write_text(_ROUTE % receiver.address)
        command = [program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/kept",
                   f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # fmt: skip
        super().__init__(command, port)
        self.url = f"alertmanager+http://127.0.0.1:{port}#page=https://motion.example.org/%23{{stream_id}}"
        self._hook = receiver

    def alerts(self) -> list[dict[str, Any]]:
        """Those that are active now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def notified(self) -> list[tuple[str, str]]:
        """What was notified: session and status, in order."""
        bodies = [json.loads(post.body) for post in self._hook.posts]
        return [(alert["labels"]["session"], alert["status"]) for body in bodies for alert in body["alerts"]]


@contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """One that runs; the test is skipped where there is none."""
    receiver = HttpReceiver()
    receiver.start()
    try:
        made = Alertmanager(folder, receiver)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        receiver.close()
