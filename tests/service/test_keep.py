"""The engine gives snapshots of streams that run, and goes on from them in other slots of another engine."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.errors import BadSnapshot
from kineseg_core.events import Ack, EndReason, Event, Output
from kineseg_core.generic import ScratchDecoders
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.kept.sealing import Pieces, sealed
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.snapshot import Snapshot, SnapshotWriter
from kineseg_service.api.codes import CODE_NAMES
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.deliveries import HandOver
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Keep, ScheduledStream

from tests.same_events import content
from tests.service.talk import motion, until

CHUNK = 40


class Running:
    """An engine, and what its streams give."""

    def __init__(self, opener: Opener, decoder: Decoder) -> None:
        self.opener, self._scratch = opener, ScratchDecoders(slots=8, max_batch=4)
        self.engine = Engine({"tiny": decoder}, BoundaryNetwork(opener.network), Metrics(CODE_NAMES))
        self.given: dict[ScheduledStream, list[Output]] = defaultdict(list)
        self.ended: set[ScheduledStream] = set()
        self.engine.start(self._deliver)

    def open(self, request: StreamRequest, snapshot: Snapshot | None = None) -> ScheduledStream:
        session = self.opener.session(request) if snapshot is None else snapshot.reopened(self.opener)
        plan = session.config.plan
        own = None if plan is None else self._scratch.get(plan)
        return self.engine.open(session, own, snapshot).result()

    def _deliver(self, hand_over: HandOver) -> None:
        for stream, frames, _ in hand_over.through:
            self.given[stream].append(Ack(frames))
        for delivery in hand_over.deliveries:
            self.given[delivery.stream] += delivery.outputs
            delivery.stream.written = delivery.stream.produced
            if delivery.summary is not None:
                self.ended.add(delivery.stream)
        for then, snapshot in hand_over.snapshots:
            then(snapshot)


@contextmanager
def running(opener: Opener, decoder: Decoder) -> Iterator[Running]:
    made = Running(opener, decoder)
    yield made
    made.engine.stop()


@pytest.fixture(scope="module")
def tiny_opener(tiny: Path) -> Opener:
    return Opener({"tiny": load_bundle(tiny)})


def decoder_of(opener: Opener) -> Decoder:
    bundle = opener.bundle("tiny")
    assert bundle is not None
    return Decoder(bundle, "cpu", slots=8, max_batch=4)


REQUESTS = [
    StreamRequest(30.0, model="tiny", reports_per_hour=100.0), StreamRequest(60.0, model="tiny"),
    StreamRequest(30.0, model="scratch", channels=("a", "b", "c")),
    StreamRequest(30.0, model="scratch", channels=tuple("abcdef")),
]  # fmt: skip


@given(cut=st.integers(0, 20), seed=st.integers(0, 99))
@settings(max_examples=3)
def test_streams_that_run_together_go_on_elsewhere_as_if_nothing_had_happened(
    tiny_opener: Opener, cut: int, seed: int
) -> None:
    order = random.Random(seed)
    sources = [motion(800, len(request.channels) or 3, seed + at) for at, request in enumerate(REQUESTS)]

    def go(before: Running, after: Running | None) -> list[list[Output]]:
        given: list[list[Output]] = []
        states: dict[int, Pieces] = {}
        streams = [before.open(request) for request in REQUESTS]
        for number in range(20):
            if number == cut and after is not None:
                for at, stream in enumerate(streams):
                    writer = SnapshotWriter(stream.session, before.opener)
                    before.engine.submit(stream, [Keep(writer, writer.received(), partial(states.__setitem__, at))])
                until(lambda: len(states) == len(streams), "all are kept")
                given = [before.given[stream] for stream in streams]
                for at in order.sample(range(len(streams)), len(streams)):
                    streams[at] = after.open(REQUESTS[at], Snapshot.read(sealed(b"".join(states[at]))))
            where = before if after is None or number < cut else after
            for at, stream in enumerate(streams):
                data = np.ascontiguousarray(sources[at][number * CHUNK : (number + 1) * CHUNK]).tobytes()
                where.engine.submit(stream, list(stream.session.take(number * CHUNK, data, ())))
        where = before if after is None or cut >= 20 else after
        for stream in streams:
            where.engine.submit(stream, stream.session.end(EndReason.COMPLETED))
        until(lambda: len(where.ended) == len(streams), "all have come to their ends")
        rest = [where.given[stream] for stream in streams]
        return rest if where is before else [first + then for first, then in zip(given, rest, strict=True)]

    with (
        running(tiny_opener, decoder_of(tiny_opener)) as alone,
        running(tiny_opener, decoder_of(tiny_opener)) as before,
        running(tiny_opener, decoder_of(tiny_opener)) as after,
    ):
        expected, got = go(alone, None), go(before, after)
    assert [content(each) for each in got] == [content(each) for each in expected]
    assert sum(isinstance(output, Event) for each in got for output in each) > 20


def test_a_snapshot_that_does_not_fit_takes_no_slot(tiny_opener: Opener) -> None:
    decoder = decoder_of(tiny_opener)
    with running(tiny_opener, decoder) as server:
        session = tiny_opener.session(REQUESTS[0])
        session.settle_in()  # keeps its numbers itself: there is no row
        writer = SnapshotWriter(session, tiny_opener)
        snapshot = Snapshot.of(b"".join(writer.whole(writer.received(), np.zeros(12, np.float32))))
        with pytest.raises(BadSnapshot, match="is Segmenter, and should be RowSegmenter"):
            server.open(REQUESTS[0], snapshot)
        assert decoder.free_slots == 8
