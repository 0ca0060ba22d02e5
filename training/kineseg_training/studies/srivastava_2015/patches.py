"""Frames of films as vectors: means over square patches, so that a small machine can learn them, and back to pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import SettingsError


def patched(films: NDArray[np.float32], patch: int) -> NDArray[np.float32]:
    """Each frame as one vector of the means of its patches.

    Args:
        films: ``(N, T, side, side)``.
        patch: Pixels of a patch's side; 1 leaves every pixel as it is.

    Returns:
        ``(N, T, (side / patch) ** 2)``, row by row, values in the range of the pixels.

    Raises:
        SettingsError: Patches of this size do not fill the frame.
    """
    count, length, height, width = films.shape
    if patch < 1 or height % patch or width % patch:
        raise SettingsError(f"patch: {patch} x {patch} pixels do not fill a frame of {height} x {width}")
    # One side after the other: several times as fast as the mean over both.
    rows = films.reshape(count, length, height // patch, patch, width).mean(axis=3)
    columns = sum((rows[..., i::patch] for i in range(1, patch)), start=rows[..., 0::patch])
    return np.asarray(columns / patch, dtype=np.float32).reshape(count, length, -1)


def pictures(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(..., side * side)`` back to square pictures ``(..., side, side)``, one pixel a patch.

    Raises:
        SettingsError: Not the number of values of a square.
    """
    side = round(vectors.shape[-1] ** 0.5)
    if side * side != vectors.shape[-1]:
        raise SettingsError(f"vectors: {vectors.shape[-1]} values do not make a square picture")
    return vectors.reshape(*vectors.shape[:-1], side, side)
