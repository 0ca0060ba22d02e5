"""What watching costs: time a frame when many streams are watched side by side, and the state of one."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass

import numpy as np
from kineseg.motion import generate
from kineseg_core.anomalies import AnomalyMonitor, WatchedSource

from evaluation.alerts.joints import parents_of
from evaluation.alerts.sets.bodies import RATE_HZ

JOINTS, STREAMS, CHUNK = 20, 64, 2  # frames of a chunk: 0.05 s, as streams send by default
_WARM_S, _TIMED_S = 12.0, 2.0  # scores begin after ten seconds
_STATE_S = 240.0  # longer than anything is remembered


@dataclass(frozen=True)
class Cost:
    """Of the monitor.

    Attributes:
        frame_us: CPU time a frame and stream on one core, microseconds.
        state_kib: Of one stream that has been watched for a while, pickled.
    """

    frame_us: float
    state_kib: float


def measure_cost(streams: int = STREAMS, warm_s: float = _WARM_S, state_s: float = _STATE_S) -> Cost:
    """Measured on generated motion of a body with `JOINTS` joints.

    Args:
        streams: How many are watched side by side.
        warm_s: So long they are before the clock starts.
        state_s: So long the one is whose state is weighed.
    """
    recording = generate(1, duration_s=max(state_s, warm_s + _TIMED_S), rate=RATE_HZ)
    assert recording.positions is not None  # of generated motion
    # The generator's 19 joints and a hand on one of them.
    frames = np.concatenate([recording.positions, recording.positions[:, -1:] + 0.1], axis=1)
    parents = parents_of(recording)
    source = WatchedSource.of_joints((*recording.joints, "tip"), (*parents, len(parents) - 1), RATE_HZ)
    monitors = [AnomalyMonitor(source) for _ in range(streams)]
    warm, timed = round(warm_s * RATE_HZ), round(_TIMED_S * RATE_HZ)
    _advance(monitors, frames[:warm], 0)
    before = time.process_time()
    _advance(monitors, frames[warm : warm + timed], warm)
    frame_us = 1e6 * (time.process_time() - before) / (timed * streams)
    one = AnomalyMonitor(source)
    _advance([one], frames[: round(state_s * RATE_HZ)], 0)
    return Cost(frame_us, len(pickle.dumps(one)) / 1024.0)


def _advance(monitors: list[AnomalyMonitor], frames: np.typing.NDArray[np.float64], first: int) -> None:
    """Chunk after chunk, as streams send them."""
    for at in range(0, len(frames), CHUNK):
        chunk = frames[at : at + CHUNK]
        times_s = (first + at + np.arange(len(chunk))) / RATE_HZ
        for monitor in monitors:
            monitor.push(chunk, times_s)
