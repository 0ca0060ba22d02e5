"""Where the CPU time of a chunk goes, by the part of the service that it is spent in or for.

A sampling profiler looks at a server under load from outside; what a thread has taken is shared out by what was seen
of it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.table import Table

from evaluation.bench import many
from evaluation.bench.parts import Report
from evaluation.bench.servers import Running, kineseg_server

COUNTS = (64, 256)
"""Streams of each load, on one call."""
LAYERS = (
    ("boundary network", ("kineseg_core/boundary_network/network.py",)),
    (
        "segmenter around it",
        ("kineseg_core/boundary_network/", "kineseg_core/segmenter/", "kineseg_core/segmenting.py"),
    ),
    ("decoder", ("kineseg_core/inference/",)),
    (
        "watching for anomalies",
        ("kineseg_core/anomalies/", "kineseg_core/behaviour/", "kineseg_core/rules/", "kineseg_core/intake/watch.py"),
    ),
    ("intake", ("kineseg_core/intake/",)),
    ("sessions", ("kineseg_core/",)),
    ("engine", ("kineseg_service/scheduler/",)),
    ("calls and streams", ("kineseg_service/",)),
)
"""Parts, and where their code lies; the first that fits counts."""
TRANSPORT = "gRPC and event loop"
_LIBRARY = "kineseg_core/memory/"  # whoever calls it is meant
Seen = tuple[str, dict[int, float]]
"""Stacks as the profiler writes them, and the CPU seconds of each thread meanwhile."""
_SAMPLES_PER_S = 173  # no divisor of the load's: what comes every ten milliseconds is not to be seen in step with it
_FRAME = re.compile(r"\((?P<path>[^()]*):\d+\)$")
_THREAD = re.compile(r"thread \((?P<id>\d+)\)")
# A thread that is seen there has been woken, and mostly waits for a core: that takes no time of one.
_WAITS = re.compile(r"\b(select \(([^()]*/)?selectors|wait \(([^()]*/)?threading)\.py:\d+\)$")


class CannotProfileError(RuntimeError):
    """The profiler is not there, or may not look at the server; the message says which."""


@dataclass(frozen=True)
class Share:
    """What a chunk takes in one part.

    Attributes:
        streams: Under so many live ones.
        part: Which; of a library that it calls, such as ONNX Runtime, as well.
        us_per_chunk: CPU time.
        share: Of all that a chunk takes.
    """

    streams: int
    part: str
    us_per_chunk: float
    share: float


def measure(seconds: float, counts: Iterable[int] = COUNTS) -> list[Share]:
    """Looks at the middle half of so many seconds of each load.

    Raises:
        CannotProfileError: Nothing could be seen.
        RuntimeError: The client could not go on.
    """
    return [share for streams in counts for share in _of_load(streams, seconds)]


def _of_load(streams: int, seconds: float) -> list[Share]:
    with kineseg_server() as server, ThreadPoolExecutor(1) as beside:
        seen: list[Future[Seen]] = []
        load = many.load(
            server, streams, 1, seconds, begun=lambda: seen.append(beside.submit(_look_at, server, seconds))
        )
        parts = by_part(*seen[0].result())
    total = sum(parts.values())
    return [
        Share(streams, part, load.server_us_per_chunk * taken / total, taken / total) for part, taken in parts.items()
    ]


def _look_at(server: Running, seconds: float) -> Seen:
    """Looks at the middle half of a load of so many seconds."""
    command = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")
    if command is None:
        raise CannotProfileError("there is no py-spy: pip install py-spy")
    time.sleep(seconds / 4)
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        # To stop the server for each sample would wake all that waits in it.
        how = ["--nonblocking", "--threads", "--rate", str(_SAMPLES_PER_S), "--format", "raw", "--output", str(stacks)]
        before = _cpu_by_thread(server.pid)
        ended = subprocess.run(
            [command, "record", *how, "--duration", str(max(1, round(seconds / 2))), "--pid", str(server.pid)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        after = _cpu_by_thread(server.pid)
        if ended.returncode:
            raise CannotProfileError(f"py-spy could not look at the server: {ended.stderr.strip().splitlines()[-1]}")
        return stacks.read_text(), {thread: cpu - before.get(thread, 0.0) for thread, cpu in after.items()}


def _cpu_by_thread(pid: int) -> dict[int, float]:
    return {thread.id: thread.user_time + thread.system_time for thread in psutil.Process(pid).threads()}


def by_part(stacks: str, cpu: dict[int, float]) -> dict[str, float]:
    """CPU seconds by part, most first.

    Args:
        stacks: A line for each stack that was seen: its frames from the thread on, and how often. Those of threads that
            wait do not count.
        cpu: Seconds by thread; those of which no stack was seen are gRPC's own.
    """
    seen: dict[int, Counter[str]] = {}
    for line in stacks.splitlines():
        stack, times = line.rsplit(" ", 1)
        thread, *frames = stack.split(";")
        if (known := _THREAD.match(thread)) is not None and not _WAITS.search(stack):
            seen.setdefault(int(known["id"]), Counter())[_part_of(frames)] += int(times)
    found: dict[str, float] = {}
    for number, taken in cpu.items():
        samples = seen.get(number, Counter({TRANSPORT: 1}))
        for part, count in samples.items():
            found[part] = found.get(part, 0.0) + taken * count / samples.total()
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _part_of(frames: list[str]) -> str:
    """The part that the innermost frame of ours belongs to."""
    for frame in reversed(frames):
        found = _FRAME.search(frame)
        path = "" if found is None else found["path"].replace("\\", "/")
        if _LIBRARY in path:
            continue
        part = next((part for part, places in LAYERS if any(place in path for place in places)), None)
        if part is not None:
            return part
    return TRANSPORT


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    title = "where the CPU time of a chunk goes"
    try:
        shares = measure(seconds)
    except CannotProfileError as reason:
        return [{"skipped": str(reason)}], Table(title=f"{title}: skipped, {reason}")
    counts = sorted({share.streams for share in shares})
    found = {(share.streams, share.part): share for share in shares}
    most_streams_first = sorted(shares, key=lambda share: -share.streams)
    table = Table("part", *(f"us a chunk, {count} streams" for count in counts), title=title)
    for part in dict.fromkeys(share.part for share in most_streams_first):
        of_part = [found.get((count, part)) for count in counts]
        table.add_row(part, *("-" if one is None else f"{one.us_per_chunk:.1f} ({one.share:.0%})" for one in of_part))
    return [asdict(share) for share in shares], table
