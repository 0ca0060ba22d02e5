"""What a hundred thousand streams take, and which of the things that they share is too small first.

The model of costs (`capacity`) says how many processes. What all of these share is held against what one has of it: a
Redis in which all streams are kept (measured here, its own CPU at the size of a real snapshot), and what machines have
by default (stated below).
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from kineseg_service.config import Settings
from kineseg_service.stores.redis import RedisStore
from kineseg_service.stores.store import FIRST, Key, Write
from rich.table import Table

from evaluation.bench import capacity, snapshots
from evaluation.bench.many import RATE
from evaluation.bench.parts import Report
from evaluation.chaos.redis_server import NoRedis, RedisServer

STREAMS = (1_000, 4_000, 10_000, 100_000)
CHANNELS = 59
NETWORK_BYTES = 10e9 / 8
"""A second, of one machine: 10 Gbit/s."""
DESCRIPTORS = 524_288
"""Of a process: systemd's hard limit, unless another one is set."""
PORTS = 28_232
"""From one address to one address and port, on Linux (ip_local_port_range)."""
MACHINE_GIB = 64.0
MACHINE_CORES = 16.0
TOGETHER, KEYS = 64, 512


@dataclass(frozen=True)
class Shared:
    """Something that streams share.

    Attributes:
        what: Of what.
        a_stream: So much a stream takes.
        there_is: So much there is.
        known: Whether that is measured, or assumed.
    """

    what: str
    a_stream: float
    there_is: float
    known: str

    @property
    def streams(self) -> int:
        """It is enough for so many."""
        return int(self.there_is / self.a_stream)


@dataclass(frozen=True)
class RedisCost:
    """Keeping one stream in Redis, once.

    Attributes:
        kib: Size of what is kept.
        us: CPU time of Redis.
    """

    kib: float
    us: float


def measure_redis(seconds: float, kib: float) -> RedisCost:
    """Writes states of a size for some seconds, as servers do; Redis has each in its log before it answers.

    Raises:
        NoRedis: It is not installed.
    """
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        store = RedisStore(server.url)
        data = os.urandom(round(kib * 1024))
        keys = [Key("", str(number)) for number in range(KEYS)]
        redis = psutil.Process(server.pid)
        began, before, written = time.perf_counter(), sum(redis.cpu_times()[:2]), 0
        while time.perf_counter() < began + seconds:
            some = [keys[(written + number) % KEYS] for number in range(TOGETHER)]
            store.write([Write(key, FIRST, b"proof", data, 60.0) for key in some])
            written += TOGETHER
        cost = (sum(redis.cpu_times()[:2]) - before) / written
        store.close()
        return RedisCost(kib, cost * 1e6)


def shared(model: capacity.Model, redis: RedisCost, interval_s: float) -> list[Shared]:
    """All of it, that which is enough for the fewest streams first.

    Args:
        model: Of what streams cost.
        redis: What it costs to keep one.
        interval_s: So often a stream is kept.
    """
    sent = RATE * CHANNELS * 4
    kept, a_process = redis.kib * 1024, model.streams_per_process
    found = [
        Shared("one Redis: CPU", redis.us / 1e6 / interval_s, 1.0, "measured; it has one thread"),
        Shared("one Redis: network, bytes/s", kept / interval_s, NETWORK_BYTES, "assumed: 10 Gbit/s"),
        Shared("one Redis: memory, GiB", kept / 2**30, MACHINE_GIB, f"assumed: {MACHINE_GIB:g} GiB"),
        Shared("one ingress: network, bytes/s", 2 * sent, 2 * NETWORK_BYTES, "assumed: 10 Gbit/s, in and out"),
        Shared("one ingress: file descriptors", 2.0, DESCRIPTORS, "systemd's limit; each stream on its own connection"),
        Shared("one server: cores", model.stream_cores, capacity.ROOM - model.fixed_cores, "measured"),
        Shared("one server: file descriptors", 1.0, DESCRIPTORS, "systemd's limit; each stream on its own connection"),
        Shared("ports from the ingress to one server", 1.0, PORTS, "Linux's range"),
        Shared("one machine: memory, GiB", model.stream_kib / 2**20 + model.fixed_mib / 2**10 / a_process, MACHINE_GIB,
               f"assumed: {MACHINE_GIB:g} GiB"),
        Shared("one machine: cores", model.stream_cores + model.fixed_cores / a_process, MACHINE_CORES,
               f"assumed: {MACHINE_CORES:g}"),
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.streams)


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    interval_s = float(Settings.model_fields["store_interval_s"].default)
    kib = next(cost.kib for cost in snapshots.measure() if cost.of.startswith("motion"))
    try:
        redis = measure_redis(min(seconds, 10.0), kib)
    except NoRedis as error:
        return [], Table(title=f"a hundred thousand streams: not carried on, it {error}")
    model = capacity.measure(seconds)
    limits = shared(model, redis, interval_s)
    table = Table(
        "is enough for", "streams", "", *(f"{streams:,}" for streams in STREAMS),
        title=f"{model.streams_per_process} streams a process (off by {model.worst:.0%} at most); {kib:.0f} KiB of "
        f"each kept every {interval_s:g} s, {redis.us:.0f} us of Redis",
    )  # fmt: skip
    for limit in limits:
        needed = (f"{streams / limit.streams:.2g}" for streams in STREAMS)
        table.add_row(limit.what, f"{limit.streams:,}", limit.known, *needed)
    carried = [capacity.carried(model, streams) for streams in STREAMS]
    for name, figures in (
        ("processes", [str(each.processes) for each in carried]),
        ("cores", [f"{each.cores:.1f}" for each in carried]),
        ("memory GiB", [f"{each.gib:.1f}" for each in carried]),
    ):
        table.add_row(f"all servers: {name}", "", "", *figures)
    rows = [asdict(model), asdict(redis), *(asdict(limit) | {"streams": limit.streams} for limit in limits)]
    return [*rows, *map(asdict, carried)], table
