"""The embedding of a stream that goes on, in the plane in which it varies most."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_FIRST, _GROWTH, _AT_LEAST_EVERY = 24, 1.6, 1500
_MOST_FOR_PLANE = 1500
_SMOOTH_S = 0.15
# Points this many times further from the middle than half of all points choose no plane.
_FAR = 4.0


class Plane:
    """Points of a space, seen in two directions that follow what has come so far.

    Now and then the directions are chosen anew, ever more rarely; they are turned so that the picture changes least.

    Args:
        most: So many of the latest points are kept.

    Attributes:
        version: Rises when all points have moved.
        share: Share of the variance of the usual points that the plane holds, 0 to 1.
    """

    def __init__(self, most: int) -> None:
        self.version = 0
        self.share = 0.0
        self._points: deque[Array] = deque(maxlen=most)
        self._smooth: Array | None = None
        self._last_s = 0.0
        self._middle: Array | None = None
        self._basis: Array | None = None
        self._count = 0
        self._next = _FIRST

    def push(self, point: ArrayLike, time_s: float) -> list[float] | None:
        """The next point (E,); where it lies, if there is a plane by now."""
        values = np.asarray(point, dtype=np.float64)
        if not values.size:
            return None
        share = 1.0 if self._smooth is None else 1.0 - np.exp(-max(0.0, time_s - self._last_s) / _SMOOTH_S)
        self._smooth = values if self._smooth is None else self._smooth + share * (values - self._smooth)
        self._last_s = time_s
        self._points.append(self._smooth)
        self._count += 1
        if self._count >= self._next:
            self.choose()
            self._next = self._count + min(int(self._count * (_GROWTH - 1)), _AT_LEAST_EVERY)
        return self._seen(self._smooth[None])[0] if self._basis is not None else None

    def all(self) -> list[list[float]]:
        """Where all points that are kept lie, in the order in which they came."""
        return self._seen(np.stack(self._points)) if self._basis is not None else []

    def _seen(self, points: Array) -> list[list[float]]:
        assert self._basis is not None
        assert self._middle is not None
        flat: list[list[float]] = np.round((points - self._middle) @ self._basis, 4).tolist()
        return flat

    def choose(self) -> None:
        """Chooses the directions by what is kept; there is no plane of fewer than three points."""
        if len(self._points) < 3:
            return
        step = max(1, len(self._points) // _MOST_FOR_PLANE)
        points = np.stack(self._points)[::step]
        away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
        usual = points[away <= _FAR * np.median(away)]
        middle = usual.mean(axis=0)
        _, strengths, directions = np.linalg.svd(usual - middle, full_matrices=False)
        basis = np.zeros((points.shape[1], 2))
        found = min(2, len(directions))
        basis[:, :found] = directions[:found].T
        if self._basis is not None and self._middle is not None:
            # The turn, with a reflection if need be, that brings the new picture nearest to the old one.
            left, _, right = np.linalg.svd(((points - middle) @ basis).T @ ((points - self._middle) @ self._basis))
            basis = basis @ (left @ right)
        power = strengths**2
        self.share = float(power[:2].sum() / power.sum()) if power.sum() > 0 else 1.0
        self._middle, self._basis = middle, basis
        self.version += 1
