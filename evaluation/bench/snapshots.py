"""What it costs to keep streams beside their server: size of a snapshot, and time in each thread that it takes."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from kineseg.motion import Joints, canonical_pose, generate
from kineseg_core.events import Output
from kineseg_core.in_process import InProcessStream
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.snapshot import Snapshot, SnapshotWriter
from kineseg_service.stores.sealing import Seal
from kineseg_service.stores.sqlite import SqliteStore
from kineseg_service.stores.store import FIRST, Key, Write
from numpy.typing import NDArray
from rich.table import Table

from evaluation.bench.parts import Report

F32 = NDArray[np.float32]
RATE_HZ, SECONDS, CHUNK = 60.0, 40.0, 300
TIMES, TOGETHER = 40, 64


@dataclass(frozen=True)
class SnapshotCost:
    """Of a stream that has run for a while; medians, microseconds of CPU time for each snapshot.

    Attributes:
        of: What the stream is.
        kib: Size.
        received_us: In the thread that takes chunks.
        decided_us: In the thread that steps all streams.
        sealed_us: In the thread that takes chunks.
        sqlite_us: In the store's thread, to write it to a file with others.
        resumed_us: To open the stream again and go on, without opening a model.
    """

    of: str
    kib: float
    received_us: float
    decided_us: float
    sealed_us: float
    sqlite_us: float
    resumed_us: float


def measure() -> list[SnapshotCost]:
    """One stream of each kind."""
    path = packaged_bundle()
    if path is None:
        raise RuntimeError("there is no packaged bundle to be measured")
    opener = Opener({"motion": load_bundle(path)})
    person = generate(1, SECONDS, RATE_HZ)
    assert person.positions is not None
    pose = np.asarray(canonical_pose(person).frames, np.float32)
    joints = np.asarray(person.positions, np.float32).reshape(len(pose), -1)
    few, many = (tuple(f"c{i}" for i in range(count)) for count in (3, 60))
    return [
        _cost("motion, 59 channels", opener, StreamRequest(RATE_HZ), pose),
        _cost("the same, behaviour watched", opener, StreamRequest(RATE_HZ, reports_per_hour=30.0), pose),
        _cost("motion, 19 joints", opener, StreamRequest(RATE_HZ, joints=Joints.of(person)), joints),
        _cost("scratch, 3 channels", opener, StreamRequest(RATE_HZ, model="scratch", channels=few), pose[:, :3]),
        _cost("scratch, 60 channels", opener, StreamRequest(RATE_HZ, model="scratch", channels=many), joints[:, -57:]),
    ]


def _cost(of: str, opener: Opener, request: StreamRequest, frames: F32) -> SnapshotCost:
    if len(request.channels) > frames.shape[1]:
        frames = np.concatenate([frames, frames[:, : len(request.channels) - frames.shape[1]]], axis=1)
    session = opener.session(request)
    stream = InProcessStream(session, opener.bundle(session.config.model), opener.network)
    given: list[Output] = []
    for first in range(0, len(frames), CHUNK):
        stream.take(first, np.ascontiguousarray(frames[first : first + CHUNK], "<f4").tobytes(), (), given)
    writer = SnapshotWriter(session, opener)
    payload = stream.snapshot(opener)
    snapshot = Snapshot.of(payload)
    state = snapshot.state_of(stream.bundle.state_size)
    received = writer.received()

    seal = Seal(bytes(32))

    def resume() -> None:
        snapshot.resume(snapshot.reopened(opener))

    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "streams.db")
        writes = [Write(Key("", f"{n}"), FIRST, b"", payload, 600.0) for n in range(TOGETHER)]
        written_us = _us(lambda: store.write(writes), times=5) / TOGETHER
        store.close()
    return SnapshotCost(
        of, len(payload) / 1024.0, _us(writer.received), _us(lambda: writer.whole(received, state)),
        _us(lambda: seal.sealed(Key("", "0"), b"", [payload])), written_us, _us(resume),
    )  # fmt: skip


def _us(work: Callable[[], object], times: int = TIMES) -> float:
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent) * 1e6


def report(_: float) -> Report:
    """Measures, as rows and as a table."""
    costs = measure()
    table = Table(
        "stream", "KiB", "received", "decided", "sealed", "SQLite", "resumed",
        title=f"snapshots, us of CPU each; {TOGETHER} written together",
    )  # fmt: skip
    for cost in costs:
        times = (cost.received_us, cost.decided_us, cost.sealed_us, cost.sqlite_us, cost.resumed_us)
        table.add_row(cost.of, f"{cost.kib:.0f}", *(f"{each:.0f}" for each in times))
    return [asdict(cost) for cost in costs], table
