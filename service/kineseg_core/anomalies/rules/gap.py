"""Gap: no frame came for longer than two and a half times the usual interval."""

from __future__ import annotations

_LONG = 2.5
_LEARNT = 0.01
_USUAL_LONG = 3.0
_USUAL = 4.0
_HALF_LIFE_S = 600.0
_LONGEST_S = 4.0


class GapRule:
    """Looks at the intervals between frames. Picklable.

    A source that is slower than it says is judged by its own pace, and one that has lost frames four times in ten
    minutes by its longest gap so far.

    Args:
        rate_hz: Frames a second that the source says it sends.
    """

    def __init__(self, rate_hz: float) -> None:
        self._stated_s = 1.0 / rate_hz
        self.interval_s = self._stated_s
        self._gaps = 0.0
        self._longest_s = 0.0

    def update(self, interval_s: float) -> bool:
        """Whether there was a gap before a frame that came `interval_s` after the last one."""
        usual_s = max(self.interval_s, self._stated_s)
        self._gaps *= 0.5 ** (interval_s / _HALF_LIFE_S)
        needed_s = _LONG * usual_s
        if self._gaps > _USUAL - 1.0:
            needed_s = max(needed_s, _USUAL_LONG * self._longest_s)
        # A gap counts as no more than the least that is one: the pace of a source that slows down is still learnt.
        self.interval_s += _LEARNT * (min(interval_s, _LONG * usual_s) - self.interval_s)
        if interval_s > _LONG * usual_s:
            self._gaps += 1.0
            self._longest_s = max(self._longest_s, min(interval_s, _LONGEST_S))
        return interval_s > needed_s
