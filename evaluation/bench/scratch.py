"""Live streams of any signal, which the model `scratch` takes without training: few channels and many, beside poses."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from evaluation.bench import many
from evaluation.bench.many import COLUMNS, ManyLoad, columns
from evaluation.bench.parts import Report

STREAMS = (32, 256)
CHANNELS = (0, 3, 60)
"""0: poses, for the default model."""


def measure(seconds: float) -> dict[int, list[ManyLoad]]:
    """By number of channels, so many streams each time, all on one call."""
    counts = tuple((streams, 1) for streams in STREAMS)
    return {channels: many.measure(seconds, counts, source=many.Source(channels=channels)) for channels in CHANNELS}


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    table = Table("channels", "streams", *COLUMNS, title=f"scratch, {many.RATE:g} frames/s, on one call")
    rows = []
    for channels, loads in measure(seconds).items():
        for load in loads:
            table.add_row(str(channels or "poses"), str(load.streams), *columns(load))
            rows.append({"channels": channels} | asdict(load))
    return rows, table
