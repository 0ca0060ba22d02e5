"""What streams of one call wait to send, put together into messages."""

from __future__ import annotations

import enum
from collections import deque
from typing import TypeAlias

from kineseg.v1 import segmentation_pb2 as pb

# A request is full from this size on, far below what a server takes at most (4 MiB).
_FULL_BYTES = 1 << 20


class End(enum.Enum):
    """How a stream is ended."""

    INPUT = enum.auto()  # nothing more will be sent
    ALL = enum.auto()  # it is given up


Entry: TypeAlias = pb.OpenSession | tuple[int, pb.FrameChunk | End]


def request_of(queue: deque[Entry]) -> pb.SegmentManyRequest:
    """The next message: takes from the queue all that there is, or as much as one message should hold.

    The server takes what opens streams first, then chunks, then what ends streams; of each stream that is their order
    in the queue, too.
    """
    request = pb.SegmentManyRequest()
    sessions: list[int] = []
    chunks: list[pb.FrameChunk] = []
    size = 0
    while queue and size < _FULL_BYTES:
        entry = queue.popleft()
        if isinstance(entry, pb.OpenSession):
            request.opens.append(entry)
            size += entry.ByteSize()
            continue
        number, what = entry
        if what is End.INPUT:
            request.ends.append(number)
        elif what is End.ALL:
            request.cancels.append(number)
        else:
            sessions.append(number)
            chunks.append(what)
            size += len(what.data) + 10 * len(what.capture_times_ns)
    data = [chunk.data for chunk in chunks]
    request.sessions.extend(sessions)
    request.first_frames.extend([chunk.first_frame for chunk in chunks])
    request.chunk_bytes.extend(map(len, data))
    request.data = b"".join(data)
    if any(chunk.capture_times_ns for chunk in chunks):
        request.chunk_times.extend([len(chunk.capture_times_ns) for chunk in chunks])
        for chunk in chunks:
            request.capture_times_ns.extend(chunk.capture_times_ns)
    return request
