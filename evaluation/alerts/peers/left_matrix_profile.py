"""How far the last half second is from the most similar one before it: stumpy's STUMPI, not normalised.

Normalised, it finds next to nothing here: what is wrong is the level or the size, not the shape.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.peers.components import Components
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Alarm

Array = NDArray[np.float64]

RATE_HZ = 10.0
COMPONENTS = 3
WINDOW_S = 0.5


class LeftMatrixProfile:
    """Mean over a few principal components of the left matrix profile of the newest window."""

    def __init__(self, stream: AlertStream) -> None:
        self.alarms: list[Alarm] = []
        self._components = Components(stream, COMPONENTS)
        self._step = max(1, round(stream.recording.rate / RATE_HZ))
        self._window = max(4, round(WINDOW_S * stream.recording.rate / self._step))
        self._first: list[Array] = []
        self._profiles: list[object] = []
        self._count = 0
        self._score = 0.0

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        rows = self._components.update(values)
        scores = np.empty(len(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # stumpy asks NumPy for what newer versions warn of
            for at, row in enumerate(rows):
                if self._count % self._step == 0:
                    self._score = self._next(row)
                self._count += 1
                scores[at] = self._score
        return scores

    def _next(self, row: Array) -> float:
        if not self._profiles:
            self._first.append(row)
            if len(self._first) == 2 * self._window:
                self._begin(np.array(self._first))
            return 0.0
        distances = []
        for profile, value in zip(self._profiles, row.tolist(), strict=True):
            profile.update(value)  # type: ignore[attr-defined]
            distances.append(float(profile.left_P_[-1]))  # type: ignore[attr-defined]
        score = float(np.mean(distances))
        return score if np.isfinite(score) else 0.0

    def _begin(self, rows: Array) -> None:
        import stumpy

        # Only what is to come is asked for: the profile of the first windows, which takes a minute to compile, may be
        # anything.
        length = len(rows) - self._window + 1
        unknown = np.tile(np.array([np.inf, -1, -1, -1], dtype=object), (length, 1))
        self._profiles = [
            stumpy.stumpi(column, m=self._window, egress=False, normalize=False, mp=unknown)
            for column in np.ascontiguousarray(rows.T)
        ]
