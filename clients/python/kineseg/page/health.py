"""How a source does: whether frames come, how many, how evenly, how many were lost, and how late they are decided."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

_WINDOW_S = 5.0
_MOST = 4096


class HealthMeter:
    """What is known of one source, over the last five seconds where it is measured.

    Args:
        clock: Seconds of a clock that only rises.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._arrivals: deque[tuple[float, int, float | None]] = deque(maxlen=_MOST)
        self._delays: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self._received = self._lost = 0
        self._last: float | None = None

    def arrived(self, frames: int, captured_s: float | None = None, at_s: float | None = None) -> None:
        """Frames have come, the last of which was captured at that second of the source's clock; `at_s`: not now."""
        now = self._clock() if at_s is None else at_s
        self._received += frames
        self._last = now
        self._arrivals.append((now, frames, captured_s))

    def lost(self, frames: int) -> None:
        """So many frames never came."""
        self._lost += frames

    def decided(self, delay_s: float) -> None:
        """So long after its last frame had come a chunk was through."""
        self._delays.append((self._clock(), delay_s))

    def report(self) -> dict[str, Any]:
        """What there is, for JSON: ``silent_s``, ``rate_hz``, ``jitter_ms``, ``lost`` (a share) and ``delay_ms``."""
        now = self._clock()
        recent = [entry for entry in self._arrivals if entry[0] > now - _WINDOW_S]
        values: dict[str, Any] = {"silent_s": round(now - (self._began if self._last is None else self._last), 2)}
        if len(recent) > 1:
            span = now - recent[0][0]
            values["rate_hz"] = round(sum(frames for _, frames, _ in recent[1:]) / span, 1) if span > 0 else 0.0
        late = [at - captured for at, _, captured in recent if captured is not None]
        if len(late) > 2:
            middle = sum(late) / len(late)
            values["jitter_ms"] = round(1000 * (sum((one - middle) ** 2 for one in late) / len(late)) ** 0.5, 1)
        if self._received:
            values["lost"] = round(self._lost / (self._received + self._lost), 5)
        delays = sorted(delay for at, delay in self._delays if at > now - _WINDOW_S)
        if delays:
            values["delay_ms"] = round(1000 * delays[len(delays) // 2], 1)
        return values
