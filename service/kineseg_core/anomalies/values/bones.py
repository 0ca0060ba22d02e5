"""How long bones usually are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.source import WatchedSource

F64 = NDArray[np.float64]

_ROOTS = ("hips", "pelvis")
_FIRST_S, _FIRST_EVERY_S, _EVERY_S, _RENEWED_S = 3.0, 0.1, 1.5, 3.0
_KEPT = 60
_FAR, _LEAST_SPREAD = 8.0, 0.004
_GIVE_UP_S, _RECENT = 30.0, 20


def bones_of(source: WatchedSource) -> tuple[tuple[int, int], ...]:
    """Joint and parent of every bone; what ties the hips to the floor is none."""
    return tuple(
        (joint, parent)
        for joint, parent in enumerate(source.parents or ())
        if parent >= 0 and source.names[joint].lower() not in _ROOTS
    )


class BoneBaseline:
    """Median of each bone's log length over about the last minute and a half. Picklable.

    What lies beyond eight deviations does not count until it has lasted for thirty seconds; then it is what is usual.

    Args:
        bones: How many.
        rate_hz: Frames a second.

    Attributes:
        value: ``(B,)``; NaN before a bone was seen.
    """

    def __init__(self, bones: int, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._first = round(_FIRST_S * rate_hz)
        self._kept = np.full((_KEPT, bones), np.nan, np.float32)
        self._counts = np.zeros((_KEPT, bones), bool)
        self._next = 0
        self._count = 0
        self._far_s = np.zeros(bones)
        self._spread = np.full(bones, np.inf)
        self.value = np.full(bones, np.nan)

    def update(self, lengths: NDArray[np.floating]) -> None:
        """Takes the log lengths of a frame, ``(B,)`` with NaN where unknown."""
        early = self._count < self._first
        hop = max(1, round((_FIRST_EVERY_S if early else _EVERY_S) * self._rate_hz))
        if self._count % hop == 0:
            self._add(lengths, early)
            renewed = max(1, round(_RENEWED_S * self._rate_hz))
            if early or self._count % renewed < hop:
                self._renew()
        self._count += 1

    def _add(self, lengths: NDArray[np.floating], early: bool) -> None:
        far = np.abs(lengths - self.value) >= _FAR * self._spread if not early else np.zeros(len(lengths), bool)
        self._far_s = np.where(far, self._far_s + _EVERY_S, 0.0)
        self._kept[self._next] = lengths
        self._counts[self._next] = ~(far | np.isnan(lengths))
        self._next = (self._next + 1) % _KEPT
        given_up = self._far_s > _GIVE_UP_S
        if given_up.any():
            recent = [(self._next - back) % _KEPT for back in range(1, _RECENT + 1)]
            counts = np.zeros((_KEPT, int(given_up.sum())), bool)
            counts[recent] = ~np.isnan(self._kept[recent][:, given_up])
            self._counts[:, given_up] = counts
            self._far_s[given_up] = 0.0
            self._renew()

    def _renew(self) -> None:
        there = self._counts.any(axis=0)
        if not there.any():
            return
        kept = np.where(self._counts, self._kept, np.nan)[:, there]
        middle = np.nanmedian(kept, axis=0)
        self.value[there] = middle
        self._spread[there] = 1.4826 * np.nanmedian(np.abs(kept - middle), axis=0) + _LEAST_SPREAD
