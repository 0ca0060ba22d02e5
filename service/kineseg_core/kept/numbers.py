"""Numbers that are kept and no whole ones: each is finite, and none is larger than any that a stream comes to.

What else may be there, a class says in its bounds: before there was a value it may be NaN, what has no limit yet may
have infinity for one, and what no one reckons with may be huge, but finite.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kineseg_core.kept.bounds import bounds_of, found_at

LARGEST = 1e24
"""Far above the square of the largest number that is taken."""
_NONE: frozenset[str] = frozenset()

_MayBe = Mapping[str, frozenset[str]]


def check_numbers(value: Any, names: Iterable[str] = ()) -> None:
    """Looks at those of an object, but for other objects and records in it, which are looked at by themselves.

    Args:
        value: The object.
        names: Of its attributes that are looked at, beside what its class says of where numbers lie.

    Raises:
        ValueError: One is none; says where.
    """
    bounds = bounds_of(type(value))
    may_be = {path: what for each in bounds for path, what in each.may_be.items()}
    for name in (*names, *(path for each in bounds for path in each.numbers)):
        _check(found_at(value, name), name, may_be)


def _check(held: Any, path: str, may_be: _MayBe) -> None:
    if isinstance(held, float):
        if not abs(held) <= LARGEST:
            _look(np.array([held]), path, may_be.get(path, _NONE))
    elif isinstance(held, np.ndarray | np.generic):
        _check_array(np.asarray(held), path, may_be)
    elif isinstance(held, array):
        if held.typecode in "fd":
            _check_array(np.array(held), path, may_be)
    elif isinstance(held, tuple) and hasattr(held, "_fields"):
        for name, part in zip(held._fields, held, strict=True):
            _check(part, f"{path}.{name}", may_be)
    elif isinstance(held, list | tuple | deque | set):
        for part in held:
            _check(part, path, may_be)
    elif isinstance(held, dict):
        for key, part in held.items():
            _check((key, part), path, may_be)


def _check_array(held: np.ndarray[Any, Any], path: str, may_be: _MayBe) -> None:
    if held.dtype.names is not None:
        for name in held.dtype.names:
            _check_array(held[name], f"{path}.{name}", may_be)
    elif held.dtype.kind == "f" and not np.all(np.abs(held) <= LARGEST):
        _look(held, path, may_be.get(path, _NONE))


def _look(held: np.ndarray[Any, Any], path: str, may_be: frozenset[str]) -> None:
    """At what is not finite, or too large."""
    for number in np.unique(held[~(np.abs(held) <= LARGEST)]).tolist():
        if ("huge" if math.isfinite(number) else str(number)) not in may_be:
            raise ValueError(f"{path} holds {number:g}, which no stream comes to there")
