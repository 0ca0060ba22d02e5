"""Live sensors of many channels and few frames a second, as gateways send them: many on few calls, and few on many."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from evaluation.bench import many
from evaluation.bench.many import COLUMNS, Source, columns
from evaluation.bench.parts import Report

SENSOR = Source(rate=2.0, chunk_s=0.5, channels=59)
COUNTS = ((500, 4), (800, 4), (500, 16), (800, 16))
"""How many, on how many calls: a message has one to four chunks."""


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    title = f"sensors of {SENSOR.channels} channels, {SENSOR.rate:g} frames/s, chunks of {SENSOR.chunk_s:g} s"
    table = Table("sensors", "calls", *COLUMNS, title=title)
    loads = many.measure(seconds, COUNTS, source=SENSOR)
    for load in loads:
        table.add_row(str(load.streams), str(load.calls), *columns(load))
    return [asdict(load) for load in loads], table
