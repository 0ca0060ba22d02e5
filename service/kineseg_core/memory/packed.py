"""All arrays of a stream side by side in one piece of memory: quick to come by, and small when it is pickled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 8  # bytes

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])


def packed(arrays: Arrays) -> tuple[Arrays, NDArray[np.uint8]]:
    """Tuples of arrays, of other tuples and of numbers, with the arrays moved into one piece of memory; and that.

    What is in the memory is all that the tuples hold, numbers aside.
    """
    memory = np.zeros(sum(_room(array) for array in _arrays(arrays)), np.uint8)
    there = placed(arrays, memory)
    for array, source in zip(_arrays(there), _arrays(arrays), strict=True):
        array[...] = source
    return there, memory


def placed(arrays: Arrays, memory: NDArray[np.uint8]) -> Arrays:
    """The same tuples with the arrays that are in such a memory."""
    there: Arrays = _placed(arrays, memory, [0])
    return there


def _arrays(each: Any) -> Iterator[NDArray[Any]]:
    if isinstance(each, np.ndarray):
        yield each
    elif isinstance(each, tuple):
        for part in each:
            yield from _arrays(part)


def _room(array: NDArray[Any]) -> int:
    return -(-array.nbytes // _ALIGNED) * _ALIGNED


def _placed(each: Any, memory: NDArray[np.uint8], at: list[int]) -> Any:
    """The same from place `at[0]` of the memory on, which is moved on."""
    if isinstance(each, np.ndarray):
        array: NDArray[Any] = np.ndarray(each.shape, each.dtype, memory, at[0])
        at[0] += _room(each)
        return array
    if isinstance(each, tuple):
        parts = [_placed(part, memory, at) for part in each]
        return type(each)(*parts) if hasattr(each, "_fields") else tuple(parts)
    return each
