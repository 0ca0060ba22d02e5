"""Slow readers, fast and silent senders, faulty sources, silent connections, and a tenant at its limit: others do not
notice."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kineseg_service.access.caller import Role

from evaluation.chaos.beside import going_on
from evaluation.chaos.door_keys import Keys
from evaluation.chaos.given_back import GivenBack
from evaluation.chaos.greedy import (
    at_its_limit,
    fast_senders,
    faulty_sources,
    in_step,
    silent_connections,
    silent_senders,
    slow_readers,
    well_behaved,
)
from evaluation.chaos.others import Others
from evaluation.chaos.outcome import Figures, Outcome, most, none
from evaluation.chaos.server import Server
from evaluation.chaos.size import Size

_TO_COMPARE = {
    "as many that behave well": (well_behaved, 16),
    "as many in the same moment": (in_step, 16),
}
_TROUBLES = {
    "slow readers": (slow_readers, 16),
    "fast senders": (fast_senders, 16),
    "faulty sources": (faulty_sources, 16),
    "silent senders": (silent_senders, 200),
    "silent connections": (silent_connections, 1000),
    "a tenant at its limit": (at_its_limit, 16),
}
_LIMITS = {"streams": 4, "opens_per_s": 5, "frames_per_s": 300}
_NOTICED = 1.5


def run(size: Size) -> Outcome:
    """One after the other, each by turns with nothing."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder))
        good, admin = keys.token("good", Role.STREAM), keys.token("default", Role.ADMIN)
        tokens = {name: keys.token(name.replace(" ", "-"), Role.STREAM) for name in (*_TO_COMPARE, *_TROUBLES)}
        limited = {"a-tenant-at-its-limit": _LIMITS}
        with (
            Server(tokens=keys.tokens, tenants=limited, resume_s=1.0) as server,
            Others(server.address, good, seconds=2.0 * size.seconds + 30.0) as others,
        ):
            before = GivenBack.of(server, token=admin)
            figures: Figures = ()
            seen, broken = [], 0
            for name, (trouble, usual) in (_TO_COMPARE | _TROUBLES).items():
                work = trouble(server.address, tokens[name], size.of(usual, 4))
                compared = others.beside(size.seconds / len(tokens), lambda work=work: going_on(work), turns=3)  # type: ignore[misc]
                if name in _TROUBLES:
                    figures += (most(f"{name}: p99 of others over that without, ratio", compared.ratio, _NOTICED),)
                seen.append(f"{name}: {compared}, {compared.ratio:.1f} times")
                broken = compared.broken
            after = GivenBack.of(server, settle_s=3.0, token=admin)
            limits = server.metrics(admin)['kineseg_refused_total{reason="LIMIT_REACHED"}']
            faults = server.faults()
    return Outcome(
        (
            *figures,
            none("other streams that broke", broken),
            none("streams not given back", after.streams - before.streams),
            most("files not given back", after.files - before.files, 8.0),
            none("errors in the log", len(faults)),
        ),
        f"{'; '.join(seen)}; {limits:.0f} refusals for limits" + "".join(f"; {fault}" for fault in faults[:2]),
    )
