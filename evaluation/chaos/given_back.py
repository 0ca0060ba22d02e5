"""What a server holds, to be compared with what it holds later: slots, files, memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

from evaluation.chaos.server import Server


@dataclass(frozen=True)
class GivenBack:
    """What it holds.

    Attributes:
        streams: Open and parked streams, and watchers.
        files: Open files and connections.
        bytes: Of memory.
    """

    streams: int
    files: int
    bytes: int

    @classmethod
    def of(cls, server: Server, settle_s: float = 0.0, token: str = "") -> GivenBack:
        """What a server holds, after it has had so long to let go of what has ended; `token` may read its metrics."""
        time.sleep(settle_s)
        metrics = server.metrics(token)
        return cls(
            int(metrics["kineseg_streams_open"] + metrics["kineseg_watchers_open"]),
            server.process.num_fds(),
            server.resident_bytes(),
        )
