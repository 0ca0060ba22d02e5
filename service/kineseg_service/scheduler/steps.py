"""A step of many streams of one model: the model, the segmenters, and what follows for each stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from kineseg_core.boundary_network import BoundaryNetwork, Look
from kineseg_core.events import Output
from kineseg_core.inference.state_table import Step, Stepped
from kineseg_core.intake.resampling import F32
from kineseg_core.segmenter.table import SegmenterTable
from numpy.typing import NDArray

from kineseg_service.scheduler.lanes import Lane
from kineseg_service.scheduler.scheduled import ScheduledStream

Streams = Sequence[ScheduledStream]
NOTHING: Sequence[Output] = ()


class Stepper:
    """Steps streams together. What fails in one ends that one.

    Args:
        network: What looks at candidate boundaries.
        advanced: Is called with a stream whose next frame has gone through, and what that gave.
        fail: Ends a stream, and says what could not be done; where an exception is being handled it is logged.
    """

    def __init__(
        self,
        network: BoundaryNetwork,
        advanced: Callable[[ScheduledStream, Sequence[Output]], None],
        fail: Callable[[ScheduledStream, str], None],
    ) -> None:
        self._network = network
        self._advanced = advanced
        self._fail = fail

    def step(self, lane: Lane[ScheduledStream], streams: list[ScheduledStream]) -> None:
        """The next frame of each stream.

        Raises:
            Exception: The model could not be run; no stream has advanced.
        """
        n = len(streams)
        frames, slots = lane.frames[:n], lane.slots[:n]
        for row, stream in enumerate(streams):
            frames[row] = stream.block.frames[stream.at]
            slots[row] = stream.slot
        stepped = lane.decoder.step(slots, frames)
        # From here on nothing raises: a stream that has stepped must not step the same frame again.
        if stepped.bad_rows:
            for row in stepped.bad_rows:
                self._fail(streams[row], "the model's output is not finite")
            good = np.setdiff1d(np.arange(n), stepped.bad_rows).tolist()
            streams, slots, frames = [streams[row] for row in good], slots[good], frames[good]
            stepped = stepped.of(good)
        if lane.rows is None:
            self._one_by_one(streams, stepped)
        else:
            self._in_rows(lane.rows, streams, slots, frames, stepped)

    def _in_rows(
        self, table: SegmenterTable, streams: Streams, slots: NDArray[np.int64], frames: F32, stepped: Stepped
    ) -> None:
        """Streams whose segmenters keep their numbers in a table."""
        try:
            follows = table.step(slots, frames, stepped.embedding, stepped.surprise, self._network)
        except Exception:
            self._fail_all(streams)
            return
        for row, stream in enumerate(streams):
            # Nearly always nothing follows, and that is to cost next to nothing.
            if row in follows or not stream.session.pass_quietly(stream.block, stream.at):
                self._follow(stream, stepped.one(row), follows.get(row, ()))
            else:
                self._advanced(stream, NOTHING)

    def _follow(self, stream: ScheduledStream, step: Step, follows: Sequence[int]) -> None:
        outputs: list[Output] = []
        try:
            stream.session.advance(stream.block, stream.at, step, follows, outputs)
        except Exception:
            self._fail(stream, "the stream could not be segmented")
            return
        self._advanced(stream, outputs)

    def _one_by_one(self, streams: Streams, stepped: Stepped) -> None:
        """Streams whose segmenters keep their numbers themselves; the boundary network has one run for all."""
        observed: list[tuple[ScheduledStream, list[Look]]] = []
        for row, stream in enumerate(streams):
            try:
                observed.append((stream, stream.session.observe(stream.block, stream.at, stepped.one(row))))
            except Exception:
                self._fail(stream, "the stream could not be segmented")
        try:
            probabilities = self._network([look for _, looks in observed for look in looks])
        except Exception:
            self._fail_all([stream for stream, _ in observed])
            return
        first = 0
        for stream, looks in observed:
            self._decide(stream, probabilities[first : first + len(looks)])
            first += len(looks)

    def _decide(self, stream: ScheduledStream, probabilities: F32) -> None:
        outputs: list[Output] = []
        try:
            stream.session.decide(stream.block, stream.at, probabilities, outputs)
        except Exception:
            self._fail(stream, "the stream could not be segmented")
            return
        self._advanced(stream, outputs)

    def _fail_all(self, streams: Streams) -> None:
        for stream in streams:
            self._fail(stream, "the boundary network could not be run")
