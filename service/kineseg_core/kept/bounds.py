"""Between what bounds what is kept of an object must lie, said once beside its class: a snapshot may be anybody's.

Whatever is beyond them is refused, so that no kernel is led out of an array by a number, and nothing waits for ever.
"""

from __future__ import annotations

import contextlib
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", bound=type)

LARGEST = 1 << 62
"""No number of any stream reaches it, counted in nanoseconds or otherwise."""
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {"<=": operator.le, "<": operator.lt, "==": operator.eq}
_OPERATORS = re.compile(r"\s*(<=|<|==)\s*")
_LENGTH = re.compile(r"len\((.*)\)")
_STAYS = " stays"
_NUMBERS = " holds numbers"
_MAY_BE = " may be "


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a class.

    Attributes:
        compared: Two terms each, and how they must compare; and the words in which that was said.
        stays: What must be as it was when the object was made.
        numbers: Where numbers lie that are kept as mere bytes.
        may_be: What else may be among the numbers under a path, see `numbers`.
    """

    compared: tuple[tuple[str, str, str, str], ...] = ()
    stays: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    may_be: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def fixed(self, value: Any) -> list[bytes]:
        """What is to stay of an object that has just been made."""
        return [np.asarray(found_at(value, path)).tobytes() for path in self.stays]

    def check(self, value: Any, fixed: list[bytes]) -> None:
        """Raises `ValueError`, which says what is wrong, unless all of an object is as it must be."""
        for left, how, right, said in self.compared:
            low, high = _term(value, left), _term(value, right)
            if low is not None and high is not None and not np.all(_COMPARE[how](low, high)):
                raise ValueError(f"it must be that {said}")
        for path, before, now in zip(self.stays, fixed, self.fixed(value), strict=True):
            if before != now:
                raise ValueError(f"{path} is another than that of such a stream")


_BOUNDS: dict[type, Bounds] = {}


def within(*said: str) -> Callable[[T], T]:
    """Says what must hold of a kept object or record once it has been read.

    Args:
        said: Comparisons, such as ``"0 <= _at < len(_ring)"``, of numbers, of attributes, of their attributes, and of
            fields of their arrays, each with all that is in it, and passed over where there is none; or ``"_at.lag
            stays"``, as it was when the object was made; or ``"_ring may be nan"``, ``inf``, ``-inf`` or ``huge``,
            which nothing else may, see `numbers`; or ``"state holds numbers"``, which are kept as mere bytes. What
            takes more to say is raised by a method ``check_kept``.
    """

    def declare(cls: T) -> T:
        compared: list[tuple[str, str, str, str]] = []
        stays, numbers, may_be = list[str](), list[str](), defaultdict[str, set[str]](set)
        for each in said:
            if each.endswith(_STAYS):
                stays.append(each.removesuffix(_STAYS))
            elif each.endswith(_NUMBERS):
                numbers.append(each.removesuffix(_NUMBERS))
            elif _MAY_BE in each:
                path, what = each.split(_MAY_BE)
                may_be[path].add(what)
            else:
                terms = _OPERATORS.split(each)
                compared += [(terms[at], terms[at + 1], terms[at + 2], each) for at in range(0, len(terms) - 2, 2)]
        allowed = {path: frozenset(what) for path, what in may_be.items()}
        _BOUNDS[cls] = Bounds(tuple(compared), tuple(stays), tuple(numbers), allowed)
        return cls

    return declare


def bounds_of(cls: type) -> list[Bounds]:
    """Those of a class, and of its bases."""
    return [_BOUNDS[base] for base in reversed(cls.__mro__) if base in _BOUNDS]


def _term(value: Any, term: str) -> Any:
    """A number, or what is found under a path; none: there is nothing there."""
    if measured := _LENGTH.fullmatch(term):
        found = found_at(value, measured[1])
        return None if found is None else len(found)
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(term)
    found = found_at(value, term)
    return found if found is None or isinstance(found, int | float | np.generic | np.ndarray) else np.asarray([*found])


def found_at(value: Any, path: str) -> Any:
    """What is under a path, of attributes and of fields of arrays; none: there is nothing."""
    for name in path.split("."):
        if value is None:
            return None
        is_numbers = isinstance(value, np.ndarray | np.void) and value.dtype.names is not None
        if isinstance(value, tuple):
            value = getattr(value, name, None)
        else:
            value = value[name] if is_numbers else getattr(value, name)
    return value
