"""What goes wrong with the channels of sensors, put into their values."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kineseg_training.data.faults.source import Change, loop, stall

Array = NDArray[np.float64]

# In deviations of the channel over the recording.
_SPIKE, _OFFSET, _DRIFT, _JITTER, _GROWING_JITTER = 4.0, 2.0, 3.0, 0.5, 1.0
_GAIN = 2.0
_UNIT = 9.8  # m/s^2 where g were agreed
_LATE_S = 0.3
_AXIS = re.compile(r"(?i)^(.*[^a-z0-9])?[xyz]$")


def _change_unit(
    values: Array, channels: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
) -> tuple[str, ...]:
    sensor = _same_sensor(channels, int(rng.integers(len(channels))))
    values[rows, sensor] *= _UNIT
    return tuple(channels[channel] for channel in sensor)


def _same_sensor(channels: tuple[str, ...], channel: int) -> list[int]:
    """The channels whose names differ in the axis only; the channel alone if its name has none."""
    axis = _AXIS.match(channels[channel])
    if axis is None:
        return [channel]
    return [at for at, name in enumerate(channels) if _AXIS.match(name) and name[:-1] == channels[channel][:-1]]


def _one(change: Callable[[Array, slice, float, float, np.random.Generator], Array]) -> Change:
    """A fault of one channel: `change` takes its values ``(T,)``, the rows, its deviation, frames per second and what
    is random, and returns the new values of the rows."""

    def in_one(
        values: Array, channels: tuple[str, ...], rows: slice, rate: float, rng: np.random.Generator
    ) -> tuple[str, ...]:
        # One that never changes cannot freeze, lag or swing further.
        deviations = np.nanstd(values, axis=0)
        channel = int(rng.choice(np.flatnonzero(deviations > 0.0) if deviations.any() else len(channels)))
        values[rows, channel] = change(values[:, channel], rows, float(deviations[channel]), rate, rng)
        return (channels[channel],)

    return in_one


def _held(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return np.full(rows.stop - rows.start, values[rows.start])


def _missing(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return np.full(rows.stop - rows.start, np.nan)


def _negated(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return -values[rows]


def _amplified(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    middle = np.nanmean(values)
    return np.asarray(middle + _GAIN * (values[rows] - middle))


def _late(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return np.asarray(values[np.maximum(np.arange(rows.start, rows.stop) - round(_LATE_S * rate), 0)])


def _off(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return np.asarray(values[rows] + _OFFSET * deviation * rng.choice((-1.0, 1.0)))


def _jumping(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return np.asarray(values[rows] + _SPIKE * deviation * rng.choice((-1.0, 1.0)))


def _drifting(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    growing = np.linspace(0.0, 1.0, rows.stop - rows.start)
    return np.asarray(values[rows] + _DRIFT * deviation * growing * rng.choice((-1.0, 1.0)))


def _shaking(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    return np.asarray(values[rows] + _JITTER * deviation * rng.standard_normal(rows.stop - rows.start))


def _shaking_more(values: Array, rows: slice, deviation: float, rate: float, rng: np.random.Generator) -> Array:
    growing = np.linspace(0.0, 1.0, rows.stop - rows.start)
    return np.asarray(values[rows] + _GROWING_JITTER * deviation * growing * rng.standard_normal(len(growing)))


CHANNEL_CHANGES: dict[str, Change] = {
    "occluded": _one(_missing),
    "stalled": stall,
    "looped": loop,
    "frozen": _one(_held),
    "unit": _change_unit,
    "sign_flip": _one(_negated),
    "gain": _one(_amplified),
    "growing_jitter": _one(_shaking_more),
    "spike": _one(_jumping),
    "offset": _one(_off),
    "drift": _one(_drifting),
    "lag": _one(_late),
    "jitter": _one(_shaking),
}
"""All but ``gap``, which `kineseg.motion.inject` makes."""
