"""However a command ends: it ends, says how far it came, and its exit status says whether the result is whole."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import pytest
from kineseg import Client
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command, start

REACH = re.compile(r"(\d+) of (\d+) frames were segmented")
PATIENCE_S = 300.0  # kernels may have to be compiled first


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of two channels at 100 frames a second."""
    path = tmp_path_factory.mktemp("long") / "long.csv"
    t = np.arange(6000) / 100
    phase = np.cumsum(np.where(t // 10 % 2, 3.0, 8.0)) / 100
    np.savetxt(path, np.stack([np.sin(phase), np.cos(phase)], 1), delimiter=",", header="a,b", comments="", fmt="%.4f")
    return path


SEGMENT = ("--model", "scratch", "--rate", "100")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """Options that lead to a server that runs: a command in a process of its own is sooner done than with its own."""
    with BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server:
        yield "--server", server.address


def reach(text: str) -> tuple[int, int]:
    """How far a command says that it came."""
    found = REACH.search(text)
    assert found, text
    return int(found[1]), int(found[2])


def until_written(path: Path) -> None:
    """Waits for the first event."""
    deadline = time.monotonic() + PATIENCE_S
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline, "no event has come"
        time.sleep(0.01)


@pytest.mark.parametrize("value", ["3000000000", "-1e12", "1e300"])
def test_a_number_that_cannot_be_sent_is_an_error_and_no_hang(
    value: str, kineseg: Command, served: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "huge.csv"
    path.write_text("a,b\n" + "".join(f"{i},{value if i == 70 else i}\n" for i in range(300)))
    for where in (served, ()):
        outcome = kineseg("segment", path, *SEGMENT, *where)
        assert outcome.status == 2
        assert "channel 'b'" in outcome.err
        assert "1e+09" in outcome.err
    demo = kineseg("demo", path, *SEGMENT, "--speed", "100", "--out", tmp_path / "demo")
    assert demo.status == 2
    assert "channel 'b'" in demo.err


def test_a_pause_in_a_file_is_a_gap_in_its_result(kineseg: Command, long_file: Path, tmp_path: Path) -> None:
    lines = long_file.read_text().splitlines()
    path, out = tmp_path / "pause.csv", tmp_path / "events.jsonl"
    rows = [f"{i / 100 + (3 if i >= 3000 else 0):.2f},{line}" for i, line in enumerate(lines[1:])]
    path.write_text("\n".join(["time," + lines[0], *rows]) + "\n")
    outcome = kineseg("segment", path, "--model", "scratch", "--out", out, "--plot", tmp_path / "pause.png")
    assert outcome.status == 0, outcome.err
    events = [json.loads(line) for line in out.read_text().splitlines()]
    gap = next(event for event in events if event["kind"] == "gap")
    assert (gap["frame"], gap["cuts"]) == (3000, True)
    assert 3000 in [event["end_frame"] for event in events if event["kind"] == "segment_closed"]
    assert events[-1]["frames"] == 6000


def test_a_server_that_is_drained_in_the_middle(kineseg: Command, long_file: Path, tmp_path: Path) -> None:
    out, labels = tmp_path / "events.jsonl", tmp_path / "labels.csv"
    with BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server:
        arguments = ("segment", long_file, *SEGMENT, "--realtime", "--server", server.address)
        process = start([*arguments, "--out", out, "--labels", labels])
        until_written(out)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    done, of = reach(err)
    assert 0 <= done < of == 6000
    assert f"after {done} of 6000 frames: it is shutting down (trying again may help)" in err
    # What there was until then is complete in itself.
    assert json.loads(out.read_text().splitlines()[-1])["reason"] == "drained"
    assert len(labels.read_text().splitlines()) == 6001


def test_a_session_that_somebody_closes(long_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    settings = Settings(port=0, metrics_port=None, log_level="error")
    with BackgroundServer(settings) as server, Client(server.address) as client:
        process = start(["segment", long_file, *SEGMENT, "--realtime", "--server", server.address, "--out", out])
        until_written(out)
        [session] = client.sessions()
        client.close_session(session.session_id)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    done, of = reach(err)
    assert 0 <= done < of == 6000
    assert f"after {done} of 6000 frames: somebody closed the session" in err
    assert "trying again" not in err
    assert json.loads(out.read_text().splitlines()[-1])["reason"] == "closed"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_interrupted(number: signal.Signals, status: int, long_file: Path, tmp_path: Path) -> None:
    out, labels = tmp_path / "events.jsonl", tmp_path / "labels.csv"
    process = start(["segment", long_file, *SEGMENT, "--realtime", "--out", out, "--labels", labels])
    until_written(out)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status
    done, of = reach(err)
    assert 0 < done < of == 6000
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert (events[-1]["kind"], events[-1]["frames"]) == ("summary", done)
    assert len(labels.read_text().splitlines()) == 6001


def test_a_server_that_goes_away(long_file: Path, tmp_path: Path) -> None:
    serving = subprocess.Popen(
        [sys.executable, "-m", "kineseg_cli", "serve", "--port", "0", "--metrics-port", "-1"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"KINESEG_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert serving.stderr is not None
        lines: Iterator[str] = iter(serving.stderr)
        address = next(line.split('"address": "')[1].split('"')[0] for line in lines if '"address"' in line)
        out = tmp_path / "events.jsonl"
        process = start(
            ["segment", long_file, *SEGMENT, "--realtime", "--no-resume", "--server", address, "--out", out]
        )
        until_written(out)
        serving.kill()
        _, err = process.communicate(timeout=PATIENCE_S)
    finally:
        serving.kill()
        serving.wait()
        serving.stderr.close()  # type: ignore[union-attr]
    assert process.returncode == 1
    done, of = reach(err)
    assert done < of == 6000
    assert address in err


class Slow(pb_grpc.SegmentationServiceServicer):
    """Says that it has a model, and nothing afterwards."""

    def ListModels(self, request: pb.ListModelsRequest, context: grpc.ServicerContext) -> pb.ListModelsResponse:  # noqa: N802
        return pb.ListModelsResponse(models=[pb.Model(name="scratch", family="scratch")])

    def Segment(  # noqa: N802
        self, request_iterator: Iterator[pb.SegmentRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.SegmentResponse]:
        config = next(request_iterator).config
        model = pb.Model(name="scratch", family="scratch", channels=config.channels)
        yield pb.SegmentResponse(opened=pb.Opened(session_id="slow", model=model, max_chunk_frames=4096))
        for _ in request_iterator:
            pass  # and no answer


def test_a_server_that_never_answers_is_given_up(
    kineseg: Command, long_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kineseg import Limits

    monkeypatch.setattr(Limits.__init__, "__kwdefaults__", Limits.__init__.__kwdefaults__ | {"silence_s": 0.5})
    server = grpc.server(futures.ThreadPoolExecutor(4))
    pb_grpc.add_SegmentationServiceServicer_to_server(Slow(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        outcome = kineseg("segment", long_file, *SEGMENT, "--server", f"127.0.0.1:{port}")
    finally:
        server.stop(0).wait()
    assert outcome.status == 1
    assert reach(outcome.err) == (0, 6000)
    assert "has not answered for 0.5 s" in outcome.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize("option", ["--out", "--labels", "stdout", "--out -"])
def test_a_full_disk(option: str, long_file: Path, served: tuple[str, str]) -> None:
    arguments = ["segment", str(long_file), *SEGMENT, *served]
    if option.startswith("--"):
        arguments += ["--out", "-"] if option == "--out -" else [option, "/dev/full"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kineseg_cli", *arguments],
            stdout=full if "std" in option or option.endswith("-") else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert ("/dev/full" if option in ("--out", "--labels") else "standard output") in done.stderr


def test_a_reader_that_stops_reading(long_file: Path, served: tuple[str, str], tmp_path: Path) -> None:
    lines = long_file.read_text().splitlines()
    pauses = tmp_path / "pauses.csv"  # there is an event with each of them
    rows = [f"{i / 100 + i // 100 * 2:.2f},{line}" for i, line in enumerate(lines[1:])]
    pauses.write_text("\n".join(["time," + lines[0], *rows]) + "\n")
    process = start(["segment", pauses, "--model", "scratch", *served, "--realtime", "--out", "-"])
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(PATIENCE_S) == 1
    done, of = reach(err)
    assert done < of == 6000
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize(
    "arguments", [("segment", "FILE", *SEGMENT), ("segment", "FILE", *SEGMENT, "--out", "-"), ("models",)]
)
def test_a_command_that_is_started_without_standard_output(
    arguments: tuple[str, ...], long_file: Path, served: tuple[str, str]
) -> None:
    given = " ".join(str(long_file) if word == "FILE" else word for word in (*arguments, *served))
    done = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m kineseg_cli {given} >&-"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert "standard output: it is closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_needs_no_standard_output_does_without(long_file: Path, served: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    given = " ".join(["segment", str(long_file), *SEGMENT, *served, "--out", str(out)])
    done = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m kineseg_cli {given} >&-"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text().splitlines()[-1])["frames"] == 6000


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_cannot_be_written_changes_no_result(
    where: str, long_file: Path, served: tuple[str, str], tmp_path: Path
) -> None:
    if "full" in where and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, a disk that is always full")
    out = tmp_path / "events.jsonl"
    for given, status in ((["--out", str(out)], 0), (["--model", "nowhere"], 2)):
        words = " ".join(["segment", str(long_file), *SEGMENT, *served, *given])
        done = subprocess.run(
            ["bash", "-c", f"exec {sys.executable} -m kineseg_cli {words} {where}"],
            stdout=subprocess.PIPE,
            timeout=PATIENCE_S,
        )
        assert done.returncode == status
    assert json.loads(out.read_text().splitlines()[-1])["frames"] == 6000


def test_what_is_assumed_of_a_file_is_said(kineseg: Command, tmp_path: Path) -> None:
    path = tmp_path / "sensor.csv"
    path.write_text("Time (ms),left.x,left.y,left.z\n" + "".join(f"{10 * i},{i},0,1\n" for i in range(100)))
    outcome = kineseg("segment", path, "--model", "scratch")
    assert outcome.status == 0, outcome.err
    assert "sensor.csv: column 'Time (ms)' is taken as the time in milliseconds" in outcome.err
    assert "sent as they are, not as poses of a body" in outcome.err
    shown = kineseg("demo", path, "--model", "scratch", "--speed", "100", "--out", tmp_path / "demo")
    assert "'Time (ms)' is taken as the time" in shown.err
