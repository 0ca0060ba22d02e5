"""How late what a stream gives is, by the capture times of its client."""

from __future__ import annotations

import math

from kineseg_core.events import Event

# Capture times whose first event seems to come so late, or this early, are the time of day, by a clock like ours.
_LATEST_S, _EARLIEST_S = 60.0, -1.0
# Clocks differ in speed: the least lag is that of the last so many seconds, up to twice.
_WINDOW_S = 3600.0


class Lateness:
    """The lateness of one stream's events.

    Where capture times are the time of day, it is how long after its capture what decides an event leads to it. Where
    they are of another clock, it is how much longer that takes than at the best of times.
    """

    def __init__(self) -> None:
        self._is_of_day: bool | None = None  # not known yet
        self._least = self._least_before = math.inf
        self._since = 0.0

    def of(self, event: Event) -> float | None:
        """Seconds; none: there are no capture times. Events are to come in order."""
        if event.capture_time_ns is None:
            return None
        # From the capture of the frame that decided it, which is not the one that it is about.
        lag = (event.emitted_unix_ns - event.capture_time_ns) / 1e9 - (event.decided_time_s - event.time_s)
        if self._is_of_day is None:
            self._is_of_day = _EARLIEST_S < lag < _LATEST_S
        if self._is_of_day:
            return max(lag, 0.0)
        now = event.emitted_unix_ns / 1e9
        if now - self._since >= _WINDOW_S:
            self._least_before, self._least, self._since = self._least, math.inf, now
        self._least = min(self._least, lag)
        return lag - min(self._least, self._least_before)
