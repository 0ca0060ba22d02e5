"""Two servers as replicas of Ray Serve beside two plain ones: what a chunk costs, and how soon streams of a killed one
go on.

All run side by side, and take turns under load, so that what else the machine does falls on all of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import kineseg
import psutil
from kineseg.motion import canonical_pose, generate
from rich.table import Table

from evaluation.bench.many import CHUNK_S, RATE, ManyLoad, load
from evaluation.bench.parts import Report
from evaluation.bench.servers import Running, Several, kineseg_server
from evaluation.chaos.ray_servers import NoRay, RayServers, local_ray, wait_until
from evaluation.ports import free_port

STREAMS, CALLS = 64, 2
ROUNDS = 4
KILLED_STREAMS = 50
PLAIN, RAY, INGRESS = "plain", "on Ray", "on Ray, through the ingress"


@dataclass(frozen=True)
class RayCost:
    """Two servers under so many live streams.

    Attributes:
        servers: Which: "plain", "on Ray", or "on Ray, through the ingress".
        streams: How many, on both together.
        p50_ms, p99_ms, event_p50_ms: See `ManyLoad`; medians of the rounds.
        us_per_chunk: CPU time of both servers, and of HAProxy where it is between; the median of the rounds.
        p50_over_plain, us_over_plain: The same over those of the plain ones.
        mib: Resident memory of a server, without streams.
    """

    servers: str
    streams: int
    p50_ms: float
    p99_ms: float
    event_p50_ms: float
    us_per_chunk: float
    p50_over_plain: float
    us_over_plain: float
    mib: float


@dataclass(frozen=True)
class Beside:
    """What Ray itself takes on a machine, besides the servers.

    Attributes:
        processes: How many.
        mib: Their unshared memory.
        cpu_share: Of one core.
    """

    processes: int
    mib: float
    cpu_share: float


@dataclass(frozen=True)
class Killed:
    """A replica that was killed.

    Attributes:
        streams: It had so many.
        resumed: So many went on.
        slowest_s: Until the last of them did.
        replaced_s: Until there were as many replicas as before.
    """

    streams: int
    resumed: int
    slowest_s: float
    replaced_s: float


@dataclass(frozen=True)
class Found:
    """All of it."""

    costs: list[RayCost]
    beside: Beside
    killed: Killed


def measure(seconds: float, streams: int = STREAMS, killed_streams: int = KILLED_STREAMS) -> Found:
    """Streams `seconds` of motion in real time to each pair of servers, in four rounds, and kills one.

    Raises:
        NoRay: It is not installed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stored = {"store": f"sqlite:{folder / 'streams.db'}"}
        stack.enter_context(local_ray())
        servers = stack.enter_context(RayServers({"min_replicas": 2, "settings": stored}))
        replicas = [Running(each["address"], each["pid"]) for each in servers.wait_for(2)]
        ray_itself = _children() - {replica.pid for replica in replicas}
        plain = [stack.enter_context(kineseg_server(store=stored["store"])) for _ in replicas]
        ingress, haproxy = stack.enter_context(_ingress(servers))
        pairs = {
            PLAIN: Several(tuple(plain), tuple(each.address for each in plain)),
            RAY: Several(tuple(replicas), tuple(each.address for each in replicas)),
            INGRESS: Several((*replicas, Running(ingress, haproxy)), (ingress,)),
        }
        mib = {name: pair.each[0].resident_bytes() / 2**20 for name, pair in pairs.items()}
        began = time.perf_counter(), _cpu_s(ray_itself)
        loads: dict[str, list[ManyLoad]] = {name: [] for name in pairs}
        for number in range(ROUNDS):
            for name in [*pairs] if number % 2 == 0 else [*reversed(pairs)]:
                loads[name].append(load(pairs[name], streams, CALLS, seconds / ROUNDS))
        share = (_cpu_s(ray_itself) - began[1]) / (time.perf_counter() - began[0])
        beside = Beside(len(ray_itself), _unshared_mib(ray_itself), share)
        costs = [_cost(name, loads, streams, mib[name]) for name in pairs]
        return Found(costs, beside, _killed(servers, ingress, killed_streams))


def _cost(name: str, loads: dict[str, list[ManyLoad]], streams: int, mib: float) -> RayCost:
    def median(of: str, figure: str) -> float:
        return float(statistics.median(getattr(one, figure) for one in loads[of]))

    return RayCost(
        servers=name,
        streams=streams,
        p50_ms=median(name, "p50_ms"),
        p99_ms=median(name, "p99_ms"),
        event_p50_ms=median(name, "event_p50_ms"),
        us_per_chunk=median(name, "server_us_per_chunk"),
        p50_over_plain=median(name, "p50_ms") / median(PLAIN, "p50_ms"),
        us_over_plain=median(name, "server_us_per_chunk") / median(PLAIN, "server_us_per_chunk"),
        mib=mib,
    )


@contextlib.contextmanager
def _ingress(servers: RayServers) -> Iterator[tuple[str, int]]:
    """One address before all replicas that follows the directory, and the process of it."""
    from kineseg_service.on_ray.ingress import Ingress, follow

    with Ingress(f"127.0.0.1:{free_port()}", places=8) as ingress:
        ingress.serve(servers.addresses())
        stop = threading.Event()
        following = threading.Thread(target=follow, args=(ingress, servers.directory, stop))
        following.start()
        try:
            yield ingress.listen, ingress.pid
        finally:
            stop.set()
            following.join()


def _killed(servers: RayServers, address: str, count: int) -> Killed:
    """Kills the replica at which all streams of a client are, in the middle of them."""
    size = round(RATE * CHUNK_S)
    frames = canonical_pose(generate(0, 20.0, RATE)).frames.astype("<f4")
    back: dict[int, float] = {}
    with ExitStack() as stack:
        client = stack.enter_context(kineseg.Client(address))
        streams = [stack.enter_context(client.stream(rate=RATE)) for _ in range(count)]

        def send(chunks: range) -> None:
            for chunk in chunks:
                for number, stream in enumerate(streams):
                    first = chunk * size % (len(frames) - size)
                    stream.send(frames[first : first + size])
                    for item in stream.poll():
                        if isinstance(item, kineseg.Reconnected):
                            back.setdefault(number, time.perf_counter())
                time.sleep(CHUNK_S)

        send(range(20))
        wait_until(lambda: any(each["streams"] >= count for each in servers.replicas()), "all streams at one replica")
        [loaded] = [each for each in servers.replicas() if each["streams"] >= count]
        os.kill(loaded["pid"], signal.SIGKILL)
        killed, chunk = time.perf_counter(), 20
        while len(back) < count and time.perf_counter() < killed + 60.0:
            send(range(chunk, chunk + 1))
            chunk += 1
        for stream in streams:
            stream.end_input()
            for _ in stream:
                pass

    def is_replaced() -> bool:
        pids = [each["pid"] for each in servers.replicas()]
        return len(pids) == 2 and loaded["pid"] not in pids

    wait_until(is_replaced, "another replica")
    replaced = time.perf_counter()
    slowest = max(back.values(), default=killed) - killed
    return Killed(loaded["streams"], len(back), slowest, replaced - killed)


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _cpu_s(pids: set[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total


def _unshared_mib(pids: set[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += psutil.Process(pid).memory_full_info().uss / 2**20
    return total


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    try:
        found = measure(seconds)
    except NoRay as error:
        return [], Table(title=f"servers on Ray: not measured, it {error}")
    beside, killed = found.beside, found.killed
    table = Table(
        "two servers", "p50 ms", "over plain", "p99 ms", "events p50", "us a chunk", "over plain", "MiB a server",
        title=f"{STREAMS} live streams on {CALLS} calls, {RATE:g} frames/s, chunks of {CHUNK_S * 1e3:g} ms",
        caption=f"Ray besides: {beside.processes} processes, {beside.mib:.0f} MiB, {beside.cpu_share:.0%} of a core. "
        f"A replica killed under {killed.streams} streams: {killed.resumed} went on, the last after "
        f"{killed.slowest_s:.1f} s; replaced after {killed.replaced_s:.0f} s",
    )  # fmt: skip
    for cost in found.costs:
        table.add_row(
            cost.servers,
            f"{cost.p50_ms:.1f}",
            f"{cost.p50_over_plain:.2f}",
            f"{cost.p99_ms:.1f}",
            f"{cost.event_p50_ms:.1f}",
            f"{cost.us_per_chunk:.0f}",
            f"{cost.us_over_plain:.2f}",
            f"{cost.mib:.0f}",
        )
    rows: list[dict[str, Any]] = [*map(asdict, found.costs), asdict(beside), asdict(killed)]
    return rows, table
