"""Malformed, reordered, truncated and oversized messages to every remote call, and random bytes at the port, beside
streams that mean well."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from evaluation.chaos.fuzzer import Fuzzer
from evaluation.chaos.given_back import GivenBack
from evaluation.chaos.others import Others
from evaluation.chaos.outcome import Outcome, most, none
from evaluation.chaos.server import Server
from evaluation.chaos.size import Size

_PER_S = 1000
_INSIDE = ("INTERNAL", "UNKNOWN", "DATA_LOSS")
_MOST_GROWTH_MIB = 32.0
_LOG_BYTES = 1 << 20  # what is kept of events for watchers is no leak: it comes up to this before anything is measured
_SETTLE_S = 8.0  # a server gives free pages back every five seconds


def run(size: Size) -> Outcome:
    """Fuzzes the server by turns for half of the time."""
    settle_s = min(_SETTLE_S, size.seconds)
    with tempfile.TemporaryDirectory() as folder:
        bank = Path(folder) / "names.json"
        with (
            Server(
                label_bank=bank, resume_s=2.0, opening_timeout_s=2.0, event_log_bytes=_LOG_BYTES, log_level="info"
            ) as server,
            Others(server.address, seconds=2.0 * size.seconds + 30.0) as others,
        ):
            fuzzer = Fuzzer(server.address, size.of(_PER_S))
            with fuzzer.talking():  # what is made once and kept is no leak
                time.sleep(size.seconds / 8)
            before = GivenBack.of(server, settle_s=settle_s)
            compared = others.beside(size.seconds * 7 / 8, fuzzer.talking)
            after = GivenBack.of(server, settle_s=settle_s)
            faults = server.faults()
            alive = server.alive
    inside = sum(fuzzer.codes[code] for code in _INSIDE)
    return Outcome(
        (
            none("crashes of the server, and errors in its log", float(len(faults) + (not alive))),
            none("calls that failed inside the server", float(inside)),
            none("other streams that broke", float(compared.broken)),
            none("streams and watchers not given back", float(after.streams - before.streams)),
            most("files not given back", float(after.files - before.files), 8.0),
            most("growth of memory, MiB", (after.bytes - before.bytes) / 2**20, _MOST_GROWTH_MIB),
            most("p99 of other streams over that without, ratio", compared.ratio, 2.0),
        ),
        f"{fuzzer.messages} messages in {sum(fuzzer.codes.values())} calls ({_counts(fuzzer)}), "
        f"{fuzzer.noise.connections} connections of noise; {compared}"
        + "".join(f"; {fuzzer.texts[code]}" for code in _INSIDE if code in fuzzer.texts)
        + "".join(f"; {fault}" for fault in faults[:3]),
    )


def _counts(fuzzer: Fuzzer) -> str:
    return ", ".join(f"{code} {count}" for code, count in fuzzer.codes.most_common())
