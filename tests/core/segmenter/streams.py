"""Embeddings with known truth: noise around one mean per action, smooth in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RATE = 30.0


def embedding_stream(
    actions: Sequence[int], seconds: Sequence[float], seed: int = 0, dim: int = 8
) -> tuple[NDArray[np.float32], list[int]]:
    """Frames (T, dim) at RATE and the frames where an action begins, the first one left out."""
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((max(actions) + 1, dim))
    lengths = [round(s * RATE) for s in seconds]
    target = np.repeat(means[list(actions)], lengths, axis=0)
    swing = 0.3 * np.sin(np.arange(len(target)) * 2 * np.pi * 1.3 / RATE)[:, None]
    frames = target + swing * rng.standard_normal(dim) + 0.15 * rng.standard_normal(target.shape)
    return frames.astype(np.float32), list(np.cumsum(lengths)[:-1])
