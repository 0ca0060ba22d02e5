"""Whether the elements of a MATLAB 5 file are such as they may be.

SciPy looks their types up without asking, and a file with others could end the process.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED, _UINT32 = 14, 15, 6
_NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13})
_TEXT = frozenset({16, 17, 18})
_CHARACTERS, _PLAIN = 4, range(4, 16)  # classes of arrays: others may hold arrays
_DEEPEST = 16


def check_elements(data: bytes, most_bytes: int) -> None:
    """Raises ValueError where they are not; passes over what is no MATLAB 5 file.

    Args:
        data: The file.
        most_bytes: So much they may unpack to.
    """
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is not None:
        for kind, content in _elements(data[_HEADER_BYTES:], order):
            if kind == _COMPRESSED:
                unpacker = zlib.decompressobj()
                content = unpacker.decompress(content, most_bytes)
                if unpacker.unconsumed_tail:
                    raise ValueError(f"an array unpacks to more than {most_bytes >> 30} GiB")
                for inner, part in _elements(content, order):
                    _check_array(inner, part, order, 0)
            else:
                _check_array(kind, content, order, 0)


def _check_array(kind: int, content: bytes, order: str, depth: int) -> None:
    if kind != _MATRIX or depth > _DEEPEST:
        raise ValueError(f"an element of type {kind} where an array has to be, or arrays too deep within each other")
    parts = list(_elements(content, order))
    if not parts:
        return
    if parts[0][0] != _UINT32 or len(parts[0][1]) < 8:
        raise ValueError("an array that does not say its class")
    of_class = struct.unpack_from(order + "I", parts[0][1])[0] & 0xFF
    for at, (inner, part) in enumerate(parts):
        if inner == _MATRIX:
            if of_class in _PLAIN:
                raise ValueError("an array within an array of numbers")
            _check_array(inner, part, order, depth + 1)
        elif inner not in _NUMBERS and not (at >= 3 and inner in _TEXT and of_class == _CHARACTERS):
            raise ValueError(f"an element of the unknown type {inner}")


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        first = at + 8
        if kind >> 16:  # a short one, within eight bytes
            kind, size, first = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise ValueError("a short element that is long")
            at += 8
        else:
            at = first + size + (0 if kind == _COMPRESSED else -size % 8)
        if first + size > len(data):
            raise ValueError("an element that is longer than what there is")
        yield kind, data[first : first + size]
