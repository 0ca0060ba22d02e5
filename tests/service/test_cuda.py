"""A server whose model runs on CUDA gives the events that it gives on the CPU, and starts without a warning."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from kineseg_core.inference.providers import CPU, CUDA, cuda_problem

SCRIPT = """
import json, sys
import kineseg
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

motion = generate(seed=3, duration_s=30, rate=60)
settings = Settings(port=0, metrics_port=None, provider=sys.argv[1], log_level="warning")
with BackgroundServer(settings) as server, kineseg.Client(server.address) as client:
    runs_on = client.models()[0].provider
    with client.stream(rate=60, joints=kineseg.Joints.of(motion)) as stream:
        for at in range(0, 1800, 3):
            stream.send(motion.positions[at : at + 3])
        stream.end_input()
        closed = [event for event in stream if isinstance(event, kineseg.SegmentClosed)]
rows = [[each.start_frame, each.end_frame, each.label, each.decided_frame, each.repeat_probability] for each in closed]
print(json.dumps([runs_on, rows]))
"""


def served(provider: str) -> tuple[list[Any], str]:
    """Where the model ran and the segments of a motion; and all that was logged."""
    command = [sys.executable, "-c", SCRIPT, provider]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.gpu
def test_events_on_cuda_are_those_on_the_cpu_and_nothing_is_warned_of() -> None:
    if problem := cuda_problem():
        pytest.skip(problem)
    (there, found), said = served("cuda")
    (here, expected), _ = served("cpu")
    assert (there, here) == (CUDA, CPU)
    assert said == ""
    assert len(found) > 3
    assert [one[:4] for one in found] == [one[:4] for one in expected]
    assert [one[4] for one in found] == pytest.approx([one[4] for one in expected], abs=0.01)
