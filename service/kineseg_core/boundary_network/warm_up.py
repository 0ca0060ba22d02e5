"""Compiles what looks at candidates, so that no stream has to wait for it: seconds, or a moment where it is cached."""

from __future__ import annotations

import numpy as np

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.block_ring import BlockRing
from kineseg_core.boundary_network.layout import LAGS, PAST
from kineseg_core.boundary_network.network import BoundaryNetwork
from kineseg_core.boundary_network.views import StreamViews, ViewPlan

_CHANNELS, _EMBEDDING = 6, 4


def warm_up(network: BoundaryNetwork) -> None:
    """Looks at a candidate of a body and of a signal, each when all of its past and future are known."""
    frames = np.random.default_rng(0).standard_normal((PAST + LAGS[-1], _CHANNELS)).astype(np.float32)
    for plan in (
        ViewPlan.of_model(_CHANNELS, _EMBEDDING, 1.0 / BLOCK_S),
        ViewPlan.of_signal(_CHANNELS, 0, 1.0 / BLOCK_S),
    ):
        views, ring = StreamViews(plan), BlockRing(plan.ends, plan.views)
        for frame in frames:
            for block in views.update(frame, frame[: plan.embedding]):
                ring.append(block)
        network(ring.look([(PAST, LAGS[-1])]))
