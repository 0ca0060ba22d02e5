"""People doing one thing, and people doing one thing after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from kineseg.motion import Recording, generate
from numpy.typing import NDArray

Array = NDArray[np.float64]


def doing(action: str, n_frames: int, rate: float, seed: int) -> Recording:
    """One person, one of the generator's actions; exactly `n_frames` frames."""
    seconds = n_frames / rate
    made = generate(
        seed, rate=rate, actions=(action,), n_segments=1, min_segment_s=max(1.0, seconds),
        max_segment_s=max(1.0, seconds) + 0.1, noise=0.0,
    )  # fmt: skip
    return made.slice(0, n_frames)


def joined(parts: Sequence[Array], blend: int) -> Array:
    """Channels ``(T, C)`` of one body one after another, the body going on from where it stood.

    Args:
        parts: Channels of each part, of which the first three are where the root is, y up.
        blend: Frames about each join in which one part passes over into the next.
    """
    whole = parts[0].copy()
    for part in parts[1:]:
        part = part.copy()
        part[:, [0, 2]] += whole[-1, [0, 2]] - part[0, [0, 2]]
        weight = (np.arange(1, blend + 1) / (blend + 1))[:, None]
        part[:blend] = weight * part[:blend] + (1.0 - weight) * whole[-1]
        whole = np.concatenate([whole, part])
    return whole
