"""Segmenters of every kind, stepped frame by frame, the boundary network being the packaged one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.generic import PatternPlan, PatternSegmenter
from kineseg_core.segmenter import Decision, Segmenter, SegmenterPlan, SegmenterSettings
from numpy.typing import NDArray

from tests.core.segmenter.streams import RATE

Any = Segmenter | PatternSegmenter
Make = Callable[..., Segmenter]
SETTINGS = SegmenterSettings()
DIM = 8


def motion(latency_s: float = 4.0, settings: SegmenterSettings = SETTINGS) -> Segmenter:
    """For the poses of a trained model, each its own embedding."""
    return _segmenter(ViewPlan.of_model(DIM, DIM, RATE), latency_s, settings)


def signal(latency_s: float = 4.0, settings: SegmenterSettings = SETTINGS) -> Segmenter:
    """For a signal of DIM channels."""
    return _segmenter(ViewPlan.of_signal(DIM, 0, RATE), latency_s, settings)


def _segmenter(views: ViewPlan, latency_s: float, settings: SegmenterSettings) -> Segmenter:
    return Segmenter(SegmenterPlan(settings, views, packaged_network().operating_point, latency_s))


def patterns() -> PatternSegmenter:
    """For the embeddings (DIM,) of a signal of few channels."""
    return PatternSegmenter(PatternPlan(SETTINGS, DIM, RATE))


def step(segmenter: Any, frame: NDArray[np.float32], surprise: float = 1.0) -> list[Decision]:
    """What is decided with a frame (DIM,) that is its own embedding."""
    return segmenter.step(frame, frame, surprise, _network())


@cache
def _network() -> BoundaryNetwork:
    return BoundaryNetwork(packaged_network())
