"""What goes wrong with a whole source, whatever it sends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Change = Callable[[Array, tuple[str, ...], slice, float, np.random.Generator], tuple[str, ...]]
"""Takes values, positions ``(T, J, 3)`` or channels ``(T, C)``, which it changes, the names of joints or channels, the
rows of the fault, frames per second and what is random; returns the names of those affected."""


def stall(values: Array, names: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator) -> tuple[str, ...]:
    """One frame is sent again and again."""
    values[rows] = values[rows.start]
    return names


def loop(values: Array, names: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator) -> tuple[str, ...]:
    """What was sent before is sent once more."""
    length = rows.stop - rows.start
    values[rows] = values[max(rows.start - length, 0) + np.arange(length)]
    return names
