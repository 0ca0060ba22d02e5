"""The built-in model's step while the signal stands still: what it has learned of the signal waits for motion."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from kineseg_core.generic import ScratchPlan, scratch_bundle
from kineseg_core.inference.decoder import Decoder
from numpy.typing import NDArray

RATE = 10.0
CHANNELS = pytest.mark.parametrize("channels", [1, 5, 60])
F32 = NDArray[np.float32]


def motion(seconds: float, channels: int, seed: int) -> F32:
    t = np.arange(round(seconds * RATE))[:, None] / RATE
    random = np.random.default_rng(seed)
    waves = np.sin(2 * np.pi * t * random.uniform(0.3, 1.2, channels) + random.uniform(0, 6, channels))
    return (3.0 + waves + 0.05 * random.standard_normal(waves.shape)).astype(np.float32)


def embedded(frames: F32) -> tuple[F32, F32]:
    """Embeddings (T, E) and surprise (T,)."""
    decoder = Decoder(scratch_bundle(ScratchPlan.of(frames.shape[1], RATE)), "cpu", slots=1, max_batch=1)
    slots = np.array([decoder.acquire().slot])
    steps = [
        (step.embedding[0].copy(), step.surprise[0]) for step in (decoder.step(slots, row[None]) for row in frames)
    ]
    return np.array([embedding for embedding, _ in steps]), np.array([surprise for _, surprise in steps])


@cache
def frozen(channels: int, still_s: float, noise: float) -> tuple[F32, F32]:
    """What is embedded of motion, stillness and motion."""
    before = motion(60.0, channels, seed=1)
    still = np.repeat(before[-1:], round(still_s * RATE), axis=0)
    still += noise * np.random.default_rng(2).standard_normal(still.shape).astype(np.float32)
    return embedded(np.concatenate([before, still, motion(30.0, channels, seed=3)]))


@CHANNELS
@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_the_embedding_of_a_posture_does_not_drift(channels: int, noise: float) -> None:
    embedding, _ = frozen(channels, 600.0, noise)
    spread = embedding[:600].std(axis=0)
    early, late = embedding[640:700].mean(axis=0), embedding[6500:6590].mean(axis=0)
    # A fiftieth of ten minutes is let in.
    assert (np.abs(late - early) < 0.5 * spread + 0.05).all()


@CHANNELS
@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_motion_after_ten_minutes_of_stillness_looks_as_after_ten_seconds(channels: int, noise: float) -> None:
    soon, late = (frozen(channels, still_s, noise) for still_s in (10.0, 600.0))
    spread = soon[0][:600].std(axis=0).mean()
    assert np.sqrt(np.square(soon[0][-250:] - late[0][-250:]).mean()) < 0.25 * spread
    assert late[1][-300:].max() < 3.0 * soon[1][-300:].max()


@CHANNELS
def test_a_signal_that_stood_still_from_its_first_frame_begins_when_it_moves(channels: int) -> None:
    moves = motion(30.0, channels, seed=3)
    alone, _ = embedded(moves)
    after, _ = embedded(np.concatenate([np.repeat(moves[:1], 6000, axis=0), moves]))
    np.testing.assert_allclose(after[-250:], alone[-250:], atol=0.05)
