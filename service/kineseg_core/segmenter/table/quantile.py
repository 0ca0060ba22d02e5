"""Medians of what a row keeps, see `kineseg_core.segmenter.running_quantile`, as a kernel."""

from __future__ import annotations

import numpy as np

from kineseg_core.kernels import kernel


@kernel(nogil=True)
def running_median(values):  # type: ignore[no-untyped-def]
    """The median (N,) of numbers, one of them; the lower where two are in the middle, as in ``round(0.5 * (N - 1))``."""
    rank = round(0.5 * (len(values) - 1))
    return float(np.partition(values, rank)[rank])
