"""What a stream costs among many: the segmenters of up to some thousand streams, which no longer fit a cache."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass

from kineseg_core.boundary_network import ViewPlan, packaged_network
from kineseg_core.segmenter import SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.table import SegmenterTable, TablePlan
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.segmenter import MOST, embedded, in_table, rounds

COUNTS = (64, 500, 4000)
FRAMES = 500
"""Of the model, for each stream: the first fifth is not counted."""


@dataclass(frozen=True)
class GrowthCost:
    """Of bodies in generated motion, a frame of all in turn, on one thread.

    Attributes:
        streams: How many there are.
        us_per_frame: Microseconds of CPU time for each model frame and stream.
        mib: Of the table.
    """

    streams: int
    us_per_frame: float
    mib: float


def measure(counts: tuple[int, ...] = COUNTS, frames: int = FRAMES) -> list[GrowthCost]:
    """The same streams, fewer and more of them."""
    poses, embeddings, surprise, rate = embedded()
    views = ViewPlan.of_model(poses.shape[2], embeddings.shape[2], rate)
    plan = SegmenterPlan(SegmenterSettings(), views, packaged_network().operating_point)
    found = []
    for count in counts:
        table = SegmenterTable(TablePlan.of(plan), count, MOST)
        costs = rounds(in_table(table, plan, poses, embeddings, surprise, count), frames, count)
        found.append(GrowthCost(count, statistics.median(costs), table.row_bytes * count / 2**20))
    return found


def report(_: float) -> Report:
    """Measures, as rows and as a table."""
    table = Table("streams", "us a model frame", "MiB of state", title="segmenter in a table, one thread")
    costs = measure()
    for cost in costs:
        table.add_row(f"{cost.streams:,}", f"{cost.us_per_frame:.0f}", f"{cost.mib:.0f}")
    return [asdict(cost) for cost in costs], table
