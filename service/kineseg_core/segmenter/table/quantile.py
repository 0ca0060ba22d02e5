"""Medians of what a row keeps, see `kineseg_core.segmenter.running_quantile`, as a kernel."""

from __future__ import annotations

import numpy as np

from kineseg_core.kernels import kernel


@kernel(nogil=True)
def running_median(values):  # type: ignore[no-untyped-def]
    """The median of numbers (N,), one of them: the one of rank ``round(0.5 * (N - 1))``."""
    rank = round(0.5 * (len(values) - 1))
    return float(np.partition(values, rank)[rank])
