"""`kineseg stream` and `kineseg play`, as somebody on a capture floor uses them."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest
from kineseg import event_from_dict
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command
from tests.same_events import content


def emitted(path: Path) -> list[dict[str, object]]:
    events = content([json.loads(line) for line in path.read_text().splitlines()])
    return [{key: value for key, value in event.items() if key != "capture_time_ns"} for event in events]


def test_a_file_streamed_gives_what_it_gives_segmented(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    streamed, segmented, again = tmp_path / "streamed.jsonl", tmp_path / "segmented.jsonl", tmp_path / "again.jsonl"
    kept = tmp_path / "kept.npz"
    outcome = kineseg("stream", f"file:{motion_file}?speed=0", "--out", streamed, "--record", kept)
    assert outcome.status == 0, outcome.err
    assert "this process" in outcome.err
    assert "19 joints, 60 frames a second" in outcome.err
    with BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server:
        assert kineseg("segment", motion_file, "--out", segmented, "--server", server.address).status == 0
        replayed = kineseg("stream", f"file:{kept}?speed=0", "--out", again, "--server", server.address)
    assert replayed.status == 0, replayed.err
    assert emitted(streamed) == emitted(segmented) == emitted(again)
    assert [event_from_dict(event) for event in map(json.loads, again.read_text().splitlines())]


def test_a_source_that_cannot_be_used_is_one_line(kineseg: Command, tmp_path: Path) -> None:
    for url, said in (
        ("take.bvh", "write a scheme first"),
        ("carrier-pigeon://here", "there is no source 'carrier-pigeon'; there are: -, exec, file"),
        ("ndjson+udp://0.0.0.0", "name the port"),
        ("ndjson+udp://0.0.0.0:9000?speed=3", "there is no option 'speed'"),
        ("ndjson+udp://0.0.0.0:9000?rate=fast", "rate must be a number from 1 to 1000"),
        (f"file:{tmp_path / 'none.bvh'}", "none.bvh"),
    ):
        outcome = kineseg("stream", url)
        assert outcome.status == 2, url
        assert said in outcome.err
        assert len(outcome.err.splitlines()) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = kineseg("stream", f"ndjson+udp://127.0.0.1:{taken.getsockname()[1]}")
    assert outcome.status == 2
    assert "is taken by another program" in outcome.err


def test_check_says_what_comes(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    outcome = kineseg("stream", f"file:{motion_file}?speed=0", "--check")
    assert outcome.status == 0, outcome.err
    for said in ("1482 frames", "left_wrist = left_wrist", "up: y", "height while standing", "jitter"):
        assert said in outcome.out
    headless = tmp_path / "headless.npz"
    with np.load(motion_file) as archive:
        names = np.array([f"bone{at}" for at in range(len(archive["joints"]))])
        np.savez(headless, positions=archive["positions"], rate=archive["rate"], joints=names)
    outcome = kineseg("stream", f"file:{headless}?speed=0", "--check")
    assert outcome.status == 1
    assert "needed, so this cannot be segmented as a body: left_shoulder" in outcome.out
    refused = kineseg("stream", f"file:{headless}?speed=0")
    assert refused.status == 2
    assert "--mapping FILE" in refused.err


@pytest.mark.parametrize("options", [(), ("--speed", "0")])
def test_play_wants_a_receiver_that_it_can_speak_to(
    options: tuple[str, ...], kineseg: Command, motion_file: Path
) -> None:
    outcome = kineseg("play", motion_file, "--to", "carrier-pigeon://here", *options)
    assert outcome.status == 2
