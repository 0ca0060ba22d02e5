"""Windowed dynamic time warping: how far feature sequences of different lengths are from each other."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from dtaidistance import dtw_ndim
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError

Array = NDArray[np.float64]

# It logs every matrix that it computes.
logging.getLogger("be.kuleuven.dtai.distance").setLevel(logging.WARNING)


def dtw_distance(a: NDArray[np.floating], b: NDArray[np.floating], window: int) -> float:
    """The distance of two sequences, as in `dtw_distances`.

    Args:
        a: ``(T, F)``.
        b: ``(T', F)``.
        window: As there.
    """
    return float(dtw_distances([a, b], window)[0, 1])


def dtw_distances(sequences: Sequence[NDArray[np.floating]], window: int) -> Array:
    """Distances of all pairs: root mean square distance of the frames that are laid onto each other.

    Of all ways to lay two sequences onto each other from first to last frame, neither ever going back, the one with the
    least sum of squared Euclidean distances is taken (Sakoe & Chiba 1978), and the root of that sum is divided by the
    root of the longer length. That is the least number of pairs that there can be, so the distance is one per frame and
    does not grow with the length of clips; dividing by the pairs of the path that was found would reward detours, and
    that path is no longer the best of its kind then. At equal lengths and window 1 it is the Euclidean distance per
    frame.

    Args:
        sequences: ``(T_i, F)`` each, of any length.
        window: Frames by which two frames laid onto each other may be apart, plus one: 1 allows no warping. Where the
            lengths differ, the band is widened by the difference, since the last frames could not meet otherwise.

    Returns:
        ``(N, N)``, symmetric, zero on the diagonal.

    Raises:
        DataError: No sequences, an empty one, other numbers of features, or a number that is not finite.
        SettingsError: The window is below 1.
    """
    if window < 1:
        raise SettingsError(f"window must be at least 1 frame (1 allows no warping), got {window}")
    checked = _checked(sequences)
    n_features = checked[0].shape[1]
    distances = np.asarray(
        dtw_ndim.distance_matrix_fast(checked, ndim=n_features, window=window, parallel=False), dtype=np.float64
    )
    lengths = np.array([len(sequence) for sequence in checked])
    return np.asarray(distances / np.sqrt(np.maximum(lengths[:, None], lengths[None, :])))


def _checked(sequences: Sequence[NDArray[np.floating]]) -> list[Array]:
    if not sequences:
        raise DataError("there are no sequences to compare")
    expected = sequences[0].shape[-1] if sequences[0].ndim else 0
    for number, sequence in enumerate(sequences):
        if sequence.ndim != 2 or not len(sequence) or sequence.shape[1] != expected or not expected:
            raise DataError(
                f"sequence {number} has shape {sequence.shape}; all must be (frames, {expected or 'features'}), at "
                "least one frame long, of one layer of one model"
            )
        if not np.isfinite(sequence).all():
            frame = int(np.argwhere(~np.isfinite(sequence))[0, 0])
            raise DataError(f"sequence {number}, frame {frame}: a feature is not finite")
    return [np.ascontiguousarray(sequence, dtype=np.float64) for sequence in sequences]
