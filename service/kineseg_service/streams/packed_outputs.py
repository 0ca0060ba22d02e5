"""Outputs that hardly anyone will ask for again, as bytes: as Python's objects they take four times the room."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.events import Output

_QUICKLY = 1


@dataclass(frozen=True, slots=True)
class PackedOutputs:
    """Some outputs, one after the other, for as long as this process has them: what is written for others is a
    `Record`.

    Attributes:
        data: These.
        count: How many.
        last_seq: Number of the last event up to their end.
        size: How many bytes they count as.
    """

    data: bytes
    count: int
    last_seq: int
    size: int

    @classmethod
    def of(cls, outputs: Sequence[Output], last_seq: int, size: int) -> PackedOutputs:
        """These."""
        data = pickle.dumps(outputs, pickle.HIGHEST_PROTOCOL)
        return cls(zlib.compress(data, _QUICKLY), len(outputs), last_seq, size)

    @classmethod
    def joined(cls, packed: Sequence[PackedOutputs]) -> PackedOutputs:
        """The outputs of some, one after the other: together they take less."""
        outputs = [output for some in packed for output in some.unpacked()]
        return cls.of(outputs, packed[-1].last_seq, sum(some.size for some in packed))

    def unpacked(self) -> list[Output]:
        """The outputs, equal to what they were."""
        outputs: list[Output] = pickle.loads(zlib.decompress(self.data))
        return outputs
