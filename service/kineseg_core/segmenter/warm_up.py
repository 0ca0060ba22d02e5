"""Compiles what segments streams, so that none has to wait for it: half a minute, or a moment where it is cached."""

from __future__ import annotations

import numpy as np

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.boundary_network.layout import LAGS, PAST
from kineseg_core.boundary_network.network import BoundaryNetwork
from kineseg_core.boundary_network.views import ViewPlan
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.segmenter import Segmenter
from kineseg_core.segmenter.settings import SegmenterSettings
from kineseg_core.segmenter.table import SegmenterTable, TablePlan

_CHANNELS, _EMBEDDING = 6, 4


def warm_up(network: BoundaryNetwork, file: NetworkFile) -> None:
    """Segments a body and a signal, by itself and in a table, until all of a candidate's past and future are known."""
    frames = np.random.default_rng(0).standard_normal((PAST + 2 * LAGS[-1], 1, _CHANNELS)).astype(np.float32)
    rows, surprise = np.zeros(1, np.int64), np.ones(1, np.float32)
    for views in (
        ViewPlan.of_model(_CHANNELS, _EMBEDDING, 1.0 / BLOCK_S),
        ViewPlan.of_signal(_CHANNELS, 0, 1.0 / BLOCK_S),
    ):
        plan = SegmenterPlan(SegmenterSettings(), views, file.operating_point)
        segmenter, table = Segmenter(plan), SegmenterTable(TablePlan.of(plan), 1, 1)
        seated = table.seat(0, plan)
        for frame in frames:
            embedding = np.ascontiguousarray(frame[:, : views.embedding])
            segmenter.step(frame[0], embedding[0], 1.0, network)
            seated.follow(table.step(rows, frame, embedding, surprise, network).get(0, ()))
        seated.finish()
