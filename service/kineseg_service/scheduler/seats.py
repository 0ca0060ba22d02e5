"""Streams come and go: each gets a slot of its model's state and a row of its table, and gives them back once."""

from __future__ import annotations

import sys
from collections.abc import Callable

from kineseg_core.errors import CoreError, StepFailed
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.segmenting import table_plan
from kineseg_core.session import Session
from kineseg_core.snapshot import Snapshot

from kineseg_service.errors import Broken
from kineseg_service.logs import get_logger
from kineseg_service.scheduler.lanes import Lanes
from kineseg_service.scheduler.results import Results
from kineseg_service.scheduler.scheduled import NO_FRAMES, ScheduledStream, weight

_log = get_logger(__name__)


class Seats:
    """Who holds a slot.

    Args:
        lanes: The models that streams go through.
        results: Gets the errors with which streams end.
    """

    def __init__(self, lanes: Lanes[ScheduledStream], results: Results) -> None:
        self._lanes = lanes
        self._results = results
        self._streams: dict[ScheduledStream, None] = {}  # in the order of their opening
        self._closed = False

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, session: Session, own: Decoder | None, snapshot: Snapshot | None) -> ScheduledStream:
        """See `Engine.open`."""
        if self._closed:
            raise Broken("the server has failed and is ending; try another one")
        lane = self._lanes.own(session.config.model) if own is None else self._lanes.made(own)
        lease = lane.decoder.acquire()
        session.take_row(lane.table(table_plan(session.segmenter_plan)), lease.slot, lane.quiet)
        if snapshot is not None:
            try:
                snapshot.resume(session)
                lane.decoder.put(lease, snapshot.state_of(lane.decoder.bundle.state_size))
            except BaseException:
                lane.decoder.release(lease)
                raise
        stream = ScheduledStream(session, lane, lease)
        lane.streams += 1
        self._streams[stream] = None
        return stream

    def release(self, stream: ScheduledStream) -> None:
        """Ends a stream, whoever asks first: its slot goes back once, and what waits is dropped."""
        if stream.lease is None:
            return
        lane = stream.lane
        lane.decoder.release(stream.lease)
        stream.lease = None
        del self._streams[stream]
        lane.frames_waiting -= (
            sum(len(item.frames) for _, item, _ in stream.queue if isinstance(item, ModelFrames)) - stream.at
        )
        stream.queue.clear()
        stream.block, stream.at = NO_FRAMES, 0
        if stream.in_columns:
            back = lane.chunks.take_back(stream)
            lane.frames_waiting -= sum(weight(item) for chunk in back for item in chunk.items) - len(back)
            stream.in_columns = 0
        self._lanes.leave(lane)

    def fail(self, stream: ScheduledStream, what: str) -> None:
        """Ends one stream with an error; to be called where the exception, if any, is being handled."""
        error = StepFailed(what)
        name = stream.session.config.session_id
        _log.error(what, session=name, error_id=error.error_id, exc_info=sys.exc_info()[0] is not None)
        self._end_with(stream, error)

    def or_fail(self, stream: ScheduledStream, command: Callable[[], None]) -> None:
        """Does something for a stream, which fails where that does."""
        try:
            command()
        except Exception:
            self.fail(stream, "the stream could not be segmented")

    def close(self) -> None:
        """No other stream is opened."""
        self._closed = True

    def fail_all(self, failure: StepFailed) -> None:
        """All streams end with an error."""
        for stream in list(self._streams):
            try:
                self._end_with(stream, failure)
            except Exception:
                _log.exception("a stream could not be ended", session=stream.session.config.session_id)

    def _end_with(self, stream: ScheduledStream, error: CoreError) -> None:
        self.release(stream)
        self._results.fail(stream, error)
