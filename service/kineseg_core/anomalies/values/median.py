"""The median of a few numbers."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel


@kernel(inlined=True)
def median_of_few(numbers):  # type: ignore[no-untyped-def]
    """Median of those that are not NaN; NaN of none.

    By counting for each how many are smaller: of some dozens that takes less than to sort them.
    """
    known = 0
    for i in range(len(numbers)):
        known += numbers[i] == numbers[i]
    lower, upper = (known - 1) // 2, known // 2
    below, above = math.nan, math.nan
    for i in range(len(numbers)):
        smaller, not_larger = 0, 0
        for j in range(len(numbers)):
            smaller += numbers[j] < numbers[i]
            not_larger += numbers[j] <= numbers[i]
        if smaller <= lower < not_larger:
            below = numbers[i]
        if smaller <= upper < not_larger:
            above = numbers[i]
        if below == below and above == above:
            break
    return 0.5 * (below + above)
