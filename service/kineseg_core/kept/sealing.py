"""From trees to bytes that say when they are damaged, and back, within bounds."""

from __future__ import annotations

import hmac

import msgpack

from kineseg_core.errors import BadSnapshot
from kineseg_core.kept.tree import Tree

MOST_BYTES = 16 << 20
"""Of what is sealed; the state of a stream of 512 joints has about two MiB."""
_MOST_TREE = 1 << 20
"""Bytes of a tree, in which there are no arrays: in memory it may take 64 times as much."""
_MAGIC = b"kineseg stream 1"
_DIGEST = 32


def packed(tree: Tree) -> bytes:
    """A tree as bytes."""
    data: bytes = msgpack.packb(tree)
    return data


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


def sealed(payload: bytes, key: bytes = b"") -> bytes:
    """The same, so that damage is noticed; and with a key, whatever somebody has changed who has not got that."""
    return b"".join((_MAGIC, hmac.digest(key, payload, "sha256"), payload))


def unsealed(data: bytes, key: bytes = b"") -> bytes:
    """What was sealed with this key.

    Raises:
        BadSnapshot: It was not, it is damaged, or too large.
    """
    if len(data) > MOST_BYTES:
        raise BadSnapshot(f"it is larger than {MOST_BYTES >> 20} MiB")
    begin = len(_MAGIC) + _DIGEST
    if data[: len(_MAGIC)] != _MAGIC:
        raise BadSnapshot("it is no state of a stream, or one of another version of kineseg")
    payload = data[begin:]
    if not hmac.compare_digest(data[len(_MAGIC) : begin], hmac.digest(key, payload, "sha256")):
        raise BadSnapshot("it is damaged, or was sealed with another key")
    return payload
