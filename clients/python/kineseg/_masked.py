"""Arrays of which some values are masked, as NumPy has them."""

from __future__ import annotations

import numpy as np


def unmasked(given: object) -> object:
    """The same, but for a masked array: one of numbers, with NaN where a value is masked and so is missing.

    Its array alone would hold what is masked.
    """
    if isinstance(given, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(given), np.nan, np.asarray(given, np.float64))
    return given
