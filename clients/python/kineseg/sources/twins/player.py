"""Plays frames to a twin at the speed at which they were captured, with faults by choice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kineseg.sources.recorded import Recorded
from kineseg.sources.twins.sender import Twin

_SECOND = 1e9
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong on the way.

    Attributes:
        noise: Standard deviation of what is added to every number, in its own unit.
        loss: Share of frames that are not sent, 0 to 1.
        jitter_s: Frames are sent up to so many seconds late; their order stays.
        burst: So many frames are sent at once.
        restart_s: The sender's count and clock begin anew after so many seconds; 0: never.
        seed: Of the chance in all this.
    """

    noise: float = 0.0
    loss: float = 0.0
    jitter_s: float = 0.0
    burst: int = 1
    restart_s: float = 0.0
    seed: int = 0


class Player:
    """Plays a recording once, or for ever.

    Args:
        recorded: What is played.
        twin: Entered already.
        speed: How many times faster than it was captured; the times that it sends are those of the capture.
        faults: What goes wrong.
        loop: Whether to begin again at its end, for ever.
        stopped: Says when to stop.
    """

    def __init__(
        self,
        recorded: Recorded,
        twin: Twin,
        *,
        speed: float = 1.0,
        faults: Faults | None = None,
        loop: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._recorded = recorded
        self._twin = twin
        self._speed = speed
        self._faults = faults or Faults()
        self._loop = loop
        self._stopped = stopped
        self._random = np.random.default_rng(self._faults.seed)
        self.sent = 0

    async def play(self) -> None:
        """Play it.

        Raises:
            SourceError: The receiver cannot be reached.
        """
        recorded, faults = self._recorded, self._faults
        times = (recorded.times_ns - recorded.times_ns[0]) / _SECOND
        started = time.monotonic()
        turn, begun_s, begun_number = 0, 0.0, 0
        waiting: list[int] = []
        while not self._stopped():
            lasts = float(times[-1]) + 1.0 / recorded.info.rate
            for at in range(len(times)):
                now_s = turn * lasts + float(times[at])
                number = turn * (int(recorded.numbers[-1]) + 1) + int(recorded.numbers[at])
                if faults.restart_s and now_s - begun_s >= faults.restart_s:
                    begun_s, begun_number = now_s, number
                    await self._twin.restart()
                waiting.append(at)
                if len(waiting) < faults.burst and at + 1 < len(times):
                    continue
                await self._until(started + now_s / self._speed + self._random.uniform(0.0, faults.jitter_s))
                if self._stopped():
                    return
                for one in waiting:
                    each_s = turn * lasts + float(times[one])
                    count = turn * (int(recorded.numbers[-1]) + 1) + int(recorded.numbers[one])
                    await self._send(one, count - begun_number, max(0.0, each_s - begun_s))
                waiting.clear()
            turn += 1
            if not self._loop:
                return

    async def _send(self, at: int, number: int, time_s: float) -> None:
        faults = self._faults
        if faults.loss and self._random.random() < faults.loss:
            return
        values = self._recorded.values[at]
        if faults.noise:
            values = (values + self._random.normal(0.0, faults.noise, values.shape)).astype(np.float32)
        await self._twin.send(values, number, time_s)
        self.sent += 1

    async def _until(self, due: float) -> None:
        left = due - time.monotonic()
        for _ in range(int(left / _LOOK_S)):
            if self._stopped():
                return
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
