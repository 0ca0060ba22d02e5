"""Recordings that people annotated, each time a little different: another stretch, tempo, side, other sensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.streams.annotated import Annotated
from kineseg_training.default.boundary_network.streams.columns import FIRST_SPEED, mirrored
from kineseg_training.default.boundary_network.streams.curves import at_positions, log_uniform, smooth_noise
from kineseg_training.default.boundary_network.streams.lengths import USUAL_S
from kineseg_training.default.boundary_network.streams.stream import Truth

Array = NDArray[np.float64]

_TEMPO = (0.5, 1.8)
_NOISE = (0.003, 0.2)  # of a channel's deviation


def varied_body(rng: np.random.Generator, recordings: tuple[Annotated, ...]) -> tuple[Array, Truth]:
    """A stretch of a recorded body ``(T, 59)`` at another tempo, half of the time mirrored; and its boundaries."""
    recording = _drawn(rng, recordings)
    tempo = log_uniform(rng, *_TEMPO)
    frames, truth = _stretch(rng, recording, tempo)
    frames[:, FIRST_SPEED:] *= tempo
    return (mirrored(frames) if rng.random() < 0.5 else frames), truth


def varied_channels(rng: np.random.Generator, recordings: tuple[Annotated, ...]) -> tuple[Array, float, Truth]:
    """A stretch of recorded channels ``(T, C)`` at another tempo, noisier, some left out; its rate; its boundaries."""
    recording = _drawn(rng, recordings)
    frames, truth = _stretch(rng, recording, log_uniform(rng, *_TEMPO))
    channels = frames.shape[1]
    kept = np.sort(rng.permutation(channels)[: int(rng.integers(max(1, channels // 2), channels + 1))])
    frames = frames[:, kept]
    usual = frames.std(axis=0) + 1e-9
    noise = log_uniform(rng, *_NOISE) * usual
    frames = frames + noise * rng.standard_normal(frames.shape)
    frames += noise * rng.uniform() * smooth_noise(rng, len(frames), len(kept), rng.uniform(2.0, 10.0))
    return frames * np.sign(rng.standard_normal(len(kept))), recording.rate, truth


def _drawn(rng: np.random.Generator, recordings: tuple[Annotated, ...]) -> Annotated:
    """The longer, the more often."""
    seconds = np.array([len(one.frames) / one.rate for one in recordings])
    return recordings[rng.choice(len(recordings), p=seconds / seconds.sum())]


def _stretch(rng: np.random.Generator, recording: Annotated, tempo: float) -> tuple[Array, Truth]:
    """`USUAL_S` of it at most, from anywhere."""
    whole = len(recording.frames)
    length = min(whole, int(USUAL_S * recording.rate * tempo))
    begin = int(rng.integers(whole - length + 1))
    at = np.asarray(begin + np.arange(int((length - 1) / tempo) + 1) * tempo, np.float64)
    frames = at_positions(recording.frames, at)
    boundaries = recording.boundaries - [begin / recording.rate, 0.0]
    first = int(np.searchsorted(boundaries[:, 0], 0.0, side="right"))
    end = int(np.searchsorted(boundaries[:, 0], length / recording.rate))
    actions = recording.actions[first : end + 1]
    return frames, Truth.of(boundaries[first:end] / tempo, np.ones(len(actions)), actions)
