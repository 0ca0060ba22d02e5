"""The shape of what is written: plain values as they are, and of anything else a list that begins with its tag."""

from __future__ import annotations

import enum
import hashlib
from functools import cache
from typing import Any, TypeAlias

import numpy as np

Tree: TypeAlias = Any
"""None, truth values, numbers, texts, bytes, and lists of these that begin with a `Tag`."""


class Tag(enum.IntEnum):
    """What a list stands for."""

    LIST = 0
    TUPLE = 1
    DICT = 2
    ORDERED = 3
    COUNTER = 4
    SET = 5
    DEQUE = 6
    ARRAY = 7
    SCALAR = 8
    NUMBERS = 9
    CHOICE = 10
    RECORD = 11
    OBJECT = 12
    AGAIN = 13


@cache
def kind_name(dtype: np.dtype[Any]) -> str:
    """Names the numbers of an array; two structured ones have one name only if all their fields are the same."""
    if dtype.fields is None:
        return dtype.str
    described = repr((dtype.descr, dtype.itemsize))
    return f"{dtype.str}:{hashlib.blake2b(described.encode(), digest_size=8).hexdigest()}"
