"""What is usual of a model's surprise, for the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from kineseg.v1 import bundle_pb2
from numpy.typing import NDArray

from kineseg_training.errors import DataError

# Frames at the start of a take in which a model has hardly heard anything; they do not count.
WARM_UP = 10


def calibration(
    surprises: Sequence[NDArray[np.floating]],
    segmenter: Mapping[str, float],
    naming: Mapping[str, float] | None = None,
) -> bundle_pb2.Calibration:
    """Median and robust deviation of the logarithm.

    Args:
        surprises: ``(T,)`` of each held-out take.
        segmenter: Settings of the segmenter to be told beside.
        naming: Settings of the naming of segments to be told beside.

    Raises:
        DataError: No take is longer than `WARM_UP`.
    """
    surprise = np.concatenate([np.asarray(take, dtype=np.float64)[WARM_UP:] for take in surprises])
    surprise = surprise[surprise > 0.0]
    if not surprise.size:
        raise DataError(f"no held-out take is longer than {WARM_UP} frames: nothing to calibrate surprise on")
    logarithm = np.log(surprise)
    median = float(np.median(logarithm))
    spread = 1.4826 * float(np.median(np.abs(logarithm - median)))
    return bundle_pb2.Calibration(
        log_surprise_median=round(median, 6),
        log_surprise_scale=round(spread, 6),
        segmenter=segmenter,
        naming=naming,
    )
