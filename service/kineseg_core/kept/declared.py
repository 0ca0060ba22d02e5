"""Which attributes of which classes are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T", bound=type)

_DECLARED: dict[type, Kept] = {}
_WHOLE: dict[type, Kept | None] = {}  # with what the bases say
_FIELDS: dict[type, tuple[str, ...]] = {}
RECORDS: dict[str, type] = {}
"""What may lie in containers, by name."""
NAMES: dict[type, str] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """Attributes of a class; each has its place in one of these.

    Attributes:
        changes: They change as the stream goes on, and are kept, in this order.
        fixed: They follow from how the object was made.
        passing: What they hold means nothing at another moment, or in another place, or follows from what is kept; the
            method ``check_kept`` writes that anew.
        grows: Of those that change: arrays of any size.
    """

    changes: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    grows: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.changes, *self.fixed, *self.passing))


def keeps(changes: str = "", *, fixed: str = "", passing: str = "", grows: str = "") -> Callable[[T], T]:
    """Says what a class keeps: names of attributes, separated by spaces, see `Kept`. A subclass adds to its base."""

    def declare(cls: T) -> T:
        _DECLARED[cls] = Kept(
            tuple(changes.split()), tuple(fixed.split()), tuple(passing.split()), frozenset(grows.split())
        )
        return cls

    return declare


def record(cls: T) -> T:
    """A dataclass, a named tuple or an enumeration whose values lie in what is kept."""
    name = f"{cls.__module__.removeprefix('kineseg_core.')}.{cls.__qualname__}"
    assert dataclasses.is_dataclass(cls) or issubclass(cls, tuple) or hasattr(cls, "__members__"), name
    RECORDS[name] = cls
    NAMES[cls] = name
    return cls


def kept_of(cls: type) -> Kept | None:
    """What a class and its bases keep; none: it is no class that keeps anything."""
    if cls not in _WHOLE:
        _WHOLE[cls] = _whole([_DECLARED[base] for base in reversed(cls.__mro__) if base in _DECLARED])
    return _WHOLE[cls]


def _whole(declared: list[Kept]) -> Kept | None:
    if not declared:
        return None
    return Kept(
        tuple(name for each in declared for name in each.changes),
        tuple(name for each in declared for name in each.fixed),
        tuple(name for each in declared for name in each.passing),
        frozenset().union(*(each.grows for each in declared)),
    )


def fields_of(record: Any) -> tuple[str, ...]:
    """Names of the fields of a dataclass."""
    if record not in _FIELDS:
        _FIELDS[record] = tuple(each.name for each in dataclasses.fields(record))
    return _FIELDS[record]
