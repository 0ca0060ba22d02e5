"""Connecting again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)


async def again_for_ever(once: Callable[[], Awaitable[bool]]) -> None:
    """Call a function that connects and receives until that ends; the longer it fails, the longer the pause.

    Args:
        once: Returns whether it had been connected.
    """
    failures = 0
    while True:
        failures = 0 if await once() else failures + 1
        await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
