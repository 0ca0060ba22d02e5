"""Kernels give the same bits whatever instructions they are compiled to."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib
import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.segmenter import SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.table import SegmenterTable, TablePlan
file = packaged_network()
network = BoundaryNetwork(file)
frames = canonical_pose(generate(3, 40.0, 30.0)).frames.astype(np.float32)
views = ViewPlan.of_model(frames.shape[1], frames.shape[1], 30.0)
plan = SegmenterPlan(SegmenterSettings(), views, file.operating_point)
table = SegmenterTable(TablePlan.of(plan), 1, 1)
seated = table.seat(0, plan)
for frame in frames[:, None]:
    follows = table.step(np.zeros(1, np.int64), frame, frame, np.abs(frame[0, :1]), network)
    for decision in seated.follow(follows.get(0, ())):
        print(decision)
for name, column in zip(table.columns._fields, table.columns):
    print(name, hashlib.sha256(column.tobytes()).hexdigest())
"""


def outcome(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="compiles for two kinds of x86-64")
def test_a_table_has_the_same_bits_on_two_kinds_of_processors() -> None:
    plain = outcome(NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="")
    here = outcome()
    assert sum("Segment" in line for line in plain) > 4
    assert plain == here
