"""Many live streams on few calls, by our own client in a process of its own: how long acknowledgements and events take.

As a gateway would, the client sends what has come in of all streams every few milliseconds. Every stream has a person
of its own, or the same one at another time, so that their segments end at different times.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

import kineseg
import numpy as np
import psutil
from kineseg.motion import canonical_pose, generate
from kineseg.v1 import segmentation_pb2 as pb
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import Running, Several, kineseg_server

RATE = 120.0
CHUNK_S = 0.05
SEND_S = 0.01
"""What has come in is sent this often."""
COUNTS = ((64, 1), (128, 1), (256, 1), (384, 1), (512, 1), (1000, 4))
"""How many streams, on how many calls."""
_PEOPLE = 16


@dataclass(frozen=True)
class Source:
    """What each stream sends.

    Attributes:
        rate: Frames a second.
        chunk_s: Seconds of them in a chunk.
        channels: Numbers in a frame, which `scratch` is given; 0: poses, for the default model.
    """

    rate: float = RATE
    chunk_s: float = CHUNK_S
    channels: int = 0

    @property
    def chunk(self) -> int:
        """Frames in a chunk."""
        return round(self.rate * self.chunk_s)


@dataclass(frozen=True)
class ManyLoad:
    """A server under so many live streams.

    Attributes:
        streams, calls: How many.
        p50_ms, p99_ms: From sending a chunk to its acknowledgement.
        events: How many came.
        event_p50_ms, event_p99_ms: From sending the chunk that decided an event to the event.
        late_share: Of the chunks: not acknowledged when the next one is due, whoever was slow.
        server_cpu_share, client_cpu_share: Of one core, while chunks were due.
        server_us_per_chunk, client_us_per_chunk: The same for each chunk that was acknowledged meanwhile.
    """

    streams: int
    calls: int
    p50_ms: float
    p99_ms: float
    events: int
    event_p50_ms: float
    event_p99_ms: float
    late_share: float
    server_cpu_share: float
    client_cpu_share: float
    server_us_per_chunk: float
    client_us_per_chunk: float


def measure(
    seconds: float, counts: tuple[tuple[int, int], ...] = COUNTS, *, processes: int = 1, source: Source = Source()
) -> list[ManyLoad]:
    """Streams `seconds` of motion in real time for each number of streams and calls.

    Args:
        seconds: How long.
        counts: Streams and calls of each load.
        processes: Of the server; each call is on a connection of its own, so that they are shared among them.
        source: What each stream sends.

    Raises:
        RuntimeError: The client could not go on.
    """
    found = []
    for streams, calls in counts:
        with kineseg_server(processes) as server:
            found.append(load(server, streams, calls, seconds, source=source))
    return found


def load(
    server: Running | Several,
    streams: int,
    calls: int,
    seconds: float,
    *,
    source: Source = Source(),
    resume: bool = True,
    begun: Callable[[], object] = lambda: None,
) -> ManyLoad:
    """The same, of one load of a server that runs, or of several.

    Args:
        server: Under it.
        streams, calls: How many.
        seconds: How long.
        source: What each stream sends.
        resume: Whether streams are to outlive their calls.
        begun: Is called when they begin to send.

    Raises:
        RuntimeError: The client could not go on.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    given = theirs, server, streams, calls, seconds, source, resume
    process = context.Process(target=_client, args=given, daemon=True)
    process.start()
    theirs.close()  # so that a client that fails ends the waiting
    try:
        ours.recv()
        begun()
        found: ManyLoad = ours.recv()
    except EOFError:
        raise RuntimeError("the client failed; it has said why") from None
    finally:
        process.join()
    return found


def _client(
    connection: Connection,
    server: Running | Several,
    streams: int,
    calls: int,
    seconds: float,
    source: Source,
    resume: bool,
) -> None:
    lasts_s = max(seconds, 20.0)
    seeds = range(min(_PEOPLE, streams))
    people = [canonical_pose(generate(seed, lasts_s, source.rate)).frames.astype("<f4") for seed in seeds]
    config = kineseg.StreamConfig(rate=source.rate, chunk_s=source.chunk_s, resume=resume)
    if source.channels:
        people = [_signals(person, source.channels) for person in people]
        names = [f"c{number}" for number in range(source.channels)]
        config = dataclasses.replace(config, model="scratch", channels=names)
    with contextlib.ExitStack() as stack:
        addresses = itertools.islice(itertools.cycle(server.addresses), calls)
        clients = [stack.enter_context(kineseg.Client(address)) for address in addresses]
        groups = [
            _Group(client, config, source, streams // calls, people, group) for group, client in enumerate(clients)
        ]
        threads = [threading.Thread(target=group.run, args=(seconds,)) for group in groups]
        own = psutil.Process()
        connection.send("begun")
        before = server.cpu_seconds(), _cpu_s(own), time.perf_counter()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        server_s, own_s, took_s = (
            after - first
            for after, first in zip((server.cpu_seconds(), _cpu_s(own), time.perf_counter()), before, strict=True)
        )
        ended = time.perf_counter()
        for thread in threads:
            thread.join()
    waits = np.concatenate([group.waits() for group in groups])
    events = np.concatenate([group.event_waits() for group in groups])
    chunks = max(1, sum(group.count_acknowledged(ended) for group in groups))
    connection.send(
        ManyLoad(
            streams=streams,
            calls=calls,
            p50_ms=_percentile_ms(waits, 50),
            p99_ms=_percentile_ms(waits, 99),
            events=len(events),
            event_p50_ms=_percentile_ms(events, 50),
            event_p99_ms=_percentile_ms(events, 99),
            late_share=float(np.concatenate([group.late() for group in groups]).mean()),
            server_cpu_share=server_s / took_s,
            client_cpu_share=own_s / took_s,
            server_us_per_chunk=server_s / chunks * 1e6,
            client_us_per_chunk=own_s / chunks * 1e6,
        )
    )


def _signals(person: Any, channels: int) -> Any:
    """``(T, channels)`` of a person's numbers, over again where there are not as many."""
    return np.ascontiguousarray(np.take(person, range(channels), axis=1, mode="wrap"))


def _percentile_ms(seconds: Any, which: float) -> float:
    return float(np.percentile(seconds, which) * 1e3) if len(seconds) else 0.0


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Group:
    """The streams of one call."""

    def __init__(
        self,
        client: kineseg.Client,
        config: kineseg.StreamConfig,
        source: Source,
        count: int,
        people: list[Any],
        group: int,
    ) -> None:
        self._source = source
        self._many = client.streams()
        self._streams = self._many.open_all([config] * count)
        self._numbers = {stream: at for at, stream in enumerate(self._streams)}
        self._frames = [
            np.roll(people[i % len(people)], 997 * i, axis=0) for i in range(group * count, (group + 1) * count)
        ]
        self._due: list[list[float]] = [[] for _ in range(count)]
        self._sent: list[list[float]] = [[] for _ in range(count)]
        self._acked: list[list[float]] = [[] for _ in range(count)]
        self._events: list[tuple[int, int, float]] = []
        self._watch_acknowledgements()

    def run(self, seconds: float) -> None:
        """Sends everything in real time: each chunk of a stream at its own moment within its length."""
        size, count = self._source.chunk, len(self._streams)
        reader = threading.Thread(target=self._read)
        reader.start()
        slots = round(self._source.chunk_s / SEND_S)
        start = time.perf_counter()
        for turn in range(round(seconds / SEND_S)):
            time.sleep(max(0.0, start + turn * SEND_S - time.perf_counter()))
            first = turn // slots * size
            due = range(turn % slots, count, slots)
            now = time.perf_counter()
            for i in due:
                self._due[i].append(start + turn * SEND_S)
                self._sent[i].append(now)
            self._many.send(
                {self._streams[i]: self._frames[i].take(range(first, first + size), 0, mode="wrap") for i in due}
            )
        self._many.end_input()
        reader.join()
        self._many.cancel()

    def waits(self) -> Any:
        """Of all chunks, seconds from sending to acknowledgement."""
        return np.concatenate([np.array(acked) - sent for acked, sent in zip(self._acked, self._sent, strict=True)])

    def late(self) -> Any:
        """Of all chunks, whether they were not acknowledged when the next one was due."""
        return np.concatenate(
            [
                np.array(acked) > np.array(due) + self._source.chunk_s
                for acked, due in zip(self._acked, self._due, strict=True)
            ]
        )

    def count_acknowledged(self, until: float) -> int:
        """How many chunks were acknowledged until then."""
        return sum(at <= until for acked in self._acked for at in acked)

    def event_waits(self) -> Any:
        """Of all events that a chunk decided, seconds from sending it to the event."""
        size = self._source.chunk
        return np.array([at - self._sent[number][frame // size] for number, frame, at in self._events])

    def _read(self) -> None:
        for stream, item in self._many:
            if isinstance(item, kineseg.KinesegError):
                raise item
            at = time.perf_counter()
            if (
                not isinstance(item, kineseg.Summary | kineseg.FrameResult | kineseg.Reconnected)
                and stream.summary is None
            ):
                self._events.append((self._numbers[stream], item.decided_frame, at))

    def _watch_acknowledgements(self) -> None:
        """Notes when they come, of which the client tells only that they have."""
        protocol = self._many._protocol
        receive = protocol.receive
        size = self._source.chunk

        def noting(response: pb.SegmentManyResponse, call: int) -> None:
            now = time.perf_counter()
            for number, frames in zip(response.acked_sessions, response.acked_frames, strict=True):
                acked = self._acked[number - 1]
                acked.extend([now] * (frames // size - len(acked)))  # none where it is said again
            receive(response, call)

        protocol.receive = noting  # type: ignore[method-assign]


COLUMNS = ("p50 ms", "p99 ms", "events p50", "p99", "late", "server CPU", "us a chunk", "client CPU", "us a chunk")


def columns(load: ManyLoad) -> tuple[str, ...]:
    """A load's figures, for `COLUMNS`."""
    return (
        f"{load.p50_ms:.1f}",
        f"{load.p99_ms:.1f}",
        f"{load.event_p50_ms:.1f}",
        f"{load.event_p99_ms:.1f}",
        f"{load.late_share:.2%}",
        f"{load.server_cpu_share:.0%} of a core",
        f"{load.server_us_per_chunk:.0f}",
        f"{load.client_cpu_share:.0%} of a core",
        f"{load.client_us_per_chunk:.0f}",
    )


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    title = f"live streams on few calls, {RATE:g} frames/s, chunks of {CHUNK_S * 1e3:g} ms"
    table = Table("streams", "calls", *COLUMNS, title=title)
    loads = measure(seconds)
    for load in loads:
        table.add_row(str(load.streams), str(load.calls), *columns(load))
    return [asdict(load) for load in loads], table
