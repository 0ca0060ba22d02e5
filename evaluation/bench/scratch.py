"""Live streams of any signal, which the model `scratch` takes without training: few channels and many, beside poses."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from evaluation.bench import many
from evaluation.bench.many import COLUMNS, ManyLoad, columns
from evaluation.bench.parts import Report

STREAMS = 32
CHANNELS = (0, 3, 60)
"""0: poses, for the default model. At so few streams waking up costs more than what is done, whatever they send."""


def measure(seconds: float) -> dict[int, ManyLoad]:
    """By number of channels, all streams on one call."""
    return {
        channels: many.measure(seconds, ((STREAMS, 1),), source=many.Source(channels=channels))[0]
        for channels in CHANNELS
    }


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    table = Table("channels", "streams", *COLUMNS, title=f"scratch, {many.RATE:g} frames/s, on one call")
    loads = measure(seconds)
    for channels, load in loads.items():
        table.add_row(str(channels or "poses"), str(load.streams), *columns(load))
    return [{"channels": channels} | asdict(load) for channels, load in loads.items()], table
