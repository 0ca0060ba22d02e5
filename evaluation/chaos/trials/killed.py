"""Two servers on one Redis: they are killed again and again, now this one, now the other."""

from __future__ import annotations

from evaluation.chaos.outcome import Outcome
from evaluation.chaos.pair import Pair, disturbed
from evaluation.chaos.size import Size


def run(size: Size) -> Outcome:
    """Kills whichever has not been killed last, and starts it anew at once."""

    def kill(pair: Pair, number: int) -> None:
        server = pair.servers[number % 2]
        server.kill()
        server.start()

    return disturbed(size, kill, "kills")
