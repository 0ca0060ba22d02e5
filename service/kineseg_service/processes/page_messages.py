"""What processes say to their supervisor about streams that its page shows, and what it says to them.

Lists whose first entry says what they are, many in one message: its length in four bytes, then msgpack.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgpack

_LENGTH = struct.Struct("<I")


def page_socket(folder: Path) -> Path:
    """Where the supervisor listens, in the folder that all share."""
    return folder / "page.sock"


def packed(entries: Sequence[Sequence[Any]]) -> bytes:
    """Entries as one message."""
    body: bytes = msgpack.packb(entries)
    return _LENGTH.pack(len(body)) + body


async def received(reader: asyncio.StreamReader) -> list[list[Any]] | None:
    """The entries of the next message; None: the other end has gone."""
    try:
        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        entries: list[list[Any]] = msgpack.unpackb(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return entries
