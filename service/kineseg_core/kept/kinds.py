"""Of what kind is what lies in records, and in attributes that begin as nothing or empty: as annotations say.

Libraries that check types look less closely: typeguard takes a truth value for a number, and any array and deque;
beartype looks at one item of a list.
"""

from __future__ import annotations

import types
import typing
from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from kineseg_core.kept.declared import kept_of

_Is = Callable[[Any], bool]
_SEQUENCES = {list: list, deque: deque, set: set, Sequence: (list, tuple)}
_KINDS: dict[type, Mapping[str, object]] = {}
_MAPPINGS = {dict: dict, OrderedDict: OrderedDict, Mapping: dict}


def kinds_of(cls: type) -> Mapping[str, object]:
    """The kinds of a class's attributes that are annotated in its body, or in those of its bases, or that it makes
    where they are to be kept."""
    if cls not in _KINDS:
        kept = kept_of(cls)
        held = {name: getattr(cls, name, None) for name in (kept.changes if kept else ())}
        made = {name: each.fget for name, each in held.items() if isinstance(each, property)}
        _KINDS[cls] = _hints(cls) | {name: _hints(gives)["return"] for name, gives in made.items()}
    return _KINDS[cls]


def _hints(of: Any) -> dict[str, Any]:
    return typing.get_type_hints(of, localns={"array": _Array})


def check_kind(value: object, kind: object) -> None:
    """Looks at a value, and at all that it holds.

    Raises:
        ValueError: It is of another kind.
    """
    if not _is_of(kind)(value):
        raise ValueError(f"is no {kind.__name__ if isinstance(kind, type) else kind}")


class _Array:
    """In the place of `array.array`, which has no kinds of its own in Python 3.11."""

    def __class_getitem__(cls, item: object) -> type:
        return array


@cache
def _is_of(kind: Any) -> _Is:
    """What says whether a value is of a kind."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda value: True
    if kind is float:
        return lambda value: isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if kind is int:
        return lambda value: isinstance(value, int | np.integer) and not isinstance(value, bool)
    if kind is bool:
        return lambda value: isinstance(value, bool | np.bool_)
    if origin in (typing.Union, types.UnionType):
        each = [_is_of(part) for part in parts]
        return lambda value: any(is_one(value) for is_one in each)
    if origin is typing.Literal:
        return lambda value: value in parts
    if origin is np.ndarray:
        return _is_array(*typing.get_args(parts[1]))
    if origin is tuple:
        return _is_tuple(parts)
    if origin is Counter:
        return _is_mapping(Counter, parts[0], int)
    if origin in _MAPPINGS:
        return _is_mapping(_MAPPINGS[origin], *parts)
    if origin in _SEQUENCES:
        return _is_sequence(_SEQUENCES[origin], parts[0])
    return lambda value: type(value) is kind


def _is_array(numbers: type[np.generic]) -> _Is:
    return lambda value: isinstance(value, np.ndarray) and np.issubdtype(value.dtype, numbers)


def _is_tuple(parts: tuple[Any, ...]) -> _Is:
    if len(parts) == 2 and parts[1] is ...:
        return _is_sequence(tuple, parts[0])
    each = [_is_of(part) for part in parts]
    return lambda value: (
        type(value) is tuple
        and len(value) == len(each)
        and all(is_one(one) for is_one, one in zip(each, value, strict=True))
    )


def _is_sequence(holder: Any, part: Any) -> _Is:
    is_part = _is_of(part)
    return lambda value: isinstance(value, holder) and all(map(is_part, value))


def _is_mapping(holder: Any, key: Any, part: Any) -> _Is:
    is_key, is_part = _is_of(key), _is_of(part)

    def is_of(value: Any) -> bool:
        return type(value) is holder and all(map(is_key, value)) and all(map(is_part, value.values()))

    return is_of
