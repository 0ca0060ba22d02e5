"""From trees to bytes that say when they are damaged, and back, within bounds."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TypeAlias

import msgpack

from kineseg_core.errors import BadSnapshot
from kineseg_core.kept.tree import Tree

MOST_BYTES = 16 << 20
"""Of what is sealed; the state of a stream of 512 joints has about two MiB."""
_MOST_TREE = 1 << 20
"""Bytes of a tree, in which there are no arrays: in memory it may take 64 times as much."""
_MAGIC = b"kineseg state 2:"
_DIGEST = 32
_BYTES = struct.Struct(">BI")  # what begins bytes, and how many
_OF_BYTES, _LIST, _LONGEST_LIST = 0xC6, 0x90, 16

Pieces: TypeAlias = list[bytes | memoryview]
"""Bytes, one piece after the other: a state has a hundred thousand, and is joined once, where it is used."""


def packed(tree: Tree) -> bytes:
    """A tree as bytes."""
    data: bytes = msgpack.packb(tree)
    return data


def packed_pieces(parts: Sequence[Pieces]) -> Pieces:
    """`packed` of a list of up to 15 bytes, each of which is in pieces."""
    assert len(parts) < _LONGEST_LIST
    pieces: Pieces = [bytes((_LIST | len(parts),))]
    for part in parts:
        pieces.append(_BYTES.pack(_OF_BYTES, sum(map(len, part))))
        pieces += part
    return pieces


def unpacked(data: bytes, most: int = _MOST_TREE) -> Tree:
    """The tree of these bytes.

    Raises:
        BadSnapshot: There are more than `most` of them, or they are no tree.
    """
    if len(data) > most:
        raise BadSnapshot(f"a part of it is larger than {most >> 10} KiB")
    try:
        return msgpack.unpackb(data, max_map_len=0, max_ext_len=0)
    except Exception as error:  # whatever it comes up with
        raise BadSnapshot(f"it cannot be read ({error})") from error


def sealed(payload: bytes) -> bytes:
    """The same, so that damage is noticed: who may change it can seal it again."""
    return b"".join((_MAGIC, _digest(payload), payload))


def unsealed(data: bytes) -> bytes:
    """What was sealed.

    Raises:
        BadSnapshot: It was not, it is damaged, or too large.
    """
    if len(data) > MOST_BYTES:
        raise BadSnapshot(f"it is larger than {MOST_BYTES >> 20} MiB")
    begin = len(_MAGIC) + _DIGEST
    if data[: len(_MAGIC)] != _MAGIC:
        raise BadSnapshot("it is no state of a stream, or one of another version of kineseg")
    payload = data[begin:]
    if data[len(_MAGIC) : begin] != _digest(payload):
        raise BadSnapshot("it is damaged")
    return payload


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()
