"""A server that serves has all its kernels: no stream, of whatever kind, waits for a compiler or for its cache.

A server of joints alone has those of joints, and refuses what would need others.
"""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
from collections import Counter
import numpy as np, kineseg
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer
from numba.core.dispatcher import Dispatcher

def kernels():
    compiled = Counter()
    for kernel in gc.get_objects():
        if isinstance(kernel, Dispatcher) and str(kernel.py_func.__module__).startswith("kineseg"):
            compiled[f"{kernel.py_func.__module__}.{kernel.py_func.__qualname__}"] += len(kernel.overloads)
    return compiled

def changed(before, after):
    print({name: (before.get(name), count) for name, count in after.items() if count != before.get(name)})

motion = generate(seed=3, duration_s=20, rate=60)
positions = motion.positions.copy()
positions[300:350, 5] = np.nan
positions[600:750] = positions[600]
random = np.random.default_rng(0)
t = np.arange(1200) / 60.0
signal = np.stack([np.sin(t * f) * (1 + (t // 7 % 2)) for f in range(2, 14)], axis=1)
signal += random.normal(0, 0.1, signal.shape)

joints = kineseg.Joints.of(motion)
settings = Settings(port=0, metrics_port=None, log_level="error")
with BackgroundServer(settings.model_copy(update={"joints_only": True, "scratch": False})) as server:
    before = kernels()
    with kineseg.Client(server.address) as client:
        with client.stream(rate=60, joints=joints, frame_results=True) as stream:
            stream.send(positions)
            stream.end_input()
            assert list(stream)
        try:
            with client.stream(rate=60, channels=["c"]) as stream:
                list(stream)
        except kineseg.InvalidRequest as refused:
            assert str(refused.field).endswith("joints"), refused.field
        else:
            raise AssertionError("channels are taken")
    after = kernels()
assert len(before) > 20, before
assert not [name for name, count in after.items() if count and (".generic." in name or "watch_channels" in name)]
changed(before, after)

with BackgroundServer(settings) as server:
    before = kernels()
    with kineseg.Client(server.address) as client:
        def run(frames, lost=0, rate=60, **choices):
            with client.stream(rate=rate, return_profile=True, reports_per_hour=30, **choices) as stream:
                stream.send(frames[:450])
                stream.send(frames[450 + lost :], first_frame=450 + lost)
                stream.end_input()
                assert list(stream)
            return stream.profile

        profile = run(positions, lost=10, joints=joints)
        run(positions, lost=200, joints=joints, profile=profile, frame_results=True)
        for channels in (1, 3, 12):
            names = [f"c{i}" for i in range(channels)]
            run(signal[:, :channels], lost=30, model="scratch", channels=names)
            run(signal[:, :channels], lost=2, rate=4, model="scratch", channels=names)  # blocks between two frames
        run(positions, model="scratch", joints=joints)
        run(positions, rate=4, joints=joints)
        with client.streams() as many:
            streams = [many.open(rate=60, model="scratch", channels=["a", "b"]) for _ in range(3)]
            many.send({stream: signal[:12, :2] for stream in streams})
            many.end_input()
            assert list(many)
    after = kernels()
changed(before, after)
"""


def test_streams_of_all_kinds_find_every_kernel_ready() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["{}", "{}"]
