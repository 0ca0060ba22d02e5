"""What others go before, done one at a time."""

from __future__ import annotations

import asyncio
from time import monotonic

_ROUNDS = 8  # of the loop, about as many as a chunk needs
_LONGEST_S = 0.005  # where each round takes long, as many streams send


async def let_others_go_on() -> None:
    """For as many rounds, for whoever has had a turn and would have the next."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


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
        self._end_turn(_ROUNDS, monotonic() + _LONGEST_S)

    async def turn(self) -> None:
        """Returns when it is the turn of what is done next, up to where that waits."""
        async with self:
            pass

    def _end_turn(self, rounds: int, until: float) -> None:
        if rounds and monotonic() < until:
            asyncio.get_running_loop().call_soon(self._end_turn, rounds - 1, until)
        else:
            self._lock.release()
