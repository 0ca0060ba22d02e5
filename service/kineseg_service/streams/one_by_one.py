"""What others go before, done one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

_ROUNDS = 8  # of the loop, about as many as a chunk needs
_LONGEST_S = 0.005  # where each round takes long, as many streams send


async def let_others_go_on() -> None:
    """Returns when others have gone on, for whoever has had a turn and would have the next."""
    gone_on = asyncio.Event()
    _once_others_went_on(gone_on.set)
    await gone_on.wait()


class OneByOne:
    """A turn for each that enters it with `async with`, in their order. To be used in one event loop.

    A chunk of a stream goes through the loop several times until it is with the engine, and back. So that it waits for
    one of those who take turns here, and not for one each time, the next turn comes some rounds of the loop after the
    one before, or some milliseconds; whoever has had it goes on at once.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        _once_others_went_on(self._lock.release)

    async def turn(self) -> None:
        """Returns when it is the turn of what is done next, up to where that waits."""
        async with self:
            pass


def _once_others_went_on(then: Callable[[], object]) -> None:
    """Calls this some rounds of the running loop later, or some milliseconds."""
    loop, until = asyncio.get_running_loop(), monotonic() + _LONGEST_S

    def go_on(rounds: int) -> None:
        if rounds and monotonic() < until:
            loop.call_soon(go_on, rounds - 1)
        else:
            then()

    go_on(_ROUNDS)
