"""A rolling restart: SIGTERM to one server after the other, as an update does."""

from __future__ import annotations

from evaluation.chaos.outcome import Outcome
from evaluation.chaos.pair import Pair, disturbed
from evaluation.chaos.size import Size


def run(size: Size) -> Outcome:
    """Asks each in turn to go, and starts it anew once it has."""

    def restart(pair: Pair, number: int) -> None:
        server = pair.servers[number % 2]
        server.stop()
        server.start()

    return disturbed(size, restart, "restarts")
