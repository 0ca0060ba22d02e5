"""A stream in which exactly one thing goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from kineseg.motion import Recording
from kineseg_training.data.faults import with_fault
from numpy.typing import NDArray

from evaluation.alerts.joints import parents_of
from evaluation.alerts.kinds.streams import BODY_FAULT_S, SENSOR_FAULT_S, body, sensor
from evaluation.alerts.stream import AlertStream

Array = NDArray[np.float64]

_LEVEL_S, _LEVEL_C = 5.0, 2.0
_GAIN_S, _GAIN, _RAMP_S = 6.0, 8.0, 1.0
_NOISE_ROWS = 7
_HELD_S, _HELD = 5.0, 2.2


@dataclass(frozen=True, eq=False)
class Faulty:
    """A stream with one fault.

    Attributes:
        clean: As it would have been.
        stream: As it is sent.
        start_s, stop_s: When it goes wrong, seconds since the first frame; of a gap, from the last frame before it.
        units: The joints or channels that are wrong; all of them if it is the whole source.
    """

    clean: Recording
    stream: AlertStream
    start_s: float
    stop_s: float
    units: tuple[str, ...]


Make = Callable[[int], Faulty]
"""Makes the stream of a seed."""


def body_fault(name: str) -> Make:
    """A fault of `kineseg_training.data.faults` in a body."""
    return lambda seed: _with(body(seed), name, BODY_FAULT_S, seed)


def temperature_off(seed: int) -> Faulty:
    """The thermometer shows two degrees more for five seconds, as one with a loose contact does."""
    clean = sensor(seed)
    rows, values = _rows(clean, _LEVEL_S), np.array(clean.frames)
    values[rows, clean.channels.index("temperature")] += _LEVEL_C
    return _changed(clean, values, rows, ("temperature",))


def gyro_amplified(seed: int) -> Faulty:
    """One axis swings eight times as far for six seconds, as with a strap that comes loose; its noise stays."""
    clean = sensor(seed)
    rows, channel = _rows(clean, _GAIN_S), clean.channels.index("gyro_x")
    values = np.array(clean.frames)
    smooth = np.convolve(values[:, channel], np.ones(_NOISE_ROWS) / _NOISE_ROWS, "same")
    swing = smooth - np.median(smooth)
    values[rows, channel] += (_GAIN - 1.0) * (_ramp(rows, clean.rate) * swing[rows])
    return _changed(clean, values, rows, ("gyro_x",))


def held_askew(seed: int) -> Faulty:
    """All axes rest for five seconds near the ends of their usual ranges, where they have never been all at once."""
    clean = sensor(seed)
    rows, values = _rows(clean, _HELD_S), np.array(clean.frames)
    axes = values[:, :-1]
    rng = np.random.default_rng(seed)
    sides = np.resize((1.0, -1.0), axes.shape[1])
    noise = np.diff(axes[rows.start - (rows.stop - rows.start) - 2 : rows.start], 2, axis=0) / np.sqrt(6.0)
    posture = np.median(axes, axis=0) + _HELD * sides * axes.std(axis=0)
    share = _ramp(rows, clean.rate)[:, None]
    values[rows, :-1] = (1.0 - share) * axes[rows] + share * (posture + rng.permuted(noise, axis=0))
    return _changed(clean, values, rows, clean.channels[:-1])


def _with(clean: Recording, name: str, start_s: float, seed: int) -> Faulty:
    recording = with_fault(clean, name, start_s, seed)
    fault, period_s = recording.faults[-1], 1.0 / clean.rate
    if fault.missing:
        start_s -= period_s
        stop_s = start_s + (fault.missing + 1) * period_s
    else:
        stop_s = start_s + (fault.stop - fault.start) * period_s
    stream = AlertStream("kinds", recording.name, recording, parents_of(clean))
    return Faulty(clean, stream, start_s, stop_s, fault.joints or stream.units)


def _changed(clean: Recording, values: Array, rows: slice, units: tuple[str, ...]) -> Faulty:
    recording = replace(clean, frames=values, name=f"{clean.name}+synthetic")
    stream = AlertStream("kinds", recording.name, recording)
    return Faulty(clean, stream, rows.start / clean.rate, rows.stop / clean.rate, units)


def _rows(recording: Recording, duration_s: float) -> slice:
    return slice(round(SENSOR_FAULT_S * recording.rate), round((SENSOR_FAULT_S + duration_s) * recording.rate))


def _ramp(rows: slice, rate_hz: float) -> Array:
    """``(n,)`` from 0 to 1 within `_RAMP_S`, and back at the end."""
    at = np.arange(rows.stop - rows.start)
    share = np.minimum(at, at[::-1]) / (_RAMP_S * rate_hz)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(share, 1.0)))
