"""Compiles what segments streams of few channels, so that none has to wait for it."""

from __future__ import annotations

import numpy as np

from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_segmenter import PatternSegmenter
from kineseg_core.generic.table import PatternTable, PatternTablePlan
from kineseg_core.segmenter import SegmenterSettings

_DIM, _RATE_HZ, _FRAMES = 4, 10.0, 60


def warm_up(network: BoundaryNetwork) -> None:
    """Segments a few seconds, by itself and in a table, until it is known whether the stream stands still."""
    plan = PatternPlan(SegmenterSettings(), _DIM, _RATE_HZ)
    segmenter, table = PatternSegmenter(plan), PatternTable(PatternTablePlan.of(plan), 1, 1)
    seated, row = table.seat(0, plan), np.zeros(1, np.int64)
    embedding, surprise = np.ones((1, _DIM), np.float32), np.ones(1, np.float32)
    for _ in range(_FRAMES):
        segmenter.step(embedding[0], embedding[0], 1.0, network)
        seated.follow(table.step(row, embedding, embedding, surprise, network).get(0, ()))
    seated.follow([_FRAMES // 2])  # as if there had been a boundary
    seated.finish()
