"""Bodies as sensors on them tell them: one to seven units on joints, or a phone at the waist."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from kineseg_training.default.boundary_network.streams.columns import FIRST_SPEED, JOINTS, joint
from kineseg_training.default.boundary_network.streams.curves import log_uniform, smooth_noise
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE

Array = NDArray[np.float64]

_WAIST_SHARE = 0.25
_FEWEST = 5  # channels: the network is asked about no fewer
_GRAVITY = 9.8  # metres a second squared
_BODY_M = 1.4  # metres in a body size: a leg and a spine
_NOISE = (0.01, 0.4)  # of a channel's usual deviation
_WAIST_NOISE = (0.003, 0.1)
_DRIFT_FRAMES = 600.0
_QUANTITIES = ("place", "speed", "acceleration")
_HEAD, _CHEST, _LEFT, _RIGHT = joint("head"), joint("chest"), joint("left_hip"), joint("right_hip")


def seen_by_sensors(rng: np.random.Generator, frames: Array) -> tuple[Array, float]:
    """What sensors on a body tell.

    Args:
        rng: Draws the sensors.
        frames: ``(T, 59)`` canonical at `BODY_RATE`.

    Returns:
        ``(T', C)`` and its frames per second: 60, 30 or 15.
    """
    waist = rng.random() < _WAIST_SHARE
    channels = at_waist(rng, frames) if waist else _units(rng, frames)
    while channels.shape[1] < _FEWEST:
        channels = at_waist(rng, frames) if waist else _units(rng, frames)
    noise = log_uniform(rng, *(_WAIST_NOISE if waist else _NOISE))
    channels = channels + noise * rng.standard_normal(channels.shape)
    if rng.random() < 0.3:
        channels += rng.uniform(0.0, 0.4) * smooth_noise(rng, len(channels), channels.shape[1], _DRIFT_FRAMES)
    step = int(rng.choice([4, 2, 2, 1]))
    return channels[::step], BODY_RATE / step


def _units(rng: np.random.Generator, frames: Array) -> Array:
    """Units at random joints and at any angle that tell place, speed or acceleration, one to three axes of it."""
    joints = rng.choice(JOINTS, size=int(rng.choice([1, 2, 2, 3, 4, 5, 7])), replace=False)
    quantities = rng.choice(_QUANTITIES, size=int(rng.integers(1, 3)), replace=False)
    walked = np.cumsum(frames[:, FIRST_SPEED : FIRST_SPEED + 3], axis=0) / BODY_RATE
    channels = []
    for number in joints:
        relative = frames[:, 3 * number : 3 * number + 3]
        place = gaussian_filter1d(relative, rng.uniform(1.0, 4.0), axis=0)
        if rng.random() < 0.3:
            place = place + walked
        for quantity in quantities:
            values = place
            if quantity != "place":
                values = np.gradient(values, 1.0 / BODY_RATE, axis=0)
            if quantity == "acceleration":  # and gravity, along the limb or what stands for it
                along = relative - frames[:, _HEAD]
                along = along / (np.linalg.norm(along, axis=1, keepdims=True) + 0.05)
                values = np.gradient(values, 1.0 / BODY_RATE, axis=0) + _GRAVITY * rng.uniform(0.3, 1.0) * along
            values = _at_any_angle(rng, values)[:, : rng.choice([1, 2, 3], p=[0.1, 0.1, 0.8])]
            channels.append(values / (values.std() + 1e-6) * np.exp(0.4 * rng.standard_normal()))
    return np.hstack(channels)


def at_waist(rng: np.random.Generator, frames: Array) -> Array:
    """What a phone at the waist tells of a body, free of noise and mounted at any angle.

    Returns:
        ``(T, 3)`` acceleration with gravity, in g; usually ``(T, 6)`` with the rate of turn, radians a second.
    """
    smooth = gaussian_filter1d(frames, rng.uniform(1.0, 3.0), axis=0)
    axes = _trunk_axes(smooth)
    speed, yaw_rate = smooth[:, FIRST_SPEED : FIRST_SPEED + 3], smooth[:, FIRST_SPEED + 3]
    acceleration = np.gradient(speed, 1.0 / BODY_RATE, axis=0) * _BODY_M
    # The canonical axes turn with the body about the vertical.
    acceleration[:, 0] += yaw_rate * speed[:, 2] * _BODY_M
    acceleration[:, 2] -= yaw_rate * speed[:, 0] * _BODY_M
    acceleration[:, 1] += _GRAVITY
    felt = np.einsum("tca,tc->ta", axes, acceleration) / _GRAVITY
    turned = np.einsum("tca,tcb->tab", axes[:-1], axes[1:])
    rate = Rotation.from_matrix(turned).as_rotvec() * BODY_RATE
    rate = np.concatenate([rate[:1], rate]) + axes[:, 1, :] * yaw_rate[:, None]
    mount = Rotation.random(random_state=int(rng.integers(1 << 30)))
    channels = [mount.apply(felt)]
    if rng.random() < 0.8:
        channels.append(mount.apply(rate))
    return np.hstack(channels)


def _trunk_axes(frames: Array) -> Array:
    """``(T, 3, 3)`` columns to the left of the trunk, up along it and forward, in canonical axes."""
    up = _unit(frames[:, _CHEST])
    left = frames[:, _LEFT] - frames[:, _RIGHT]
    left = _unit(left - (left * up).sum(axis=1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], axis=2)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9))


def _at_any_angle(rng: np.random.Generator, values: Array) -> Array:
    return np.asarray(Rotation.random(random_state=int(rng.integers(1 << 30))).apply(values))
