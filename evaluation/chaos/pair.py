"""Two servers that share a Redis, live streams at them, and something that is done again and again meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from evaluation.chaos.outcome import Outcome
from evaluation.chaos.redis_server import NoRedis, RedisServer
from evaluation.chaos.server import Server, key_file
from evaluation.chaos.size import Size
from evaluation.chaos.streams import LiveStreams, as_undisturbed, takes, undisturbed
from evaluation.chaos.trial import CannotRun

STREAMS = 100
_EVERY_S = 15.0
_STORE_INTERVAL_S = 2.0


@dataclass(frozen=True)
class Pair:
    """What there is to be disturbed.

    Attributes:
        servers: Two.
        redis: What both keep their streams in.
    """

    servers: tuple[Server, Server]
    redis: RedisServer

    @property
    def addresses(self) -> str:
        """Of both."""
        return ",".join(server.address for server in self.servers)


@contextmanager
def pair() -> Iterator[Pair]:
    """Two servers and their Redis."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            redis = RedisServer(Path(folder))
        except NoRedis as error:
            raise CannotRun(str(error)) from error
        settings = {
            "store": redis.url,
            "store_key": key_file(Path(folder)),
            "store_interval_s": _STORE_INTERVAL_S,
        }
        servers = Server(**settings), Server(**settings)
        with redis, ExitStack() as stack:
            for server in servers:
                server.start_soon()
                stack.push(server)
            for server in servers:
                server.wait()
            yield Pair(servers, redis)


def disturbed(size: Size, disturb: Callable[[Pair, int], None], what: str) -> Outcome:
    """Streams run for the trial's time, and every now and then they are disturbed.

    Args:
        size: Of the trial.
        disturb: Does it for the n-th time, counted from 0.
        what: Its name, in the plural.
    """
    wanted = takes(size.of(STREAMS), size.seconds)
    times = max(1, round(size.seconds / _EVERY_S))
    with pair() as both:
        expected = undisturbed(both.addresses, wanted)
        with LiveStreams(both.addresses, wanted) as streams:
            for number in range(times):
                streams.until((number + 0.5) / times)
                disturb(both, number)
            outputs = streams.finish()
    return Outcome(
        as_undisturbed(outputs, expected, "had to go on elsewhere"),
        f"{times} {what}, {len(outputs)} streams, {sum(len(one.events) for one in outputs)} events, "
        f"{sum(one.sent_again for one in outputs)} frames sent again",
    )
