"""Chunks of many streams, in the columns in which they have come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class SentColumns(NamedTuple):
    """N chunks.

    Attributes:
        numbers: N, which streams they are of.
        firsts: N, the index of the first frame of each.
        data: The frames of all, one chunk after the other.
        cuts: N + 1, where in it each chunk begins, and the last ends.
        times: N, the capture times of each; none: none has any.
    """

    numbers: Sequence[int]
    firsts: Sequence[int]
    data: bytes
    cuts: Sequence[int]
    times: Sequence[Sequence[int]] | None

    def data_of(self, chunk: int) -> bytes:
        """The frames of a chunk."""
        return self.data[self.cuts[chunk] : self.cuts[chunk + 1]]

    def times_of(self, chunk: int) -> Sequence[int]:
        """Its capture times."""
        return () if self.times is None else self.times[chunk]
