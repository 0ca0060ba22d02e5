"""The disk of a server that keeps its streams in SQLite is full for a while; the server is killed after it, and in it.

No file of the server may grow (RLIMIT_FSIZE), which takes no disk of its own and no rights: to SQLite it is a write
that fails.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from evaluation.chaos.outcome import Outcome, least
from evaluation.chaos.server import Server, key_file
from evaluation.chaos.size import Size
from evaluation.chaos.streams import LiveStreams, as_undisturbed, takes, undisturbed
from evaluation.chaos.trial import CannotRun

_STREAMS = 100
_FULL_S = 10.0
_STORE_INTERVAL_S = 1.0
_FAILING = "kineseg_store_failing"


def run(size: Size) -> Outcome:
    """Full, and room again, and killed; full, and killed."""
    if sys.platform != "linux":
        raise CannotRun("needs Linux: the disk is full by prlimit")
    wanted = takes(size.of(_STREAMS), size.seconds)
    full_s = min(_FULL_S, size.seconds / 6)
    with tempfile.TemporaryDirectory() as folder:
        settings = {"store": f"sqlite:{Path(folder) / 'streams.db'}", "store_key": key_file(Path(folder))}
        with Server(**settings, store_interval_s=min(_STORE_INTERVAL_S, size.seconds / 20)) as server:
            expected = undisturbed(server.address, wanted)
            with LiveStreams(server.address, wanted) as streams:
                streams.until(0.2)
                with _full(server):
                    noticed = _is(server, 1.0)
                    time.sleep(full_s)
                works = _is(server, 0.0)
                _killed(server)
                streams.until(0.6)
                with _full(server):
                    noticed = noticed and _is(server, 1.0)
                    time.sleep(full_s)
                    server.kill()
                server.start()
                outputs = streams.finish()
    return Outcome(
        (
            *as_undisturbed(outputs, expected, "were connected anew"),
            least("the metric says that the store fails, and that it works again", float(noticed and works), 1.0),
        ),
        f"full for {full_s:.0f} s twice, {len(outputs)} streams, "
        f"{sum(one.sent_again for one in outputs)} frames sent again",
    )


def _killed(server: Server) -> None:
    server.kill()
    server.start()


@contextlib.contextmanager
def _full(server: Server) -> Iterator[None]:
    """Nothing can be written for so long, not even what lies below the end of a file: logs of databases begin anew."""
    process = server.process
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        if server.alive:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


def _is(server: Server, failing: float) -> bool:
    """Whether the metric comes to say so."""
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        if server.metrics()[_FAILING] == failing:
            return True
        time.sleep(0.1)
    return False
