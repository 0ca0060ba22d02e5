"""Numbers as callers have them, in whatever makes an array: lists, data frames, tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg._errors import InvalidRequest
from kineseg._masked import unmasked


def array_of(given: ArrayLike, field: str) -> NDArray[Any]:
    """An array of what a caller gave, of whatever type its numbers are; what is masked is missing, which is NaN.

    Raises:
        InvalidRequest: It does not make an array.
    """
    try:
        return np.asarray(unmasked(given))
    except (TypeError, ValueError, RuntimeError) as error:  # the last: tensors that cannot leave where they are
        raise InvalidRequest(f"{field} must be an array of numbers: {error}", field=field) from None


def real_numbers(given: ArrayLike, field: str) -> NDArray[Any]:
    """An array of real numbers, see `array_of`.

    Raises:
        InvalidRequest: They are none; says what they are.
    """
    array = array_of(given, field)
    if array.dtype.kind in "fiu":
        return array
    if array.ndim == 0 or array.dtype.kind != "O":
        kind = type(given).__name__ if array.ndim == 0 else f"an array of {array.dtype}"
        raise InvalidRequest(f"{field} must be an array of real numbers, got {kind}", field=field)
    raise InvalidRequest(
        f"{field} must be an array of real numbers, got one of objects; if they stand for numbers, "
        "np.asarray(..., dtype=float) makes them such, and of a data frame df.to_numpy(float, na_value=np.nan)",
        field=field,
    )
