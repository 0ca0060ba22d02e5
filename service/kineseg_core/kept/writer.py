"""From an object to a tree of plain values."""

from __future__ import annotations

import enum
from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Any

import numpy as np

from kineseg_core.kept.declared import NAMES, Kept, fields_of, kept_of
from kineseg_core.kept.tree import Tag, Tree, kind_name

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


class CannotKeepError(TypeError):
    """Something is of a class that does not say what it keeps."""


class Writer:
    """Makes trees of objects that are written together: what two of them share is written once.

    Arrays are read when `blob` is: they must not change before.
    """

    def __init__(self) -> None:
        self._parts: list[bytes | memoryview] = []
        self._size = 0
        self._numbers: dict[int, int] = {}
        self._written: list[object] = []  # kept alive, so that no two have one identity

    @property
    def blob(self) -> bytes:
        """The numbers of all their arrays, one after the other; trees say where each begins."""
        return b"".join(self._parts)

    def place(self, data: bytes | memoryview, size: int) -> int:
        """Puts so many bytes behind those that are there, and says where they begin."""
        begin = self._size
        self._parts.append(data)
        self._size += size
        return begin

    def tree(self, value: object) -> Tree:
        """What an object keeps, or a plain value, array, record or container.

        Raises:
            CannotKeepError: Something in it is of another class.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        write = _WRITERS.get(kind)
        return self._other(value) if write is None else write(self, value)

    def trees(self, values: Iterable[object]) -> list[Tree]:
        """Of each."""
        return [value if type(value) in _PLAIN else self.tree(value) for value in values]

    def _other(self, value: Any) -> Tree:
        kind = type(value)
        if kind in NAMES:
            return self._record(value)
        if (kept := kept_of(kind)) is not None:
            return self._object(value, kept)
        if isinstance(value, np.generic):
            return [Tag.SCALAR, value.dtype.str, value.tobytes()]
        raise CannotKeepError(f"{kind.__module__}.{kind.__qualname__} does not say what it keeps")

    def _object(self, value: Any, kept: Kept) -> Tree:
        number = self._numbers.get(id(value))
        if number is not None:
            return [Tag.AGAIN, number]
        self._note(value)
        return [Tag.OBJECT, type(value).__name__, *self.trees(map(getattr, repeat(value), kept.changes))]

    def _record(self, value: Any) -> Tree:
        if isinstance(value, enum.Enum):
            return [Tag.CHOICE, NAMES[type(value)], value.name]
        number = self._numbers.get(id(value))
        if number is not None:
            return [Tag.AGAIN, number]
        self._note(value)
        fields = value if isinstance(value, tuple) else map(getattr, repeat(value), fields_of(type(value)))
        return [Tag.RECORD, NAMES[type(value)], *self.trees(fields)]

    def _note(self, value: object) -> None:
        self._numbers[id(value)] = len(self._written)
        self._written.append(value)


def _sequence(tag: Tag) -> Callable[[Writer, Any], Tree]:
    return lambda writer, values: [tag, *writer.trees(values)]


def _mapping(tag: Tag) -> Callable[[Writer, Any], Tree]:
    return lambda writer, values: [tag, *writer.trees(chain.from_iterable(values.items()))]


def _array(writer: Writer, values: np.ndarray[Any, Any]) -> Tree:
    if values.dtype.hasobject:
        raise CannotKeepError("an array of objects")
    data = values.data if values.flags.c_contiguous else values.tobytes()
    return [Tag.ARRAY, kind_name(values.dtype), [*values.shape], writer.place(data, values.nbytes)]


def _numbers(writer: Writer, values: array[Any]) -> Tree:
    data = values.tobytes()
    return [Tag.NUMBERS, values.typecode, len(values), writer.place(data, len(data))]


_WRITERS: dict[type, Callable[[Writer, Any], Tree]] = {
    list: _sequence(Tag.LIST),
    tuple: _sequence(Tag.TUPLE),
    set: _sequence(Tag.SET),
    deque: _sequence(Tag.DEQUE),
    dict: _mapping(Tag.DICT),
    OrderedDict: _mapping(Tag.ORDERED),
    Counter: _mapping(Tag.COUNTER),
    np.ndarray: _array,
    array: _numbers,
}
