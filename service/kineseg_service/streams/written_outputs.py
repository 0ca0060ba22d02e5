"""What of a stream's outputs goes into its records, as bytes: each is written once, however often it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from kineseg_core.events import Ack, Event, Output

from kineseg_service.streams.record import still_needed, written_output
from kineseg_service.streams.resumable import Seen, Sent


class _Written(NamedTuple):
    seq: int
    emitted_unix_ns: int
    data: bytes


class WrittenOutputs:
    """The latest events of one stream, oldest first, as records have them."""

    __slots__ = ("_before", "_events", "_upto")

    def __init__(self) -> None:
        self._events: list[_Written] = []
        self._before = Seen()
        self._upto = 0  # there are those of all events up to this one that are needed

    def still_needed(self, sent: Sent, unsent: Sequence[Output], since_ns: int) -> tuple[Seen, list[bytes]]:
        """See `record.still_needed`; of events only those are looked at that have come since it was asked last."""
        fresh: list[Event] = []
        if sent.has_results:
            return self._anew(sent, unsent, since_ns)
        for output in chain(reversed(unsent), sent.newest_first(self._upto)):
            if isinstance(output, Event):
                if output.seq <= self._upto:
                    break
                if output.emitted_unix_ns < since_ns:
                    self._begin(Seen(output.seq, sent.trimmed.result_frame))
                    break
                fresh.append(output)
            elif not isinstance(output, Ack):
                return self._anew(sent, unsent, since_ns)
        else:
            if sent.trimmed.seq >= self._upto:  # else packs were left out that have been written
                self._begin(sent.trimmed)
        for event in reversed(fresh):
            self._events.append(_Written(event.seq, event.emitted_unix_ns, written_output(event)))
            self._upto = event.seq
        self._forget(sent.trimmed, since_ns)
        return self._before, [event.data for event in self._events]

    @staticmethod
    def _anew(sent: Sent, unsent: Sequence[Output], since_ns: int) -> tuple[Seen, list[bytes]]:
        """Where there is more than events: results of frames, of which there soon are others."""
        before, outputs = still_needed(sent, unsent, since_ns)
        return before, [*map(written_output, outputs)]

    def _begin(self, before: Seen) -> None:
        """What is there does not reach to what comes next, or is not needed."""
        self._events.clear()
        self._before, self._upto = before, before.seq

    def _forget(self, trimmed: Seen, since_ns: int) -> None:
        gone = 0
        while gone < len(self._events) and (
            self._events[gone].emitted_unix_ns < since_ns or self._events[gone].seq <= trimmed.seq
        ):
            gone += 1
        if gone:
            self._before = Seen(self._events[gone - 1].seq, trimmed.result_frame)
            del self._events[:gone]
