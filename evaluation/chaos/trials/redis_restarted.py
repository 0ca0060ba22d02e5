"""Redis goes away and comes back while streams run; servers are killed while it is away, and once it is back."""

from __future__ import annotations

import threading
import time

from evaluation.chaos.outcome import Outcome
from evaluation.chaos.pair import Pair, disturbed
from evaluation.chaos.size import Size

_AWAY_S = 3.0


def run(size: Size) -> Outcome:
    """Kills a server in the middle of the time for which Redis is away, and the other once both are back."""

    def restart(pair: Pair, number: int) -> None:
        server = pair.servers[number % 2]
        pair.redis.stop()
        if number % 2 == 0:
            server.kill()
            starting = threading.Thread(target=server.start)
            starting.start()
            time.sleep(_AWAY_S)
            pair.redis.start()
            starting.join()
        else:
            time.sleep(_AWAY_S)
            pair.redis.start()
            server.kill()
            server.start()

    return disturbed(size, restart, "restarts of Redis")
