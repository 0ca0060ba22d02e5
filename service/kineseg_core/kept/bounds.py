"""Between what bounds what is kept of an object must lie, said once beside its class: a snapshot may be anybody's.

Whatever is beyond them is refused, so that no kernel is led out of an array by a number, and nothing waits for ever.
"""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", bound=type)

LARGEST = 1 << 62
"""No number of any stream reaches it, counted in nanoseconds or otherwise."""
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {"<=": operator.le, "<": operator.lt, "==": operator.eq}
_OPERATORS = re.compile(r"\s*(<=|<|==)\s*")
_LENGTH = re.compile(r"len\((.*)\)")
_STAYS = " stays"
_FINITE = " is finite"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a class.

    Attributes:
        compared: Two terms each, and how they must compare; and the words in which that was said.
        stays: What must be as it was when the object was made.
        finite: What holds neither NaN nor infinity.
    """

    compared: tuple[tuple[str, str, str, str], ...] = ()
    stays: tuple[str, ...] = ()
    finite: tuple[str, ...] = ()

    def fixed(self, value: Any) -> list[bytes]:
        """What is to stay of an object that has just been made."""
        return [np.asarray(_found(value, path)).tobytes() for path in self.stays]

    def check(self, value: Any, fixed: list[bytes]) -> None:
        """Raises `ValueError`, which says what is wrong, unless all of an object is as it must be."""
        for left, how, right, said in self.compared:
            low, high = _term(value, left), _term(value, right)
            if low is not None and high is not None and not np.all(_COMPARE[how](low, high)):
                raise ValueError(f"it must be that {said}")
        for path in self.finite:
            held = _term(value, path)
            if held is not None and not np.all(np.isfinite(held)):
                raise ValueError(f"{path} holds what is no finite number")
        for path, before, now in zip(self.stays, fixed, self.fixed(value), strict=True):
            if before != now:
                raise ValueError(f"{path} is another than that of such a stream")


_BOUNDS: dict[type, Bounds] = {}


def within(*said: str) -> Callable[[T], T]:
    """Says what must hold of a kept object or record once it has been read.

    Args:
        said: Comparisons, such as ``"0 <= _at < len(_ring)"``, of numbers, of attributes, of their attributes, and of
            fields of their arrays, each with all that is in it, and passed over where there is none; or ``"_at.lag
            stays"``, as it was when the object was made; or ``"_ring is finite"``, without NaN and infinity. What
            takes more to say is raised by a method ``check_kept``.
    """

    def declare(cls: T) -> T:
        compared = []
        for each in said:
            if not each.endswith((_STAYS, _FINITE)):
                terms = _OPERATORS.split(each)
                compared += [(*terms[at : at + 3], each) for at in range(0, len(terms) - 2, 2)]
        stays = tuple(each.removesuffix(_STAYS) for each in said if each.endswith(_STAYS))
        finite = tuple(each.removesuffix(_FINITE) for each in said if each.endswith(_FINITE))
        _BOUNDS[cls] = Bounds(tuple(compared), stays, finite)  # type: ignore[arg-type]
        return cls

    return declare


def bounds_of(cls: type) -> list[Bounds]:
    """Those of a class, and of its bases."""
    return [_BOUNDS[base] for base in reversed(cls.__mro__) if base in _BOUNDS]


def _term(value: Any, term: str) -> Any:
    """A number, or what is found under a path; none: there is nothing there."""
    if measured := _LENGTH.fullmatch(term):
        found = _found(value, measured[1])
        return None if found is None else len(found)
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(term)
    found = _found(value, term)
    return found if found is None or isinstance(found, int | float | np.generic | np.ndarray) else np.asarray([*found])


def _found(value: Any, path: str) -> Any:
    for name in path.split("."):
        if value is None:
            return None
        is_numbers = isinstance(value, np.ndarray | np.void) and value.dtype.names is not None
        value = value[name] if is_numbers else getattr(value, name)
    return value
