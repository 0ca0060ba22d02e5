"""Chunks that wait in columns give what they give one by one, whatever else comes of their streams meanwhile."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Event as Flag

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.events import Ack, EndReason, Event, FrameResult, Output
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.together import take_together
from kineseg_core.kept.sealing import Pieces
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.snapshot import Snapshot, SnapshotWriter
from kineseg_service.api.codes import CODE_NAMES
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler import engine, pace
from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.deliveries import HandOver
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Keep, ScheduledStream, Submitted

from tests.same_events import content
from tests.service.talk import PATIENCE_S, motion, until

REQUESTS = [
    StreamRequest(120.0, model="tiny"),
    StreamRequest(60.0, model="tiny", frame_results=True),
    StreamRequest(120.0, model="tiny"),
    StreamRequest(30.0, model="tiny", frame_results=True),
    StreamRequest(60.0, model="tiny"),
]
MOTION = [motion(800, 3, seed) for seed in range(len(REQUESTS))]


@pytest.fixture(scope="module")
def opener(tiny: Path) -> Opener:
    return Opener({"tiny": load_bundle(tiny)})


class Running:
    """An engine that steps three at a time, and what its streams give; clients read when they are asked to."""

    def __init__(self, opener: Opener, tick_s: float = 0.0) -> None:
        bundle = opener.bundle("tiny")
        assert bundle is not None
        self.decoder = Decoder(bundle, "cpu", slots=8, max_batch=3)
        network = BoundaryNetwork(opener.network)
        self.engine = Engine({"tiny": self.decoder}, network, Metrics(CODE_NAMES), queue_responses=20, tick_s=tick_s)
        self.sessions = [opener.session(request) for request in REQUESTS]
        self.engine.start(self._deliver)
        self.streams = [self.engine.open(session).result() for session in self.sessions]
        self.given: dict[ScheduledStream, list[Output]] = {stream: [] for stream in self.streams}
        self.passed = dict.fromkeys(self.streams, 0)
        self.taken = dict.fromkeys(self.streams, 0)
        self.ended = set[ScheduledStream]()
        self.kept: dict[tuple[int, int], Pieces] = {}
        self._writers = [SnapshotWriter(session, opener) for session in self.sessions]

    def _deliver(self, hand_over: HandOver) -> None:
        for stream, frames, passed in hand_over.through:
            self.given[stream].append(Ack(frames))
            self.passed[stream] = passed
        for delivery in hand_over.deliveries:
            assert delivery.passed >= self.passed[delivery.stream]
            self.passed[delivery.stream] = delivery.passed
            self.given[delivery.stream] += delivery.outputs
            if delivery.summary is not None:
                self.ended.add(delivery.stream)
        for then, snapshot in hand_over.snapshots:
            then(snapshot)

    def read(self, at: int) -> None:
        """A client takes all that there is."""
        stream = self.streams[at]
        stream.written = stream.produced
        self.engine.wake(stream)

    def send(self, chunks: dict[int, tuple[int, bytes]], *, as_many: int | None = None) -> None:
        """Chunks come, and are taken together; `as_many`: as if they were so many, see `Engine.submit_many`."""
        numbers = [*chunks]
        sent = [(self.sessions[at].intake, first, data, ()) for at, (first, data) in chunks.items()]
        taken: list[Submitted | SentChunks] = []
        plain, others = take_together(sent)
        for alike in plain:
            streams = [self.streams[numbers[place]] for place in alike.places]
            taken.append(SentChunks(streams, [0.0] * len(streams), alike))
        for place, items in others.items():
            assert items is not None
            taken.append((self.streams[numbers[place]], [*items], 0.0))
        self.engine.submit_many(taken, gathered=True, chunks=as_many)

    def keep(self, at: int) -> None:
        """A snapshot is written between two chunks: in `kept`, by whose it is and how many of its frames are in it."""
        writer, frames = self._writers[at], self.sessions[at].intake.received
        self.engine.submit(
            self.streams[at], [Keep(writer, writer.received(), partial(self.kept.__setitem__, (at, frames)))]
        )

    def end(self, at: int) -> None:
        self.engine.submit(self.streams[at], self.sessions[at].end(EndReason.COMPLETED))

    def abandon(self, at: int) -> None:
        gone = Flag()
        self.engine.abandon(self.streams[at], gone.set)
        assert gone.wait(PATIENCE_S)


def alone(
    opener: Opener, at: int, cuts: list[tuple[int, int]], holes: set[int], keep_at: set[int]
) -> tuple[list[Output], dict[tuple[int, int], Pieces]]:
    """What a stream gives whose chunks are taken by themselves, and whose client reads; and snapshots of it."""
    running = Running(opener)
    stream, session = running.streams[at], running.sessions[at]
    for first, end in cuts:
        running.engine.submit(stream, [*session.take(first, data_of(at, first, end, holes), ())])
        if end in keep_at:
            running.keep(at)
        running.engine.call(partial(running.read, at)).result()
    running.end(at)
    until(lambda: running.read(at) or stream in running.ended, "it has come to its end")
    running.engine.stop()
    return running.given[stream], running.kept


def decided(pieces: Pieces) -> object:
    """What a snapshot says of all that is decided of a stream."""
    snapshot = Snapshot.of(b"".join(pieces))
    return snapshot._decided, snapshot._blob


def data_of(at: int, first: int, end: int, holes: set[int]) -> bytes:
    frames = MOTION[at][first:end].copy()
    frames[[frame - first for frame in holes if first <= frame < end], 1] = np.nan
    return np.ascontiguousarray(frames).tobytes()


Turn = tuple[list[int], str, int]


@given(
    turns=st.lists(
        st.tuples(
            st.lists(st.integers(0, 24), min_size=len(REQUESTS), max_size=len(REQUESTS)),
            st.sampled_from(["", "few", "some", "keep", "read", "hole", "read", "fast"]),
            st.integers(0, len(REQUESTS) - 1),
        ),
        min_size=10,
        max_size=40,
    ),
    leaves=st.integers(0, 60),
)
@settings(max_examples=6)
def test_together_is_as_alone(opener: Opener, turns: list[Turn], leaves: int) -> None:
    running = Running(opener)
    cuts: list[list[tuple[int, int]]] = [[] for _ in REQUESTS]
    holes: list[set[int]] = [set() for _ in REQUESTS]
    sent = [0] * len(REQUESTS)
    left = 0 if leaves < len(turns) else None
    for number, (sizes, what, whose) in enumerate(turns):
        if what == "hole":
            holes[whose].add(sent[whose])
        if what == "fast":
            running.streams[whose].ahead = not running.streams[whose].ahead
        if number == leaves:
            running.abandon(0)
        chunks = {}
        for at, size in enumerate(sizes):
            if size and not (at == left and number >= leaves) and sent[at] + size <= len(MOTION[at]):
                chunks[at] = sent[at], data_of(at, sent[at], sent[at] + size, holes[at])
                cuts[at].append((sent[at], sent[at] + size))
                sent[at] += size
        running.send(chunks, as_many={"few": len(chunks), "some": 20}.get(what))
        if what == "keep" and whose != left:
            running.keep(whose)
        if what == "read":
            running.read(whose)
    going = [at for at in range(len(REQUESTS)) if at != left]
    for at in going:
        running.end(at)
    streams = {running.streams[at] for at in going}
    until(lambda: [running.read(at) for at in going] and running.ended >= streams, "all have come to their ends")
    running.engine.stop()
    assert running.decoder.free_slots == 8
    for at in going:
        given = running.given[running.streams[at]]
        kept = {frames: payload for (whose, frames), payload in running.kept.items() if whose == at}
        expected, kept_alone = alone(opener, at, cuts[at], holes[at], kept.keys() - {0})
        assert content(given) == content(expected)
        for frames in kept.keys() - {0}:
            assert decided(kept[frames]) == decided(kept_alone[at, frames])
        assert any(isinstance(output, Event | FrameResult) for output in given)


def all_through(running: Running, frames: int) -> bool:
    """Whether all of so many frames has gone through of each stream; clients read meanwhile."""
    for at in range(len(REQUESTS)):
        running.streams[at].written = running.streams[at].produced
    return all(Ack(frames) in running.given[stream] for stream in running.streams)


def test_what_another_thread_has_begun_is_not_left_to_gather(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has no time for goes on at once, and gives the same, however long a tick is."""
    monkeypatch.setattr(pace, "_EACH_S", 1.0)  # so that whatever comes would wait for a tick
    monkeypatch.setattr(engine, "_IN_PLACE_S", 0.0)
    running = Running(opener, tick_s=3600.0)
    cuts = [(first, first + 12) for first in range(0, 240, 12)]
    for first, end in cuts:
        running.send({at: (first, data_of(at, first, end, set())) for at in range(len(REQUESTS))}, as_many=20)
        until(partial(all_through, running, end), "all has gone through")
    running.engine.stop()
    for at, stream in enumerate(running.streams):
        expected, _ = alone(opener, at, cuts, set(), set())
        given = content(running.given[stream])
        assert given == content(expected)[: len(given)]
