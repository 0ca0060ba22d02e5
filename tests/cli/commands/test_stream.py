"""`kineseg stream` and `kineseg play`, as somebody on a capture floor uses them."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kineseg import event_from_dict
from kineseg.motion import Recording
from kineseg.sources import Layout
from kineseg.sources.file import recorded_of
from kineseg.sources.ndjson import NdjsonEncoder
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from evaluation import ports
from tests.cli.command import Command, start
from tests.same_events import content

PATIENCE_S = 300.0


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
    (tmp_path / "text.npz").write_text("no recording")
    for url, said in (
        ("take.bvh", "write a scheme first"),
        ("carrier-pigeon://here", "there is no source 'carrier-pigeon'; there are: -, exec, file"),
        ("ndjson+udp://0.0.0.0", "name the port"),
        ("ndjson+udp://0.0.0.0:9000?speed=3", "there is no option 'speed'"),
        ("ndjson+udp://0.0.0.0:9000?rate=fast", "rate must be a number from 1 to 1000"),
        (f"file:{tmp_path / 'none.bvh'}", "none.bvh"),
        (f"file:{tmp_path / 'text.npz'}", "not a NumPy file of plain numbers"),
    ):
        outcome = kineseg("stream", url)
        assert outcome.status == 2, url
        assert said in outcome.err
        assert len(outcome.err.splitlines()) == 1
    itself = kineseg("stream", f"file:{tmp_path / 'text.npz'}", "--out", tmp_path / "text.npz")
    assert (itself.status, "that is the source, too" in itself.err) == (2, True)
    nowhere = kineseg("play", "--to", "ndjson+udp://127.0.0.1:0")
    assert (nowhere.status, "nothing can be sent to UDP 127.0.0.1:0" in nowhere.err) == (2, True)
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


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


def written(path: Path, motion: Recording) -> str:
    """Two performers and a prop as lines of JSON, and the source that prints them; Ben is a quarter of Ada's size."""
    recorded = recorded_of(motion)
    assert recorded.info.joints is not None
    layout = Layout(recorded.info.joints, rate=recorded.info.rate)
    encoders = {name: NdjsonEncoder(layout, name) for name in ("Ada", "Ben")}
    with path.open("wb") as file:
        for encoder in encoders.values():
            file.write(encoder.header())
        for at, values in enumerate(recorded.values):
            file.write(
                b'{"positions": {"tip": [0, 1, 0], "grip": [0, 0, 0]}, "performer": "Sword", "time": %f}\n' % (at / 60)
            )
            file.write(encoders["Ada"].frame(values, at, at / motion.rate))
            file.write(encoders["Ben"].frame(values / 4, at, at / motion.rate))
    script = path.with_suffix(".py")
    script.write_text(f"import sys; sys.stdout.buffer.write(open({str(path)!r}, 'rb').read())")
    return f'exec:"{sys.executable}" "{script}"'


def test_two_performers_are_two_streams(kineseg: Command, motion: Recording, motion_file: Path, tmp_path: Path) -> None:
    url, out, alone = written(tmp_path / "two.ndjson", motion), tmp_path / "two.jsonl", tmp_path / "alone.jsonl"
    with BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server:
        outcome = kineseg("stream", url, "--out", out, "--server", server.address, "--record", tmp_path / "kept.npz")
        assert outcome.status == 0, outcome.err
        assert kineseg("stream", f"file:{tmp_path / 'kept.npz'}?speed=0", "--out", alone).status == 0
    assert "Ada: 19 joints" in outcome.err
    assert "Ben: 19 joints" in outcome.err
    assert "left out: what arrives of Sword cannot be segmented: no joint found" in outcome.err
    assert (tmp_path / "kept-2-Ben.npz").is_file()
    streams: dict[str, list[dict[str, object]]] = {}
    for line in out.read_text().splitlines():
        streams.setdefault(json.loads(line)["stream_id"], []).append(json.loads(line))
    assert len(streams) == 2
    for events in streams.values():  # of each what the one alone gives: size does not matter
        kept = [{k: v for k, v in event.items() if k != "capture_time_ns"} for event in content(events)]
        assert [(e["kind"], e["frame"]) for e in kept] == [(e["kind"], e["frame"]) for e in emitted(alone)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")
def test_a_silent_source_says_so_and_ends_when_asked(free_port: int) -> None:
    process = start(["stream", f"vmc://127.0.0.1:{free_port}", "--out", "-"])
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "no frame yet" in line:
            break
        if "listening to" in line:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"/avatar/parameters/x\0\0\0\0,f\0\0\0\0\0\0", ("127.0.0.1", free_port))
    assert f"UDP port {free_port} of 127.0.0.1" in said
    assert "1 messages (32 bytes) came from 127.0.0.1" in said
    assert "OSC, but not of VMC: /avatar/parameters/x" in said
    assert "switch on VMC" in said
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (0, ""), err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")
def test_a_server_that_comes_back_is_used_again(motion_file: Path, free_port: int, tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    settings = Settings(port=ports.free_port(), metrics_port=None, log_level="error")
    with BackgroundServer(settings) as server:
        address, url = server.address, f"ndjson+udp://127.0.0.1:{free_port}?rate=60&up=y"
        listening = start(["stream", url, "--server", address, "--out", out])
        playing = start(["play", motion_file, "--to", url.partition("?")[0], "--loop"])
        try:
            until(lambda: out.exists() and bool(out.read_text()))
            server.stop(0.0)
            with BackgroundServer(settings):
                until(lambda: len({json.loads(line)["stream_id"] for line in out.read_text().splitlines()}) == 2)
        finally:
            playing.kill()
            playing.communicate()
            listening.send_signal(signal.SIGTERM)
            _, err = listening.communicate(timeout=PATIENCE_S)
    assert "trying again, with a new stream" in err


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


@pytest.mark.parametrize("options", [(), ("--speed", "0")])
def test_play_wants_a_receiver_that_it_can_speak_to(
    options: tuple[str, ...], kineseg: Command, motion_file: Path
) -> None:
    outcome = kineseg("play", motion_file, "--to", "carrier-pigeon://here", *options)
    assert outcome.status == 2
