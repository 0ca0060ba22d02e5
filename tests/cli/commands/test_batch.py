"""`kineseg batch`: archives into one Parquet file, whatever becomes of single files and of the job itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import kineseg as sdk
import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
from kineseg.motion import generate, read
from kineseg_service.server import BackgroundServer

from tests.cli.command import Command, start

PATIENCE_S = 300.0
ACTIONS = ("walk", "squat", "wave")


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three takes of a few seconds, in folders."""
    folder = tmp_path_factory.mktemp("archive")
    for seed in range(3):
        motion = generate(seed, rate=60.0, actions=ACTIONS, n_segments=2)
        assert motion.positions is not None
        path = folder / f"day {seed}" / f"take_{seed}.npz"
        path.parent.mkdir()
        np.savez(path, positions=motion.positions, rate=motion.rate, joints=np.array(motion.joints))
    return folder


@pytest.fixture
def archive(takes: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(takes, tmp_path / "archive"))


def rows(out: Path) -> list[dict[str, object]]:
    return pq.read_table(out).to_pylist()


def test_an_archive_is_one_table_and_started_again_only_what_failed_is_done(
    kineseg: Command, archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "segments.parquet"
    damaged = archive / "damaged.npz"
    damaged.write_bytes(b"PK\x03\x04 no recording")
    outcome = kineseg("batch", archive / "**" / "*.npz", "--out", out, "--workers", "1")
    assert outcome.status == 1
    assert f"failed: {damaged}" in outcome.err
    (failed,) = map(json.loads, Path(f"{out}.failed.jsonl").read_text().splitlines())
    assert failed["file"] == str(damaged)
    assert not Path(f"{out}.parts").exists()

    first = rows(out)
    files = sorted(str(path) for path in archive.rglob("take_*"))
    assert list(dict.fromkeys(row["file"] for row in first)) == files  # in their order, each together
    for file in files:
        (mine, found) = [row for row in first if row["file"] == file], sdk.segment(read(file))
        assert [(row["start_frame"], row["end_frame"], row["label"]) for row in mine] == [
            (segment.start_frame, segment.end_frame, segment.label) for segment in found.segments
        ]
        assert {row["n_frames"] for row in mine} == {found.n_frames}
        embeddings = [segment.embedding for segment in found.segments]
        np.testing.assert_array_equal([row["embedding"] for row in mine], np.float32(embeddings))

    shutil.copy(files[0], damaged)
    again = kineseg("batch", archive / "**" / "*.npz", "--out", out)
    assert again.status == 0, again.err
    assert "4 files, 3 of them done before" in again.err
    assert not Path(f"{out}.failed.jsonl").exists()
    assert [row for row in rows(out) if row["file"] != str(damaged)] == first


def test_a_job_that_was_killed_goes_on(kineseg: Command, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "segments.parquet"
    arguments = ("batch", archive / "**" / "*.npz", "--out", out, "--workers", "1")
    cut = start(arguments)
    parts = Path(f"{out}.parts")
    deadline = time.monotonic() + PATIENCE_S
    while not list(parts.glob("*.parquet")):
        assert time.monotonic() < deadline
        assert cut.poll() is None, cut.communicate()
        time.sleep(0.01)
    processes = psutil.Process(cut.pid).children(recursive=True)
    cut.send_signal(signal.SIGKILL)
    cut.communicate()
    psutil.wait_procs(processes, timeout=PATIENCE_S)
    assert not [process for process in processes if process.is_running()]  # none is left behind
    done = len(list(parts.glob("*.parquet")))
    outcome = kineseg(*arguments)
    assert outcome.status == 0, outcome.err
    assert f"3 files, {done} of them done before" in outcome.err
    assert {row["file"] for row in rows(out)} == {str(path) for path in archive.rglob("*.npz")}


def test_a_process_that_dies_takes_no_file_with_it(archive: Path) -> None:
    from kineseg.batch import Choices, Outcome, run

    killed: list[int] = []

    def done(outcome: Outcome | None) -> None:
        if not killed:
            # Those that other tests have killed may be there still, and have no command line.
            alive = (child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE)
            (worker,) = (child for child in alive if "spawn_main" in " ".join(child.cmdline()))
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)

    files = sorted(archive.rglob("*.npz"))
    report = run(files, archive / "segments.parquet", Choices(), workers=1, on_done=done)
    assert killed
    assert (report.failed, report.left) == ((), 0)
    assert {row["file"] for row in rows(archive / "segments.parquet")} == set(map(str, files))


def test_a_server_gives_the_same_table(kineseg: Command, archive: Path, tmp_path: Path) -> None:
    file = next(archive.rglob("take_1.npz"))
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    assert kineseg("batch", file, "--out", here).status == 0
    with BackgroundServer() as server:
        outcome = kineseg("batch", file, "--out", there, "--server", server.address)
    assert outcome.status == 0, outcome.err
    assert rows(there) == rows(here) != []


def test_what_cannot_be_done_for_any_file_is_said_at_once(kineseg: Command, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "segments.parquet"
    nothing = kineseg("batch", archive / "*.bvh", "--out", out)
    assert (nothing.status, "no file fits" in nothing.err) == (2, True)
    folder = kineseg("batch", archive, "--out", out)
    assert (folder.status, "that is a folder" in folder.err) == (2, True)
    late = kineseg("batch", archive / "**" / "*.npz", "--out", out, "--latency", "99", "--workers", "1")
    assert (late.status, "latency" in late.err) == (2, True)
    gone = kineseg("batch", archive / "**" / "*.npz", "--out", out, "--server", "127.0.0.1:1")
    assert gone.status == 1, gone.err
    out.write_text("mine")
    kept = kineseg("batch", archive / "**" / "*.npz", "--out", out)
    assert (kept.status, "no output of an earlier job" in kept.err) == (2, True)
    assert out.read_text() == "mine"
