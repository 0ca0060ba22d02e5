"""How far a stream is ahead of its own time: who sends faster than a motion goes on waits behind who does not."""

from __future__ import annotations

# Seconds of motion that may come at once: at first, and where nothing has come for long, as after a lost network.
_AT_FIRST_S, _MOST_S = 0.3, 10.0
# A source may be so much faster than it says; and who sends in time again is soon in time.
_TOLERANCE, _MOST_OWED_S = 1.25, 1.0


class Credit:
    """What a stream may still send before it is ahead.

    Args:
        rate_hz: Frames a second, as its client says.
        goes_on: It was another server's, so that much may be sent again.
        now: By a clock that never goes back, seconds.
    """

    __slots__ = ("_a_frame_s", "_at", "_left_s")

    def __init__(self, rate_hz: float, now: float, *, goes_on: bool = False) -> None:
        self._a_frame_s = 1.0 / (rate_hz * _TOLERANCE)
        self._left_s = _MOST_S if goes_on else _AT_FIRST_S
        self._at = now

    def covers(self, frames: int, now: float) -> bool:
        """Whether the stream is not ahead when so many frames come; then they have come, and else nothing has."""
        left_s = self._left_after(frames, now)
        if left_s < 0.0:
            return False
        self._at, self._left_s = now, left_s
        return True

    def spend(self, frames: int, now: float) -> bool:
        """So many frames have come; whether the stream is ahead now."""
        left_s = self._left_after(frames, now)
        self._at, self._left_s = now, max(left_s, -_MOST_OWED_S)
        return left_s < 0.0

    def _left_after(self, frames: int, now: float) -> float:
        left_s = self._left_s + now - self._at
        return (left_s if left_s < _MOST_S else _MOST_S) - frames * self._a_frame_s
