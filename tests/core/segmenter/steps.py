"""A segmenter with the packaged boundary network, stepped frame by frame."""

from __future__ import annotations

from functools import cache

import numpy as np
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.segmenter import Decision, NetworkSegmenter, SegmenterSettings
from numpy.typing import NDArray

from tests.core.segmenter.streams import RATE

SETTINGS = SegmenterSettings()


@cache
def _network() -> BoundaryNetwork:
    return BoundaryNetwork(packaged_network())


def segmenter(dim: int, latency_s: float = 4.0, settings: SegmenterSettings = SETTINGS) -> NetworkSegmenter:
    """For a signal of so many channels."""
    point = packaged_network().operating_points["signal"]
    return NetworkSegmenter(settings, ViewPlan.of_signal(dim, 0, RATE), point, latency_s)


def step(segmenter: NetworkSegmenter, frame: NDArray[np.float32], surprise: float = 1.0) -> list[Decision]:
    """What is decided with a frame (dim,) of a signal; it has no embedding of its own."""
    looks = segmenter.observe(frame, frame, surprise)
    return segmenter.decide(_network()(looks))
