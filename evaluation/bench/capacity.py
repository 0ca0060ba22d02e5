"""How many processes and how much memory some thousand streams take, by a model of costs fitted to what was measured.

A server's CPU is so much for its ticks, however many streams there are, and so much a stream. Both are fitted to the
loads that one process carries. More streams than that are shared among processes, of which each is left some room.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from evaluation.bench import many, memory
from evaluation.bench.parts import Report

MEASURED = ((32, 1), (64, 1), (96, 1), (128, 1))
"""Streams and calls of loads that one process carries."""
CARRIED = (100, 500, 1000, 4000, 10_000)
ROOM = 0.7
"""How much of a core a process may take: what is left is for what comes at once."""


@dataclass(frozen=True)
class Model:
    """Of what live streams cost.

    Attributes:
        fixed_cores: Of a process, whatever its streams are.
        stream_cores: Of a stream.
        fixed_mib, stream_kib: Resident memory of a process, and of a stream.
        worst: By how much the fit is off at most, as a share of what was measured.
    """

    fixed_cores: float
    stream_cores: float
    fixed_mib: float
    stream_kib: float
    worst: float

    @property
    def streams_per_process(self) -> int:
        """So many leave the room that is to be left."""
        return max(1, int((ROOM - self.fixed_cores) / self.stream_cores))


@dataclass(frozen=True)
class Capacity:
    """What so many streams take, by the model."""

    streams: int
    processes: int
    cores: float
    gib: float


def fitted(loads: dict[int, float], memory_cost: memory.MemoryCost) -> Model:
    """The model of these loads: cores by number of streams."""
    counts, cores = np.array([*loads]), np.array([*loads.values()])
    stream, fixed = np.polyfit(counts, cores, 1)
    worst = float(np.abs((fixed + stream * counts) / cores - 1.0).max())
    fixed_mib, stream_kib = memory_cost.idle_bytes / 2**20, memory_cost.bytes_per_stream / 2**10
    return Model(max(float(fixed), 0.0), float(stream), fixed_mib, stream_kib, worst)


def carried(model: Model, streams: int) -> Capacity:
    """What so many streams take."""
    processes = math.ceil(streams / model.streams_per_process)
    cores = processes * model.fixed_cores + streams * model.stream_cores
    gib = (processes * model.fixed_mib + streams * model.stream_kib / 2**10) / 2**10
    return Capacity(streams, processes, cores, gib)


def measure(seconds: float) -> Model:
    """Measures loads that one process carries, and the memory of a stream."""
    loads = {load.streams: load.server_cpu_share for load in many.measure(seconds, MEASURED)}
    shared = next(cost for cost in memory.measure() if cost.calls == "shared")
    return fitted(loads, shared)


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    model = measure(seconds)
    title = (
        f"{model.fixed_cores:.2f} cores a process and {1e3 * model.stream_cores:.2f} thousandths of one a stream "
        f"(off by {model.worst:.0%} at most), {model.streams_per_process} streams a process"
    )
    table = Table("streams", "processes", "cores", "memory GiB", title=title)
    rows = [carried(model, streams) for streams in CARRIED]
    for row in rows:
        table.add_row(f"{row.streams:,}", str(row.processes), f"{row.cores:.1f}", f"{row.gib:.1f}")
    return [asdict(model), *map(asdict, rows)], table
