"""After the warm-up no stream waits for a compiler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

WATCHED = """
import numpy as np
from numba.core import event
from kineseg_core.anomalies import AnomalyMonitor, WatchedSource, warm_up

warm_up()
with event.install_recorder("numba:compile") as compiled:
    for joints in (True, False):
        names = [f"u{i}" for i in range(7)]
        source = (WatchedSource.of_joints(names, [-1, *range(6)], 60.0) if joints
                  else WatchedSource.of_channels(names, 60.0))
        frames = np.random.default_rng(1).standard_normal((900, 7, 3)).cumsum(axis=0)
        frames[300:400, 2] = np.nan
        frames[500:600, 3] = frames[500, 3]
        frames[700] *= 1e3
        monitor = AnomalyMonitor(source)
        for at, frame in enumerate(frames):
            monitor.update(frame if joints else frame[:, 0], at / 60.0)
assert not compiled.buffer, compiled.buffer
"""


def test_nothing_is_compiled_after_the_warm_up(tmp_path: Path) -> None:
    nothing_cached = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", WATCHED], check=True, env=nothing_cached)
