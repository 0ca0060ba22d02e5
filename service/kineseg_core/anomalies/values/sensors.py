"""Which channels are of one sensor of three axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_AXIS = re.compile(r"(?i)^(.*?)[^a-z0-9]?[xyz]$")


def sensors_of(names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """The channels of each sensor of three axes, by names that differ in the axis only: ``acc_x acc_y acc_z``."""
    found: dict[str, list[int]] = {}
    for channel, name in enumerate(names):
        if axis := _AXIS.match(name):
            found.setdefault(axis[1].lower(), []).append(channel)
    return tuple(tuple(channels) for channels in found.values() if len(channels) == 3)


@lru_cache(maxsize=64)  # streams of the same source share it
def sensor_array(names: tuple[str, ...]) -> NDArray[np.intp]:
    """``(S, 3)`` the same."""
    return np.array(sensors_of(names), np.intp).reshape(-1, 3)
