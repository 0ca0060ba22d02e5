"""Medians of what a row keeps, see `kineseg_core.segmenter.running_quantile`, as a kernel."""

from __future__ import annotations

from kineseg_core.kernels import kernel


@kernel(nogil=True)
def running_median(values):  # type: ignore[no-untyped-def]
    """The median of numbers (N,) float32, one of them: the one of rank ``round(0.5 * (N - 1))``."""
    rank, some = round(0.5 * (len(values) - 1)), values.copy()
    first, last = 0, len(some) - 1
    while first < last:  # the one of this rank lies between them (Hoare 1961, "Algorithm 65: find")
        middle, low, high = some[rank], first, last
        while low <= high:
            while low < last and some[low] < middle:
                low += 1
            while high > first and some[high] > middle:
                high -= 1
            if low <= high:
                some[low], some[high] = some[high], some[low]
                low, high = low + 1, high - 1
        if high < rank:
            first = low
        if low > rank:
            last = high
    return float(some[rank])
