"""What a server does for streams that are open and send nothing."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import kineseg
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import Running, kineseg_server

STREAMS = 64


@dataclass(frozen=True)
class SilentCost:
    """Of an open stream that sends nothing.

    Attributes:
        streams: How many there were.
        server_cpu_share: Of one core, with them.
        without_cpu_share: Before them.
        cpu_share_per_stream: What each of them takes.
    """

    streams: int
    server_cpu_share: float
    without_cpu_share: float
    cpu_share_per_stream: float


def measure(seconds: float) -> SilentCost:
    """Leaves the server alone for so long, and then the streams, each on a call of its own."""
    with kineseg_server() as server, kineseg.Client(server.address) as client, ExitStack() as stack:
        without = _cpu_share(server, seconds)
        for _ in range(STREAMS):
            stack.enter_context(client.stream(rate=120.0))
        share = _cpu_share(server, seconds)
    return SilentCost(STREAMS, share, without, (share - without) / STREAMS)


def _cpu_share(server: Running, seconds: float) -> float:
    cpu, began = server.cpu_seconds(), time.perf_counter()
    time.sleep(seconds)
    return (server.cpu_seconds() - cpu) / (time.perf_counter() - began)


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    cost = measure(seconds)
    table = Table("streams", "server CPU", "before them", "each", title="open streams that send nothing")
    table.add_row(
        str(cost.streams),
        f"{cost.server_cpu_share:.2%} of a core",
        f"{cost.without_cpu_share:.2%}",
        f"{cost.cpu_share_per_stream:.4%}",
    )
    return [asdict(cost)], table
