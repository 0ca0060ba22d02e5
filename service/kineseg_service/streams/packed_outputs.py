"""Outputs that hardly anyone will ask for again, as bytes: as Python's objects they take five times the room."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.events import Output
from kineseg_core.kept import Reader, Writer
from kineseg_core.kept.sealing import packed, unpacked

_QUICKLY = 1


@dataclass(frozen=True, slots=True)
class PackedOutputs:
    """Some outputs, one after the other.

    Attributes:
        data: These.
        last_seq: Number of the last event up to their end.
        size: How many bytes they count as.
    """

    data: bytes
    last_seq: int
    size: int

    @classmethod
    def of(cls, outputs: Sequence[Output], last_seq: int, size: int) -> PackedOutputs:
        """These."""
        writer = Writer()
        tree = writer.tree(list(outputs))
        return cls(zlib.compress(packed([packed(tree), writer.blob]), _QUICKLY), last_seq, size)

    def unpacked(self) -> list[Output]:
        """The outputs, equal to what they were."""
        tree, blob = unpacked(zlib.decompress(self.data))
        outputs: list[Output] = Reader(blob).value(unpacked(tree))
        return outputs
