"""The network between live streams and their server is lost, cuts, delays and loses one half, with frames in flight."""

from __future__ import annotations

import time
from collections.abc import Callable

from evaluation.chaos.outcome import Outcome
from evaluation.chaos.proxy import Proxy
from evaluation.chaos.server import Server
from evaluation.chaos.size import Size
from evaluation.chaos.streams import LiveStreams, as_undisturbed, takes, undisturbed

_STREAMS = 100
_LOST_S = 5.0
_DELAY_S = 0.2


def run(size: Size) -> Outcome:
    """All that a network does, one after the other."""
    wanted = takes(size.of(_STREAMS), size.seconds)
    lost_s = min(_LOST_S, size.seconds / 8)
    with Server() as server, Proxy(server.address) as proxy:
        expected = undisturbed(server.address, wanted)
        with LiveStreams(proxy.address, wanted) as streams:
            for number, disturb in enumerate(_DISTURBANCES):
                streams.until((number + 0.5) / len(_DISTURBANCES))
                disturb(proxy, lost_s)
            outputs = streams.finish()
    return Outcome(
        as_undisturbed(outputs, expected, "were connected anew"),
        f"{len(_DISTURBANCES)} disturbances, lost for {lost_s:g} s, {len(outputs)} streams, {proxy.connections} "
        f"connections, {sum(one.sent_again for one in outputs)} frames sent again",
    )


def _cut(proxy: Proxy, _: float) -> None:
    proxy.cut()


def _halve(proxy: Proxy, _: float) -> None:
    proxy.halve()


def _lose(proxy: Proxy, seconds: float) -> None:
    with proxy.away():
        time.sleep(seconds)


def _swallow(proxy: Proxy, seconds: float) -> None:
    """No one hears of it but by silence."""
    with proxy.swallowing():
        time.sleep(seconds)


def _delay(proxy: Proxy, seconds: float) -> None:
    proxy.delay_s = _DELAY_S
    time.sleep(seconds)
    proxy.delay_s = 0.0


_DISTURBANCES: tuple[Callable[[Proxy, float], None], ...] = (_lose, _cut, _delay, _halve, _swallow)
