"""All arrays of a stream side by side in one piece of memory: quick to come by, and small when it is pickled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 8  # bytes

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])


class Packing(Generic[Arrays]):
    """Where each of some arrays lies in a piece of memory.

    Args:
        arrays: Tuples of arrays, of other tuples and of numbers.
    """

    def __init__(self, arrays: Arrays) -> None:
        each = list(_arrays(arrays))
        self._of = arrays
        self._shapes, self._kinds = [array.shape for array in each], [array.dtype for array in each]
        *self._places, self._size = itertools.accumulate(map(_room, each), initial=0)

    def packed(self) -> tuple[Arrays, NDArray[np.uint8]]:
        """The tuples with the arrays moved into one piece of memory; and that.

        What is in the memory is all that the tuples hold, numbers aside.
        """
        memory = np.zeros(self._size, np.uint8)
        there = self.placed(memory)
        for array, source in zip(_arrays(there), _arrays(self._of), strict=True):
            array[...] = source
        return there, memory

    def placed(self, memory: NDArray[np.uint8]) -> Arrays:
        """The tuples with the arrays that are in such a memory."""
        there: Arrays = _with(
            self._of, map(np.ndarray, self._shapes, self._kinds, itertools.repeat(memory), self._places)
        )
        return there


def _arrays(each: Any) -> Iterator[NDArray[Any]]:
    if isinstance(each, np.ndarray):
        yield each
    elif isinstance(each, tuple):
        for part in each:
            yield from _arrays(part)


def _room(array: NDArray[Any]) -> int:
    return -(-array.nbytes // _ALIGNED) * _ALIGNED


def _with(each: Any, arrays: Iterator[NDArray[Any]]) -> Any:
    """A tuple with the next of these arrays in place of its own."""
    if not isinstance(each, tuple):
        return each
    parts = [next(arrays) if type(part) is np.ndarray else _with(part, arrays) for part in each]
    return type(each)(*parts) if hasattr(each, "_fields") else tuple(parts)
