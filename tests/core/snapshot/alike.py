"""Whether two objects are the same through and through, whatever they say they keep."""

from __future__ import annotations

from array import array
from collections import deque
from typing import Any

import numpy as np
from kineseg_core.kept import kept_of


def differences(one: Any, other: Any, latest: int | None = None) -> list[str]:
    """Where they differ; of attributes that mean nothing elsewhere nothing is said."""
    found: list[str] = []
    _compare(one, other, "", set(), found)
    return found


def attributes(value: object) -> dict[str, Any]:
    """All that an object has, in its dictionary or in slots, or makes where it is to be kept."""
    slots = {name for cls in type(value).__mro__ for name in _slots(cls)}
    kept = kept_of(type(value))
    made = {name for name in kept.changes if isinstance(getattr(type(value), name, None), property)} if kept else set()
    held = {name: getattr(value, name) for name in slots | made if hasattr(value, name)}
    return held | dict(getattr(value, "__dict__", {}))


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _compare(one: Any, other: Any, path: str, seen: set[tuple[int, int]], found: list[str]) -> None:
    if one is other or (id(one), id(other)) in seen:
        return
    seen.add((id(one), id(other)))
    if type(one) is not type(other):
        found.append(f"{path}: {type(one).__name__} and {type(other).__name__}")
    elif isinstance(one, np.ndarray):
        if one.dtype != other.dtype or one.shape != other.shape or one.tobytes() != other.tobytes():
            found.append(f"{path}: arrays differ")
    elif isinstance(one, dict):
        if list(one) != list(other):
            found.append(f"{path}: other entries")
            return
        for key in one:
            _compare(one[key], other[key], f"{path}[{key}]", seen, found)
    elif isinstance(one, list | tuple | deque):
        if len(one) != len(other):
            found.append(f"{path}: {len(one)} and {len(other)} parts")
            return
        for at, (left, right) in enumerate(zip(one, other, strict=True)):
            _compare(left, right, f"{path}[{at}]", seen, found)
    elif isinstance(one, float | np.floating):
        if np.float64(one).tobytes() != np.float64(other).tobytes():
            found.append(f"{path}: {one} and {other}")
    elif isinstance(one, type(None) | bool | int | str | bytes | set | frozenset | array | np.generic):
        if one != other:
            found.append(f"{path}: {one} and {other}")
    elif type(one).__module__.startswith("kineseg") and not hasattr(type(one), "__members__"):
        kept = kept_of(type(one))
        passing = () if kept is None else kept.passing
        left, right = attributes(one), attributes(other)
        for name in left.keys() | right.keys():
            if name not in passing:
                _compare(left.get(name), right.get(name), f"{path}.{name}", seen, found)
