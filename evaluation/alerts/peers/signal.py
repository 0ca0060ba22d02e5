"""What peers are given: a body's joints relative to its root, or channels; what is missing is as it was last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class HeldSignal:
    """Makes rows of numbers without holes out of frames."""

    def __init__(self) -> None:
        self._last: Array | None = None

    def update(self, values: Array) -> Array:
        """``(n, 3 J - 3)`` of joints ``(n, J, 3)``, ``(n, C)`` of channels."""
        held = self._held(values.reshape(len(values), -1)).reshape(values.shape)
        if held.ndim == 2:
            return held
        return np.asarray((held[:, 1:] - held[:, :1]).reshape(len(held), -1))

    def _held(self, rows: Array) -> Array:
        before = np.nan_to_num(rows[:1]) if self._last is None else self._last
        whole = np.concatenate([before, rows])
        index = np.where(np.isnan(whole), 0, np.arange(len(whole))[:, None])
        held = np.take_along_axis(whole, np.maximum.accumulate(index, axis=0), axis=0)
        self._last = held[-1:]
        return held[1:]


class RecentRows:
    """The rows of the last seconds, a few each second; every so often what is learned from them is to be renewed."""

    def __init__(self, rate: float, *, memory_s: float, every_s: float, kept_rate: float) -> None:
        self._step = max(1, round(rate / kept_rate))
        self._most = max(2, round(memory_s * rate / self._step))
        self._hop = max(1, round(every_s * rate))
        self._rows: list[Array] = []
        self._count = 0

    def scored(self, rows: Array, renew: Callable[[], None], score: Callable[[Array], Array]) -> Array:
        """What `score` makes of the rows by those before; where what is learned of these is due, `renew` is called."""
        edges = [0, *range(self._hop - self._count % self._hop, len(rows), self._hop), len(rows)]
        scores = []
        for piece in (rows[a:b] for a, b in pairwise(edges) if b > a):
            if self._count % self._hop == 0:
                renew()
            scores.append(score(piece))
            self._add(piece)
        return np.concatenate(scores)

    def _add(self, rows: Array) -> None:
        self._rows += list(rows[-self._count % self._step :: self._step])
        self._count += len(rows)
        del self._rows[: -self._most]

    def matrix(self) -> Array:
        """``(k, C)`` what is remembered."""
        return np.array(self._rows)
