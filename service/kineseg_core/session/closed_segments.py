"""The segments that a stream has closed last: it may be asked for thousands, so they lie there as bytes."""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from kineseg_core.events import SegmentClosed


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

    def fill(self, segments: Iterable[SegmentClosed]) -> None:
        """These are the only ones."""
        self._segments[:] = map(_written, segments)

    def newest(self, count: int) -> tuple[SegmentClosed, ...]:
        """So many of them, or all."""
        return tuple(map(_read, self._segments[-count:]))


def _written(segment: SegmentClosed) -> bytes:
    return marshal.dumps(
        (
            segment.segment_id, segment.label, segment.start_frame, segment.end_frame, segment.start_time_s,
            segment.end_time_s, segment.name, segment.name_confidence, segment.repeat_probability,
            segment.embedding.tobytes(),
        )
    )  # fmt: skip


def _read(data: bytes) -> SegmentClosed:
    fields: list[Any] = [*marshal.loads(data)]
    fields[-1] = array("f", fields[-1])
    return SegmentClosed(*fields)
