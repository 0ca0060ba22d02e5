"""Acknowledgements that wait for others, so that one message stands for several chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from kineseg_core.events import Ack, Output


class HeldAcks:
    """Lets at most one acknowledgement through in every interval, and the last always. To be used in one event loop.

    Args:
        interval_s: None is held back for longer.
        emit: Is given one whose time has come.
    """

    def __init__(self, interval_s: float, emit: Callable[[Ack], None]) -> None:
        self._interval_s = interval_s
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._held: Ack | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._next = self._loop.time()

    def sift(self, outputs: Sequence[Output], *, to_the_end: bool) -> tuple[list[Output], int]:
        """Takes the acknowledgements out, but for one if its time has come, or if nothing comes `to_the_end`.

        Returns:
            What is left, in order, and how many acknowledgements will never come as a later one stands for them.
        """
        left: list[Output] = []
        at = passed_over = 0
        for output in outputs:
            if isinstance(output, Ack):
                passed_over += self._held is not None
                self._held, at = output, len(left)
            else:
                left.append(output)
        if self._held is not None:
            now = self._loop.time()
            if to_the_end or now >= self._next:
                left.insert(at, self._take(self._held))
            elif self._timer is None:
                # Where more comes, one goes through with it before: it then wakes no one by itself.
                self._timer = self._loop.call_at(now + self._interval_s, self._release)
        return left, passed_over

    def stop(self) -> None:
        """No one wants them any more."""
        self._held = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _release(self) -> None:
        if self._held is not None:
            self._emit(self._take(self._held))

    def _take(self, ack: Ack) -> Ack:
        self.stop()
        self._next = self._loop.time() + self._interval_s
        return ack
