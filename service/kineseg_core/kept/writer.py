"""From an object to a tree of plain values."""

from __future__ import annotations

import enum
import operator
from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from kineseg_core.kept.declared import NAMES, fields_of, kept_of
from kineseg_core.kept.tree import Tag, Tree, kind_name

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_ARRAY = int(Tag.ARRAY)
_COPIED = 4096
"""Arrays of up to so many bytes are copied sooner than looked at through a view."""

Write = Callable[["Writer", Any], Tree]


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
        return value if kind in _PLAIN else (_WRITERS.get(kind) or _writer_of(kind))(self, value)

    def trees(self, values: Iterable[object]) -> list[Tree]:
        """Of each."""
        return [
            value if (kind := type(value)) in _PLAIN else (_WRITERS.get(kind) or _writer_of(kind))(self, value)
            for value in values
        ]

    def again(self, value: object) -> Tree:
        """What stands for a value that has been written before; none: from now on it has been."""
        number = self._numbers.get(id(value))
        if number is not None:
            return [Tag.AGAIN, number]
        self._numbers[id(value)] = len(self._written)
        self._written.append(value)
        return None


def _writer_of(kind: type) -> Write:
    """How values of a class are written, from now on."""
    kept = kept_of(kind)
    if kind in NAMES:
        write = _choice(NAMES[kind]) if issubclass(kind, enum.Enum) else _record(kind)
    elif kept is not None:
        write = _parts([Tag.OBJECT, kind.__name__], _getter(kept.changes))
    elif issubclass(kind, np.generic):
        write = _scalar
    else:
        raise CannotKeepError(f"{kind.__module__}.{kind.__qualname__} does not say what it keeps")
    _WRITERS[kind] = write
    return write


def _choice(name: str) -> Write:
    return lambda writer, value: [Tag.CHOICE, name, value.name]


def _record(kind: type) -> Write:
    return _parts([Tag.RECORD, NAMES[kind]], tuple if issubclass(kind, tuple) else _getter(fields_of(kind)))


def _parts(head: list[Tree], values: Callable[[Any], Iterable[object]]) -> Write:
    """What begins so, and has these values."""

    def write(writer: Writer, value: Any) -> Tree:
        return writer.again(value) or [*head, *writer.trees(values(value))]

    return write


def _getter(names: tuple[str, ...]) -> Callable[[Any], Iterable[object]]:
    """Gives the attributes of these names, all in one call where there are several."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda value: [getattr(value, name) for name in names]


def _scalar(writer: Writer, value: np.generic) -> Tree:
    return [Tag.SCALAR, value.dtype.str, value.tobytes()]


def _sequence(tag: Tag) -> Write:
    return lambda writer, values: [tag, *writer.trees(values)]


def _mapping(tag: Tag) -> Write:
    return lambda writer, values: [tag, *writer.trees(chain.from_iterable(values.items()))]


def _array(writer: Writer, values: np.ndarray[Any, Any]) -> Tree:
    kind, size = values.dtype, values.nbytes
    if kind.hasobject:
        raise CannotKeepError("an array of objects")
    data = values.tobytes() if size <= _COPIED or not values.flags.c_contiguous else values.data
    return [_ARRAY, kind_name(kind), [*values.shape], writer.place(data, size)]


def _numbers(writer: Writer, values: array[Any]) -> Tree:
    data = values.tobytes()
    return [Tag.NUMBERS, values.typecode, len(values), writer.place(data, len(data))]


_WRITERS: dict[type, Write] = {
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
