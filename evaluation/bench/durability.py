"""What it costs a server to keep its streams in a store: the same live streams, with each store in turn.

All servers run side by side, and take turns under load, so that what else the machine does falls on all of them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis
from rich.table import Table

from evaluation.bench.many import ManyLoad, Source, load
from evaluation.bench.parts import Report
from evaluation.bench.sensors import SENSOR
from evaluation.bench.servers import Running, kineseg_server
from evaluation.chaos.redis_server import NoRedis, RedisServer

ROUNDS = 2
NONE, MEMORY, SQLITE, REDIS = "none", "memory", "SQLite", "Redis"


@dataclass(frozen=True)
class Kept:
    """Live streams that are kept.

    Attributes:
        of: What they are of.
        streams, calls: How many.
        source: What each sends.
        least_s: For so long at least it is measured.
    """

    of: str
    streams: int
    calls: int
    source: Source
    least_s: float = 0.0


_LONG_S = 90.0
# As many as are carried: what a server costs that is behind says nothing. Those of which little comes are kept at their
# opening and every 20 s after that.
KEPT = (
    Kept("bodies", 256, 1, Source()),
    Kept("accelerometers", 1000, 4, Source(rate=10.0, chunk_s=0.5, channels=3), least_s=_LONG_S),
    Kept("sensors of 59 channels", 500, 4, SENSOR, least_s=_LONG_S),
)


@dataclass(frozen=True)
class DurabilityCost:
    """A server under so many live streams.

    Attributes:
        of: What they are of.
        store: Where it keeps them: "none", they end with their call; "memory", they outlive that, and not the server.
        streams: How many.
        server_us_per_chunk: CPU time of all its threads; the median of the rounds.
        over_none: The same over that of the server without a store.
        late_share: Of the chunks: not acknowledged when the next one was due.
        kept: How many streams lie in the store afterwards.
    """

    of: str
    store: str
    streams: int
    server_us_per_chunk: float
    over_none: float
    late_share: float
    kept: int


@dataclass(frozen=True)
class _Stored:
    """A server, its store, and how many streams lie in that."""

    store: str
    server: Running
    count: Callable[[], int]


def measure(seconds: float, kept: Kept, interval_s: float = 5.0) -> list[DurabilityCost]:
    """Streams `seconds` of motion in real time to each server, in two rounds.

    Args:
        seconds: How long, each, if that is long enough for `kept`.
        kept: What.
        interval_s: So often a stream is kept.
    """
    round_s = max(seconds, kept.least_s) / ROUNDS
    with _servers(interval_s) as servers:
        loads: dict[str, list[ManyLoad]] = {each.store: [] for each in servers}
        for _ in range(ROUNDS):
            for each in servers:
                resume = each.store != NONE
                of_round = load(each.server, kept.streams, kept.calls, round_s, source=kept.source, resume=resume)
                loads[each.store].append(of_round)
        least = _cost(loads[NONE])
        return [
            DurabilityCost(
                of=kept.of,
                store=each.store,
                streams=kept.streams,
                server_us_per_chunk=_cost(loads[each.store]),
                over_none=_cost(loads[each.store]) / least,
                late_share=statistics.fmean(one.late_share for one in loads[each.store]),
                kept=each.count(),
            )
            for each in servers
        ]


def _cost(loads: list[ManyLoad]) -> float:
    return statistics.median(one.server_us_per_chunk for one in loads)


@contextlib.contextmanager
def _servers(interval_s: float) -> Iterator[list[_Stored]]:
    """One with each store that there is."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file, key = folder / "streams.db", folder / "key"
        key.write_bytes(bytes(32))

        def server(**settings: Any) -> Running:
            return stack.enter_context(kineseg_server(store_interval_s=interval_s, store_key=key, **settings))

        found = [
            _Stored(NONE, server(), lambda: 0),
            _Stored(MEMORY, server(), lambda: 0),
            _Stored(SQLITE, server(store=f"sqlite:{file}"), lambda: _rows(file)),
        ]
        with contextlib.suppress(NoRedis):
            kept = stack.enter_context(RedisServer(folder))
            found.append(_Stored(REDIS, server(store=kept.url), lambda: _keys(kept.url)))
        yield found


def _rows(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(file)) as database:
        [count] = database.execute("SELECT count(*) FROM streams WHERE data IS NOT NULL").fetchone()
    return int(count)


def _keys(url: str) -> int:
    with redis.Redis.from_url(url) as asked:
        return int(asked.dbsize())


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    costs = [cost for kept in KEPT for cost in measure(seconds, kept)]
    table = Table("of", "streams", "store", "us a chunk", "over none", "late", "kept", title="live streams in a store")
    for cost in costs:
        figures = f"{cost.server_us_per_chunk:.0f}", f"{cost.over_none:.3f}", f"{cost.late_share:.2%}", str(cost.kept)
        table.add_row(cost.of, str(cost.streams), cost.store, *figures)
    table.caption = "; ".join(
        f"{kept.of}: {kept.source.rate:g} frames/s of {kept.source.channels or 59} numbers, chunks of "
        f"{kept.source.chunk_s * 1e3:g} ms, {kept.calls} calls"
        for kept in KEPT
    )
    return [asdict(cost) for cost in costs], table
