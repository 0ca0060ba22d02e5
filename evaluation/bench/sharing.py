"""A server of two processes beside one of one: what a chunk costs where streams are shared among processes."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from evaluation.bench import many
from evaluation.bench.many import COLUMNS, ManyLoad, columns
from evaluation.bench.parts import Report

STREAMS, CALLS = 64, 4
"""Of a process. Which process a connection ends up at, the system decides: of several, some at each."""


def measure(seconds: float) -> dict[int, ManyLoad]:
    """By number of processes, each with as many streams for a process."""
    return {
        processes: many.measure(seconds, ((STREAMS * processes, CALLS * processes),), processes=processes)[0]
        for processes in (1, 2)
    }


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    table = Table("processes", "streams", *COLUMNS, title=f"streams on {CALLS} calls a process")
    loads = measure(seconds)
    for processes, load in loads.items():
        table.add_row(str(processes), str(load.streams), *columns(load))
    return [{"processes": processes} | asdict(load) for processes, load in loads.items()], table
