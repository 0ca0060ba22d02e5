"""Motion at many times its speed: streams come and go, some are cut off and go on, all day.

A day of motion takes `--seconds` of about 900 on two cores; less shows the same of a shorter day.
"""

from __future__ import annotations

import asyncio
import time
from random import Random

import kineseg

from evaluation.chaos.beside import going_on
from evaluation.chaos.given_back import GivenBack
from evaluation.chaos.outcome import Outcome, least, most, none
from evaluation.chaos.proxy import Proxy
from evaluation.chaos.server import Server
from evaluation.chaos.size import Size
from evaluation.chaos.streams import RATE, Take, take

_STREAMS = 32
_LENGTHS_S = (30.0, 60.0, 120.0, 300.0)
_PEOPLE = 4
_CUT_EVERY_S = 2.0
_TENTHS = 10
_MOST_GROWTH_MIB = 32.0
_LIMITS = kineseg.Limits(in_flight_s=5.0, stall_s=5.0)
# Little, so that what is kept on purpose is full within the first tenth. Clients that are cut off may be away for long
# on a machine that has other things to do; where too many are, those who have left without a word make room for them.
_KEPT = {"resume_s": 30.0, "event_log_bytes": 1 << 20, "max_parked": 64}
_SETTLES_S = 5.0


def run(size: Size) -> Outcome:
    """As much motion as goes through in the trial's time."""
    people = [take(seed, seconds) for seed in range(size.of(_PEOPLE)) for seconds in _LENGTHS_S]
    with Server(**_KEPT) as server, Proxy(server.address) as proxy:
        day = _Day(proxy.address, people)
        before = GivenBack.of(server)
        memory = []
        with going_on(lambda stop: day.pass_by(stop, size.of(_STREAMS, 2))):
            for _ in range(_TENTHS):
                _cut_for(proxy, size.seconds / _TENTHS)
                memory.append(server.resident_bytes() / 2**20)
        after = GivenBack.of(server, settle_s=_KEPT["resume_s"] + _SETTLES_S)
        metrics = server.metrics()
        faults = server.faults()
    return Outcome(
        (
            most("growth of memory after the first tenth, MiB", max(memory[1:]) - memory[0], _MOST_GROWTH_MIB),
            none("streams not given back", after.streams - before.streams),
            none("parked streams not given back", metrics["kineseg_streams_parked"]),
            most("files not given back", after.files - before.files, 8.0),
            none("streams that failed", day.failed),
            none("errors in the log", len(faults)),
            least("streams that went on after they were cut off", metrics["kineseg_streams_resumed_total"], 1.0),
        ),
        f"{day.motion_s / 3600:.1f} hours of motion in {day.streams} streams, "
        f"{metrics['kineseg_streams_resumed_total']:.0f} resumed, MiB by tenths: {' '.join(f'{m:.0f}' for m in memory)}"
        + "".join(f"; {text}" for text in sorted(day.errors)[:3])
        + "".join(f"; {fault}" for fault in faults[:2]),
    )


def _cut_for(proxy: Proxy, seconds: float) -> None:
    """Cuts all connections now and then for so long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _CUT_EVERY_S))
        proxy.cut()


class _Day:
    def __init__(self, address: str, people: list[Take]) -> None:
        self._address = address
        self._people = people
        self.motion_s = 0.0
        self.streams = 0
        self.failed = 0
        self.errors: set[str] = set()

    async def pass_by(self, stop: asyncio.Event, count: int) -> None:
        """So many streams at a time, each followed by another."""
        async with kineseg.AsyncClient(self._address, limits=_LIMITS, timeout=30.0, retries=8) as client:
            await asyncio.gather(*(self._one_after_the_other(client, stop, Random(at)) for at in range(count)))

    async def _one_after_the_other(self, client: kineseg.AsyncClient, stop: asyncio.Event, random: Random) -> None:
        while not stop.is_set():
            try:
                await self._stream(client, stop, random)
                self.streams += 1
            except kineseg.KinesegError as error:
                self.failed += 1
                self.errors.add(f"{type(error).__name__}: {error}")

    async def _stream(self, client: kineseg.AsyncClient, stop: asyncio.Event, random: Random) -> None:
        frames, size = random.choice(self._people), round(RATE)
        leaves = random.random() < 0.1  # without a word
        async with client.stream(rate=RATE, chunk_s=1.0) as stream:
            for first in range(0, len(frames), size):
                await stream.send(frames[first : first + size])
                await stream.poll()
                self.motion_s += size / RATE
                if stop.is_set() or (leaves and first > len(frames) // 2):
                    break
            if leaves:
                stream.cancel()
