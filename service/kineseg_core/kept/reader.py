"""From a tree of plain values into an object that was made anew."""

from __future__ import annotations

import enum
import math
from array import array
from collections import Counter, OrderedDict, deque
from typing import Any

import numpy as np

from kineseg_core.kept.bounds import LARGEST, bounds_of
from kineseg_core.kept.declared import RECORDS, fields_of, kept_of
from kineseg_core.kept.kinds import check_kind, kinds_of
from kineseg_core.kept.numbers import check_numbers
from kineseg_core.kept.tree import Tag, Tree, kind_name

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_NUMBERS = (int, float, np.integer, np.floating)
_TRUTHS = (bool, np.bool_)
# Kinds of numbers that arrays may hold; none of objects.
_KINDS = {kind: np.dtype(kind) for kind in (np.dtype(code).str for code in "?bBhHiIqQfd")}
_TYPECODES = frozenset("bBhHiIqQfd")
_PARTS: dict[int, int] = {Tag.ARRAY: 3, Tag.SCALAR: 2, Tag.NUMBERS: 3, Tag.CHOICE: 2, Tag.AGAIN: 1}
"""So many of those that do not have any number."""
_UNREADABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
_DEEPEST = 64
_MOST_DIMENSIONS = 6


class MisfitError(Exception):
    """A tree does not fit the object that it is to be put into."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.path: list[str] = []

    def __str__(self) -> str:
        where = ".".join(reversed(self.path))
        return f"{where}: {self.args[0]}" if where else str(self.args[0])


class Reader:
    """Puts trees that were written together into objects made anew.

    Arrays, lists and other containers that an object holds already are filled and stay the same, so that whoever shares
    them goes on to. What does not fit is refused: another class, other attributes, other shapes or kinds of numbers.

    Args:
        blob: The writer's.
    """

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._seen: list[object] = []
        self._depth = 0

    def into(self, fresh: Any, tree: Tree, kind: object = None) -> Any:
        """What takes the place of `fresh`, which is of the same kind, once it is as the tree says.

        Args:
            fresh: What is there.
            tree: What is to be.
            kind: Of what kind that is, where `fresh` does not show it: it is nothing, or empty.

        Raises:
            MisfitError: It is not.
        """
        if type(tree) is not list:
            if kept_of(type(fresh)) is not None:
                raise MisfitError(f"is no {type(fresh).__name__}")
            return _fitting(fresh, self.value(tree), kind)
        if not tree:
            raise MisfitError("has nothing where a value should be")
        self._enter()
        try:
            return self._into(fresh, tree, kind)
        except _UNREADABLE as error:
            raise MisfitError(f"cannot be read ({error})") from error
        finally:
            self._depth -= 1

    def _into(self, fresh: Any, tree: list[Tree], kind: object) -> Any:
        tag = tree[0]
        if kept_of(type(fresh)) is not None:
            return self._object(fresh, tree)
        if isinstance(fresh, np.ndarray):
            return self._fill(fresh, tree)
        if isinstance(fresh, tuple) and tag in (Tag.TUPLE, Tag.RECORD) and any(map(_is_deep, fresh)):
            return self._parts(fresh, tree[1:] if tag == Tag.TUPLE else tree[2:], tree)
        if type(fresh) is list and tag == Tag.LIST and any(map(_is_deep, fresh)):
            fresh[:] = self._parts(fresh, tree[1:], tree)
            return fresh
        if type(fresh) is dict and tag == Tag.DICT and any(map(_is_deep, fresh.values())):
            return self._by_key(fresh, tree[1:])
        return _put(fresh, _fitting(fresh, self.value(tree), kind))

    def value(self, tree: Tree) -> Any:
        """A plain value, array, record or container that there was nothing like before.

        Raises:
            MisfitError: It is nothing that can be read.
        """
        if type(tree) in _PLAIN:
            if type(tree) is int and not -LARGEST <= tree <= LARGEST:
                raise MisfitError("is larger than any number of a stream")
            return tree
        if type(tree) is not list or not tree or type(tree[0]) is not int:
            raise MisfitError(f"has a {type(tree).__name__} where a value should be")
        self._enter()
        try:
            return self._tagged(tree[0], tree[1:])
        except _UNREADABLE as error:
            raise MisfitError(f"cannot be read ({error})") from error
        finally:
            self._depth -= 1

    def _tagged(self, tag: int, parts: list[Tree]) -> Any:
        if len(parts) != _PARTS.get(tag, len(parts)):
            raise MisfitError(f"has {len(parts)} parts where the kind {tag} has {_PARTS[tag]}")
        match tag:
            case Tag.LIST:
                return [self.value(part) for part in parts]
            case Tag.TUPLE:
                return tuple(self.value(part) for part in parts)
            case Tag.SET:
                return {self.value(part) for part in parts}
            case Tag.DEQUE:
                return deque(self.value(part) for part in parts)
            case Tag.DICT:
                return dict(self._pairs(parts))
            case Tag.ORDERED:
                return OrderedDict(self._pairs(parts))
            case Tag.COUNTER:
                return Counter(dict(self._pairs(parts)))
            case Tag.ARRAY:
                return self._array(*parts)
            case Tag.SCALAR:
                kind, data = parts
                [scalar] = np.frombuffer(data, _KINDS[kind])
                return scalar
            case Tag.NUMBERS:
                return self._numbers(*parts)
            case Tag.CHOICE:
                return self._choice(*parts)
            case Tag.RECORD if parts:
                return self._record(parts[0], parts[1:])
            case Tag.AGAIN:
                [number] = parts
                return self._again(number)
        raise MisfitError(f"has something of a kind {tag} that there is not")

    def _object(self, fresh: Any, tree: list[Tree]) -> Any:
        kind = type(fresh)
        kept = kept_of(kind)
        assert kept is not None
        if tree and tree[0] == Tag.AGAIN:
            if len(tree) != 2 or self._again(tree[1]) is not fresh:
                raise MisfitError(f"is another {kind.__name__}")
            return fresh
        if len(tree) < 2 or tree[0] != Tag.OBJECT or tree[1] != kind.__name__:
            found = tree[1] if len(tree) > 1 and tree[0] == Tag.OBJECT else "something else"
            raise MisfitError(f"is {found!s:.64}, and should be {kind.__name__}")
        if len(tree) - 2 != len(kept.changes):
            raise MisfitError(f"a {kind.__name__} has {len(tree) - 2} values, and should have {len(kept.changes)}")
        self._seen.append(fresh)
        bounds, kinds = [(each, each.fixed(fresh)) for each in bounds_of(kind)], kinds_of(kind)
        for name, part in zip(kept.changes, tree[2:], strict=True):
            try:
                held = getattr(fresh, name)
                if name in kept.grows:
                    value = _grown(held, self.value(part), kinds.get(name))
                else:
                    value = self.into(held, part, kinds.get(name))
                if value is not held:
                    setattr(fresh, name, value)
            except MisfitError as error:
                error.path.append(name)
                raise
        check_numbers(fresh, kept.changes)
        for each, fixed in bounds:
            each.check(fresh, fixed)
        if (check := getattr(fresh, "check_kept", None)) is not None:
            check()
        return fresh

    def _parts(self, fresh: Any, parts: list[Tree], tree: list[Tree]) -> Any:
        """Of a sequence that holds objects or arrays, one by one."""
        if tree[0] == Tag.RECORD:
            if RECORDS.get(tree[1]) is not type(fresh):
                raise MisfitError(f"is {tree[1]!s:.64}, and should be {type(fresh).__name__}")
            self._seen.append(fresh)
        if len(parts) != len(fresh):
            raise MisfitError(f"has {len(parts)} parts, and should have {len(fresh)}")
        read = [self.into(old, part) for old, part in zip(fresh, parts, strict=True)]
        if all(new is old for new, old in zip(read, fresh, strict=True)):
            return fresh
        return type(fresh)(*read) if hasattr(fresh, "_fields") else type(fresh)(read)

    def _by_key(self, fresh: dict[Any, Any], parts: list[Tree]) -> dict[Any, Any]:
        keys = [self.value(key) for key in parts[::2]]
        if keys != list(fresh) or len(parts) != 2 * len(keys):
            raise MisfitError("has other entries")
        for key, part in zip(keys, parts[1::2], strict=True):
            fresh[key] = self.into(fresh[key], part)
        return fresh

    def _pairs(self, parts: list[Tree]) -> list[tuple[Any, Any]]:
        values = [self.value(part) for part in parts]
        return list(zip(values[::2], values[1::2], strict=True))

    def _choice(self, name: str, chosen: str) -> enum.Enum:
        kind: Any = RECORDS[name]
        if not issubclass(kind, enum.Enum):
            raise MisfitError(f"{name:.64} is no choice")
        member: enum.Enum = kind[chosen]
        return member

    def _record(self, name: str, parts: list[Tree]) -> Any:
        kind: Any = RECORDS[name]
        if issubclass(kind, enum.Enum):
            raise MisfitError(f"{name:.64} is no record")
        place = len(self._seen)
        self._seen.append(None)  # it is not there yet
        values = [self.value(part) for part in parts]
        try:
            names = kind._fields if issubclass(kind, tuple) else fields_of(kind)
            held = dict(zip(names, values, strict=True))
            for field, value in held.items():
                _check_field(field, value, kinds_of(kind)[field])
            made = kind(**held)
            check_numbers(made, names)
            for bounds in bounds_of(kind):
                bounds.check(made, [])
        except Exception as error:  # some look at their values
            raise MisfitError(f"is no {name:.64} ({error})") from error
        self._seen[place] = made
        return made

    def _again(self, number: Tree) -> Any:
        if type(number) is not int or not 0 <= number < len(self._seen) or self._seen[number] is None:
            raise MisfitError("refers to something that is not there")
        return self._seen[number]

    def _array(self, kind: str, shape: list[int], begin: int) -> np.ndarray[Any, Any]:
        if len(shape) > _MOST_DIMENSIONS or not all(
            type(size) is int and 0 <= size <= len(self._blob) for size in shape
        ):
            raise MisfitError(f"has an array of shape {shape!s:.64}")
        dtype = _KINDS[kind]
        numbers = np.frombuffer(self._bytes(begin, math.prod(shape) * dtype.itemsize), dtype)
        return numbers.reshape(shape).copy()

    def _numbers(self, typecode: str, count: int, begin: int) -> array[Any]:
        if typecode not in _TYPECODES or type(count) is not int:
            raise MisfitError(f"has numbers of a kind {typecode!r:.16}")
        numbers: array[Any] = array(typecode)
        numbers.frombytes(self._bytes(begin, count * numbers.itemsize))
        return numbers

    def _fill(self, fresh: np.ndarray[Any, Any], tree: list[Tree]) -> np.ndarray[Any, Any]:
        if len(tree) != 4 or tree[0] != Tag.ARRAY:
            raise MisfitError("is no array")
        _, kind, shape, begin = tree
        if kind != kind_name(fresh.dtype) or shape != list(fresh.shape):
            should = f"{list(fresh.shape)} of {fresh.dtype.str}"
            raise MisfitError(f"is an array {shape!s:.64} of {kind!s:.32}, and should be {should}")
        fresh[...] = np.frombuffer(self._bytes(begin, fresh.nbytes), fresh.dtype).reshape(fresh.shape)
        return fresh

    def _bytes(self, begin: int, count: int) -> memoryview:
        if type(begin) is not int or begin < 0 or count < 0 or begin + count > len(self._blob):
            raise MisfitError("has numbers that are not there")
        return memoryview(self._blob)[begin : begin + count]

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MisfitError("is nested too deep")


def _is_deep(value: object) -> bool:
    return isinstance(value, np.ndarray) or kept_of(type(value)) is not None


def _fitting(held: Any, value: Any, kind: object) -> Any:
    """The value, if it is of a kind, or else can stand where another one was."""
    if kind is None:
        return _alike(held, value)
    try:
        check_kind(value, kind)
    except ValueError as error:
        raise MisfitError(str(error)) from None
    return value


def _check_field(name: str, value: object, kind: object) -> None:
    try:
        check_kind(value, kind)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _grown(held: Any, value: Any, kind: object) -> Any:
    """An array of any size, of the same kind as the one that was there if there was one."""
    if held is None:
        return _fitting(held, value, kind)
    if not isinstance(value, np.ndarray) or value.dtype != held.dtype or value.ndim != held.ndim:
        raise MisfitError("is no array of that kind")
    return value


def _put(held: Any, value: Any) -> Any:
    """A container that is there already stays, and has what it should."""
    match held:
        case list():
            held[:] = value
        case dict() | set():
            held.clear()
            held.update(value)
        case deque():
            held.clear()
            held.extend(value)
        case array():
            if len(held) != len(value) or held.typecode != value.typecode:
                raise MisfitError(f"has {len(value)} numbers, and should have {len(held)}")
            held[:] = value
        case _:
            return value
    return held


def _alike(held: Any, value: Any) -> Any:
    """The value, if it can stand where another one was."""
    if _sort(held) is _sort(value) and not (_is_whole(held) and _is_broken(value)):
        return value
    raise MisfitError(f"is a {type(value).__name__}, and should be a {type(held).__name__}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer)


def _is_broken(value: Any) -> bool:
    return isinstance(value, float | np.floating)


def _sort(value: Any) -> object:
    """What a value is, where all numbers are one sort, and all truth values another."""
    if isinstance(value, _TRUTHS):
        return _TRUTHS
    return _NUMBERS if isinstance(value, _NUMBERS) else type(value)
