"""The segments that a stream has closed last: it may be asked for thousands, so they lie there as bytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from kineseg_core.events import SegmentClosed
from kineseg_core.kept.declared import NAMES
from kineseg_core.kept.reader import Reader
from kineseg_core.kept.sealing import packed, unpacked
from kineseg_core.kept.tree import Tag


class ClosedSegments:
    """Segments in the order of their ends. As objects they would take more than twice the room.

    Args:
        most: So many are remembered; beyond them the oldest are forgotten.
    """

    __slots__ = ("_most", "_segments")

    def __init__(self, most: int) -> None:
        self._most = most
        self._segments: list[bytes] = []

    def __len__(self) -> int:
        return len(self._segments)

    def __iter__(self) -> Iterator[SegmentClosed]:
        return map(_read, self._segments)

    def append(self, segment: SegmentClosed) -> None:
        """Another one is closed."""
        self._segments.append(_written(segment))
        if len(self._segments) > self._most:
            del self._segments[0]

    def newest(self, count: int) -> tuple[bytes, ...]:
        """So many of them, or all, as they lie there: what is kept of a stream is written once."""
        return tuple(self._segments[-count:])

    def fill(self, written: Iterable[bytes]) -> None:
        """These are the only ones.

        Raises:
            BadSnapshot, MisfitError, ValueError: They are none.
        """
        self._segments[:] = map(_checked, written)


def _written(segment: SegmentClosed) -> bytes:
    return packed(
        (
            segment.segment_id, segment.label, segment.start_frame, segment.end_frame, segment.start_time_s,
            segment.end_time_s, segment.name, segment.name_confidence, segment.repeat_probability,
            segment.embedding.tobytes(),
        )
    )  # fmt: skip


def _read(data: bytes) -> SegmentClosed:
    fields: list[Any] = unpacked(data)
    fields[-1] = array("f", fields[-1])
    return SegmentClosed(*fields)


def _checked(data: bytes) -> bytes:
    """The same; it may be anybody's."""
    *fields, embedding = unpacked(data)
    numbers = [Tag.NUMBERS.value, "f", len(embedding) // array("f").itemsize, 0]
    Reader(embedding).value([Tag.RECORD.value, NAMES[SegmentClosed], *fields, numbers])
    return _written(_read(data))
