"""What the event log has had for a while, as bytes: hardly anyone reads it again, and it takes a third of the room."""

from __future__ import annotations

import marshal
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

Entry = tuple[str, str, str, bytes, float]
"""Name of the session, id of the stream, kind, the event itself as `encode` gave it, and when it was logged.

A plain tuple of plain values, so that the garbage collector need not look at any.
"""
_QUICKLY = 1
# What they take besides their data.
_PACKED_BYTES = 256


@dataclass(frozen=True, slots=True)
class PackedEntries:
    """Some entries, one after the other.

    Attributes:
        begin: Position of the first.
        logged: When each was logged, by `time.monotonic`; ascending.
        data: All of them.
    """

    begin: int
    logged: array[float]
    data: bytes

    @classmethod
    def of(cls, entries: Sequence[Entry], begin: int) -> PackedEntries:
        """These, the first of which has this position."""
        return cls(
            begin, array("d", [entry[-1] for entry in entries]), zlib.compress(marshal.dumps([*entries]), _QUICKLY)
        )

    @property
    def end(self) -> int:
        """Position after the last."""
        return self.begin + len(self.logged)

    @property
    def size(self) -> int:
        """About how many bytes they take."""
        return len(self.data) + self.logged.itemsize * len(self.logged) + _PACKED_BYTES

    def unpacked(self) -> list[Entry]:
        """The entries, equal to what they were."""
        entries: list[Entry] = marshal.loads(zlib.decompress(self.data))
        return entries
