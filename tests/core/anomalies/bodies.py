"""Invented motion to put faults into, and what watching it gives."""

from __future__ import annotations

from functools import cache

import numpy as np
from kineseg.motion.synthetic import generate
from kineseg_core.anomalies import AnomalyBudget, AnomalyEvent, AnomalyMonitor, Raised, WatchedSource
from numpy.typing import NDArray

F64 = NDArray[np.float64]
RATE_HZ = 30.0


@cache
def _generated(seed: int, duration_s: float) -> tuple[tuple[str, ...], tuple[int, ...], F64]:
    recording = generate(seed, duration_s, RATE_HZ)
    assert recording.skeleton is not None
    assert recording.positions is not None
    return recording.joints, tuple(recording.skeleton.parents), np.array(recording.positions, np.float64)


def body(seed: int = 1, duration_s: float = 60.0) -> tuple[WatchedSource, F64]:
    """A source, and ``(T, J, 3)`` positions that may be changed."""
    names, parents, positions = _generated(seed, duration_s)
    return WatchedSource.of_joints(names, parents, RATE_HZ), positions.copy()


def watched(
    source: WatchedSource, frames: F64, times_s: F64 | None = None, alarms_per_hour: float = 6.0
) -> list[AnomalyEvent]:
    """All events of a stream."""
    monitor = AnomalyMonitor(source, AnomalyBudget(alarms_per_hour))
    times_s = np.arange(len(frames)) / source.rate_hz if times_s is None else times_s
    events = [event for frame, time_s in zip(frames, times_s, strict=True) for event in monitor.update(frame, time_s)]
    return [*events, *monitor.finish()]


def raised(events: list[AnomalyEvent]) -> list[Raised]:
    """Those that raise an anomaly."""
    return [event for event in events if isinstance(event, Raised)]
