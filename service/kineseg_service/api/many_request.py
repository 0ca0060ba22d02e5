"""The columns of a `SegmentManyRequest`, taken apart into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import InvalidRequest

from kineseg_service.streams.sent_columns import SentColumns


def chunks_of(request: pb.SegmentManyRequest) -> SentColumns:
    """The chunks of a request, in order.

    Raises:
        InvalidRequest: The columns do not fit together.
    """
    sessions, firsts, sizes = list(request.sessions), list(request.first_frames), list(request.chunk_bytes)
    if not len(sessions) == len(firsts) == len(sizes):
        lengths = f"{len(sessions)} sessions, {len(firsts)} first_frames and {len(sizes)} chunk_bytes"
        raise InvalidRequest(f"there are {lengths}: give each chunk one of each", field="sessions")
    data = request.data
    if sum(sizes) != len(data):
        raise InvalidRequest(
            f"data is {len(data)} bytes, and chunk_bytes are {sum(sizes)} in all: they must be the same",
            field="chunk_bytes",
        )
    return SentColumns(sessions, firsts, data, [*accumulate(sizes, initial=0)], _times_of(request, len(sessions)))


def _times_of(request: pb.SegmentManyRequest, chunks: int) -> Sequence[Sequence[int]] | None:
    """The capture times of each chunk; none: none has any."""
    counts, times = list(request.chunk_times), list(request.capture_times_ns)
    if not counts and not times:
        return None
    if len(counts) != chunks:
        raise InvalidRequest(
            f"there are {len(counts)} chunk_times for {chunks} chunks: give one for each, or none", field="chunk_times"
        )
    if sum(counts) != len(times):
        raise InvalidRequest(
            f"there are {len(times)} capture_times_ns, and chunk_times are {sum(counts)} in all: they must be the same",
            field="chunk_times",
        )
    columns = []
    at = 0
    for count in counts:
        columns.append(times[at : at + count])
        at += count
    return columns
