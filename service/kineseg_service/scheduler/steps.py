"""A step of many streams of one model: the model, the segmenters, and what follows for each stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.events import Output
from kineseg_core.inference.state_table import Step, Stepped
from kineseg_core.intake.resampling import F32, I64, ModelFrames
from numpy.typing import NDArray

from kineseg_service.scheduler.chunk_queue import ChunkRows
from kineseg_service.scheduler.lanes import Lane
from kineseg_service.scheduler.scheduled import ScheduledStream

Streams = Sequence[ScheduledStream]
NOTHING: Sequence[Output] = ()


class Stepper:
    """Steps streams together. What fails in one ends that one.

    Args:
        network: What looks at candidate boundaries.
        advanced: Is called with a stream whose next frame has gone through, and what that gave.
        followed: Is called with a stream, from a row of whose chunk something may follow, and with what did.
        fail: Ends a stream, and says what could not be done; where an exception is being handled it is logged.
    """

    def __init__(
        self,
        network: BoundaryNetwork,
        advanced: Callable[[ScheduledStream, Sequence[Output]], None],
        followed: Callable[[ScheduledStream, Sequence[Output]], None],
        fail: Callable[[ScheduledStream, str], None],
    ) -> None:
        self._network = network
        self._advanced = advanced
        self._followed = followed
        self._fail = fail

    def step(
        self,
        lane: Lane[ScheduledStream],
        streams: list[ScheduledStream],
        chunks: Sequence[ChunkRows[ScheduledStream]] = (),
    ) -> None:
        """The next frame of each stream, and the next rows of some chunks.

        Raises:
            Exception: The model could not be run; no stream has advanced.
        """
        n = len(streams)
        end = n + sum(map(len, chunks))
        frames, slots = lane.frames[:end], lane.slots[:end]
        for row, stream in enumerate(streams):
            frames[row] = stream.block.frames[stream.at]
            slots[row] = stream.slot
        for rows in chunks:
            rows.put(frames[n : n + len(rows)], slots[n : n + len(rows)])
            n += len(rows)
        stepped = lane.decoder.step(slots, frames)
        # From here on nothing raises: a stream that has stepped must not step the same frame again.
        for rows in chunks:
            rows.step()
        if stepped.bad_rows:
            fits = np.ones(end, np.bool_)
            fits[stepped.bad_rows] = False
            streams = self._without_bad(streams, chunks, fits)
            slots, frames, stepped = slots[fits], frames[fits], stepped.of(np.flatnonzero(fits).tolist())
        self._in_rows(lane, streams, chunks, slots, frames, stepped)

    def _without_bad(
        self, streams: list[ScheduledStream], chunks: Sequence[ChunkRows[ScheduledStream]], fits: NDArray[np.bool_]
    ) -> list[ScheduledStream]:
        """Those whose outputs are fine, as the rows that are left of the chunks; of the others the streams fail."""
        everyone, begin = _everyone(streams, chunks), len(streams)
        for rows in chunks:
            end = begin + len(rows)
            rows.only(fits[begin:end])
            begin = end
        for row in np.flatnonzero(~fits).tolist():
            self._fail(everyone[row], "the model's output is not finite")
        return [stream for stream, fit in zip(streams, fits.tolist(), strict=False) if fit]

    def _in_rows(
        self,
        lane: Lane[ScheduledStream],
        streams: Streams,
        chunks: Sequence[ChunkRows[ScheduledStream]],
        slots: NDArray[np.int64],
        frames: F32,
        stepped: Stepped,
    ) -> None:
        """What their segmenters, whose numbers are in a table, make of it."""
        try:
            follows = lane.rows.step(slots, frames, stepped.embedding, stepped.surprise, self._network)
        except Exception:
            self._fail_all(_everyone(streams, chunks))
            return
        # Nearly always nothing follows, and that is to cost next to nothing.
        loud, full = lane.quiet.note(slots, _moments(streams, chunks), follows)
        for row in full:
            _everyone(streams, chunks)[row].session.catch_up()
        self._advance(streams, loud, stepped, follows)
        first = len(streams)
        for rows in chunks:
            end = first + len(rows)
            for row in loud:
                if first <= row < end:
                    self._follow_row(rows, row - first, stepped.one(row), follows.get(row, ()))
            first = end

    def _advance(
        self, streams: Streams, loud: Sequence[int], stepped: Stepped, follows: Mapping[int, Sequence[int]]
    ) -> None:
        """The frame of each of the first rows has gone through, of some of which something may follow."""
        may_follow = set(loud)
        for row, stream in enumerate(streams):
            outputs: Sequence[Output] | None = NOTHING
            if row in may_follow:
                outputs = self._follow(stream, stream.block, stream.at, stepped.one(row), follows.get(row, ()))
            if outputs is not None:
                self._advanced(stream, outputs)

    def _follow_row(self, rows: ChunkRows[ScheduledStream], at: int, step: Step, follows: Sequence[int]) -> None:
        """Something follows from one of the rows of chunks, or may."""
        chunk, row = int(rows.which[at]), int(rows.rows[at])
        waiting = rows.waiting
        stream = waiting.streams[chunk]
        stream.came = waiting.came[chunk]
        outputs = self._follow(stream, waiting.chunks.block(row, row + 1), 0, step, follows)
        if outputs is not None:
            self._followed(stream, outputs)

    def _follow(
        self, stream: ScheduledStream, block: ModelFrames, at: int, step: Step, follows: Sequence[int]
    ) -> list[Output] | None:
        """What a stream gives with a frame; none: it has failed."""
        outputs: list[Output] = []
        try:
            stream.session.advance(block, at, step, follows, outputs)
        except Exception:
            self._fail(stream, "the stream could not be segmented")
            return None
        return outputs

    def _fail_all(self, streams: Streams) -> None:
        for stream in streams:
            self._fail(stream, "the boundary network could not be run")


def _everyone(streams: Streams, chunks: Sequence[ChunkRows[ScheduledStream]]) -> list[ScheduledStream]:
    """Of each row of a step."""
    return [*streams, *(stream for rows in chunks for stream in rows.streams)]


def _moments(streams: Streams, chunks: Sequence[ChunkRows[ScheduledStream]]) -> I64:
    """``(n, 2)`` where the frame of each row of a step begins, see `ChunkRows.begin`."""
    own = [(stream.block.start[stream.at], stream.block.start_ns[stream.at]) for stream in streams]
    each = [rows.begin for rows in chunks]
    if own or not each:
        each.insert(0, np.array(own, np.int64).reshape(-1, 2))
    return each[0] if len(each) == 1 else np.concatenate(each)
