"""Where a watch stands, without any input or output: what to ask for next, and what has been seen already."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from kineseg._events import WatchedEvent
from kineseg._wire import watched_from_wire
from kineseg.v1 import segmentation_pb2 as pb

_METADATA = "kineseg-cursor"
# Of so many streams it is remembered what has been seen; those that have said nothing for longest are forgotten.
_MOST_STREAMS = 65_536


class WatchPosition:
    """What has been seen of a watch.

    Args:
        request: What is watched.
    """

    def __init__(self, request: pb.WatchEventsRequest) -> None:
        self._request = request
        self._seen: OrderedDict[str, int] = OrderedDict()

    @property
    def cursor(self) -> str:
        """Where it goes on; empty: the server has not said."""
        return self._request.cursor

    def request(self) -> pb.WatchEventsRequest:
        """What to ask the server for now."""
        request = pb.WatchEventsRequest()
        request.CopyFrom(self._request)
        return request

    def begin(self, metadata: Iterable[Sequence[str | bytes]] | None) -> None:
        """The server has begun to watch, with this initial metadata."""
        for key, value in metadata or ():
            if key == _METADATA and isinstance(value, str):
                self._request.cursor = value

    def receive(self, response: pb.WatchEventsResponse) -> WatchedEvent | None:
        """An event has come; None if it has come before, as may be from another server after a connection broke."""
        if response.cursor:
            self._request.cursor = response.cursor
        event = response.event
        if event.stream_id:
            if event.seq <= self._seen.get(event.stream_id, 0):
                return None
            self._seen[event.stream_id] = event.seq
            self._seen.move_to_end(event.stream_id)
            if len(self._seen) > _MOST_STREAMS:
                self._seen.popitem(last=False)
        return watched_from_wire(response)
