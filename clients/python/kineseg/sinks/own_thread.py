"""A thread for one sink's files, so that a disk that hangs holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class OwnThread:
    """Does one thing at a time. What is no longer waited for and has not begun is not done."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="kineseg-sink")

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do it there."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
