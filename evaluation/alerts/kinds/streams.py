"""Streams in which nothing is wrong yet: an invented person, and an invented sensor on one."""

from __future__ import annotations

import numpy as np
from kineseg.motion import Recording, generate

BODY_FAULT_S, SENSOR_FAULT_S = 36.0, 600.0
"""When the fault begins: at two alarms an hour it takes the first minutes of a sensor to know what is usual there."""
_AFTER_S = 16.0
_BODY_HZ, _SENSOR_HZ = 30.0, 50.0
_NOISE_M = 0.002
_AXES = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
_GRAVITY = (0.2, 0.9, -0.35)
_STRIDE_HZ = 0.9
_HARMONICS = ((1, 0.1), (2, 0.2), (3, 0.03))
_PACE, _PACE_HZ = 0.05, 0.07
_WARM_C, _WARMER_C, _WARMER_HZ = 31.0, 0.3, 0.004
_SENSOR_NOISE, _WARMTH_NOISE_C = 0.01, 0.02


def body(seed: int) -> Recording:
    """A person who moves about, as a tracker of two millimetres sees them, 30 times a second."""
    return generate(seed, duration_s=BODY_FAULT_S + _AFTER_S, rate=_BODY_HZ, noise=_NOISE_M)


def sensor(seed: int) -> Recording:
    """Six axes and a thermometer on somebody who walks, now faster, now slower: g, turns a second, and degrees."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(round((SENSOR_FAULT_S + _AFTER_S) * _SENSOR_HZ)) / _SENSOR_HZ
    pace = 1.0 + _PACE * np.sin(2.0 * np.pi * _PACE_HZ * at_s + rng.uniform(0.0, 2.0 * np.pi))
    phase = 2.0 * np.pi * np.cumsum(_STRIDE_HZ * pace) / _SENSOR_HZ
    axes = np.zeros((len(at_s), len(_AXES)))
    for harmonic, size in _HARMONICS:
        sizes, shifts = size * rng.uniform(0.7, 1.3, len(_AXES)), rng.uniform(0.0, 2.0 * np.pi, len(_AXES))
        axes += sizes * pace[:, None] * np.sin(harmonic * phase[:, None] + shifts)
    axes[:, :3] += _GRAVITY
    axes += _SENSOR_NOISE * rng.standard_normal(axes.shape)
    warmth = _WARM_C + _WARMER_C * np.sin(2.0 * np.pi * _WARMER_HZ * at_s)
    warmth += _WARMTH_NOISE_C * rng.standard_normal(len(at_s))
    values = np.column_stack([axes, warmth])
    return Recording(values, _SENSOR_HZ, (*_AXES, "temperature"), name=f"sensor-{seed}", synthetic=True)
