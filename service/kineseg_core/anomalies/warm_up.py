"""Compiles what watches streams, so that no stream has to wait for it: seconds, or a moment where it is cached."""

from __future__ import annotations

import numpy as np

from kineseg_core.anomalies.monitor import AnomalyMonitor
from kineseg_core.anomalies.source import WatchedSource

_RATE_HZ, _FRAMES = 20.0, 240
_LOST, _SPIKE = slice(150, 160), 200


def warm_up(*, bodies: bool = True, channels: bool = True) -> None:
    """Watches a few seconds of a body and of channels, with something wrong in each, and begins where they ended."""
    steps = np.random.default_rng(0).standard_normal((_FRAMES, 4, 3)).cumsum(axis=0)
    steps[_LOST, 2] = np.nan
    steps[_SPIKE, 1] += 1e3
    watched = []
    if bodies:
        watched.append((WatchedSource.of_joints(("a", "b", "c", "d"), (-1, 0, 1, 0), _RATE_HZ), steps))
    if channels:
        watched.append((WatchedSource.of_channels(("a", "b", "c", "d"), _RATE_HZ), steps[..., 0]))
    for source, frames in watched:
        monitor = AnomalyMonitor(source)
        monitor.push(frames, np.arange(_FRAMES) / _RATE_HZ)
        AnomalyMonitor(source, profile=monitor.profile())
