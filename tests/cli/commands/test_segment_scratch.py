"""`kineseg segment --model scratch`: any table of numbers, one frame a line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import Command
from tests.service.test_scratch import regimes


@pytest.mark.parametrize("header", ["", "pressure,flow\n"])
def test_a_table_of_sensors_is_segmented(kineseg: Command, tmp_path: Path, header: str) -> None:
    wave = regimes(20)
    lines = [f"{a:.5f},{b:.5f}" for a, b in zip(wave, np.roll(wave, 3), strict=True)]
    lines[100] = f"{wave[100]:.5f},"  # a missing value
    file = tmp_path / "sensors.csv"
    file.write_text(header + "\n".join(lines) + "\n")
    outcome = kineseg("segment", file, "--model", "scratch", "--rate", 20, "--out", "-")
    assert outcome.status == 0, outcome.err
    events = [json.loads(line) for line in outcome.out.splitlines()]
    starts = [event["start_time_s"] for event in events if event["kind"] == "segment_closed"]
    assert starts == pytest.approx([0, 30, 60], abs=6)
    assert events[-1]["missing_values"] == 1


def test_a_table_without_rate_says_how_to_give_one(kineseg: Command, tmp_path: Path) -> None:
    file = tmp_path / "sensor.csv"
    file.write_text("1\n2\n3\n")
    outcome = kineseg("segment", file, "--model", "scratch")
    assert outcome.status == 2
    assert "--rate" in outcome.err


def test_joints_of_no_body_say_that_their_channels_are_sent(kineseg: Command, tmp_path: Path) -> None:
    file, t = tmp_path / "crane.npz", np.arange(400)[:, None, None] / 20
    np.savez(file, positions=np.sin(t * np.ones((1, 2, 3))), joints=np.array(["boom", "hook"]), rate=20)
    outcome = kineseg("segment", file, "--model", "scratch", "--out", "-")
    assert outcome.status == 0, outcome.err
    assert "its channels are sent as they are, not as poses of a body: no joint found" in " ".join(outcome.err.split())


def test_a_motion_file_is_segmented_without_a_trained_model(kineseg: Command, motion_file: Path) -> None:
    outcome = kineseg("segment", motion_file, "--model", "scratch", "--out", "-")
    assert outcome.status == 0, outcome.err
    closed = [line for line in map(json.loads, outcome.out.splitlines()) if line["kind"] == "segment_closed"]
    assert len(closed) > 1
