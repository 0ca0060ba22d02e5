"""How long a server takes until it serves, its kernels compiled before."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import kineseg_server

MOST = 9


@dataclass(frozen=True)
class Starts:
    """Starts of `kineseg serve`, one after the other.

    Attributes:
        starts: How many.
        median_s: From the command to where the server serves, half of them within.
        longest_s: All of them.
        cpu_s: What half of them need of a core until then.
    """

    starts: int
    median_s: float
    longest_s: float
    cpu_s: float


def measure(seconds: float) -> Starts:
    """Starts it for about so many seconds; once before that, so that the kernels are compiled and files are at hand."""
    _start()
    starts: list[tuple[float, float]] = []
    while len(starts) < 3 or (sum(wall_s for wall_s, _ in starts) < seconds and len(starts) < MOST):
        starts.append(_start())
    return _of(starts)


def _start() -> tuple[float, float]:
    with kineseg_server() as server:
        return server.start_s, server.cpu_seconds()


def _of(starts: Sequence[tuple[float, float]]) -> Starts:
    walls, cpus = zip(*starts, strict=True)
    return Starts(len(starts), statistics.median(walls), max(walls), statistics.median(cpus))


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    starts = measure(seconds)
    table = Table("starts", "median", "longest", "CPU", title="from `kineseg serve` to serving, kernels compiled")
    table.add_row(
        str(starts.starts), f"{starts.median_s:.2f} s", f"{starts.longest_s:.2f} s", f"{starts.cpu_s:.2f} s of a core"
    )
    return [asdict(starts)], table
