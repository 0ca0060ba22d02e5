"""One stream's life: from frames to numbered events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.boundary_network import Ask
from kineseg_core.decisions import selected
from kineseg_core.events import (
    Ack,
    Detail,
    EndReason,
    Event,
    FrameResult,
    Gap,
    MissingValues,
    Output,
    Profile,
    SegmentClosed,
    Summary,
)
from kineseg_core.inference.state_table import Step
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.intake import Intake
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.naming import KnownNames, Namer, NamingSettings
from kineseg_core.profile_json import profile_to_json
from kineseg_core.request import StreamRequest
from kineseg_core.rules.watch import RuleWatch
from kineseg_core.segmenter import Decision
from kineseg_core.segmenter.network_segments import NetworkSegments
from kineseg_core.segmenting import Alone, AnyTable, InRow, Plan, alone, seat
from kineseg_core.session.config import End, Progress, SegmentCounts, SessionConfig
from kineseg_core.session.frame_times import FrameTimes
from kineseg_core.session.quiet_rows import QuietRow, QuietRows
from kineseg_core.session.segments import Segments
from kineseg_core.session.watchers import OpenSegment, Watchers

LATEST_CAPTURE_NS = (1 << 63) - 1  # what the protocol's numbers hold
_MICROSECOND = 1000


@within("_frame_times.count == _decides.frames", "0 <= _seq", "0 <= _acked", "_observed may be huge")
@keeps(
    "_decides _watchers _namer _frame_times _segments _seq _acked _observed",
    fixed="request config intake segmenter_plan",
    passing="_row",
)
class Session:
    """A stream, from frames to numbered events.

    `take` and `end` are for whoever receives the client's chunks; what they give goes, in order, through the methods
    that append to `out`. The two halves share nothing that changes, so that each may have a thread of its own. The
    whole of a session, apart from the model's state, is this one picklable value.

    Args:
        request: What was asked for, with what was the default where nothing was said.
        config: What was agreed when the stream was opened.
        intake: Where its chunks go first.
        segmenter: How it is to be segmented.
        namer: What gives segments their names; none: they have none.
        rules: What watches these names; none: nothing does.
        behaviour: What watches what is done; none: nothing does.

    Attributes:
        segmenter_plan: As given; what segments it may have a row in a table, or keeps its numbers itself.
    """

    _observed: tuple[float, list[float]]

    def __init__(
        self,
        request: StreamRequest,
        config: SessionConfig,
        intake: Intake,
        segmenter: Plan,
        namer: Namer | None = None,
        rules: RuleWatch | None = None,
        behaviour: BehaviourMonitor | None = None,
    ) -> None:
        self.request = request
        self.config = config
        self.intake = intake
        self.segmenter_plan = segmenter
        self._decides: Alone | InRow | None = None
        self._watchers = Watchers(rules, behaviour, config.model_rate_hz)
        self._namer = namer or Namer(NamingSettings(), KnownNames(), rate_hz=1.0)
        self._frame_times = FrameTimes(config)
        # Where the source or the model is too slow for the budget, only boundaries within it are emitted.
        late_ns = round(config.latency_s * SECOND) if config.latency_s < segmenter.shortest_latency_s else None
        # The space of the built-in model is each stream's own.
        self._segments = Segments(self._frame_times, self._namer, late_ns, has_points=config.plan is None)
        self._seq = 0
        self._acked = 0
        self._observed = (0.0, [])
        self._row: QuietRow | None = None  # where is noted what concerns no one else

    # What the receiver does.

    def take(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> Iterator[Taken]:
        """Takes a chunk, see `Intake.take`."""
        return self.intake.take(first_frame, data, capture_times_ns)

    def end(self, reason: EndReason) -> list[Taken | End]:
        """Ends the intake; nothing can be taken afterwards."""
        intake = self.intake
        any_frames = intake.received > 0
        end = End(
            reason,
            last_frame=max(intake.received - 1, 0),
            last_ns=intake.last_ns,
            after_ns=intake.last_ns + intake.period_ns if any_frames else 0,
            frames=intake.frames,
            filled=intake.filled,
            missing_values=intake.missing_values,
            profile=Profile(profile_to_json(intake.profile())) if self.config.return_profile else None,
        )
        return [*intake.flush(), end]

    # What the processor does.

    def take_row(self, table: AnyTable, row: int, quiet: QuietRows) -> None:
        """Keeps the numbers of its segmenter in a row of a table; no frame has come yet.

        `quiet`: where frames may be noted, in the same row, instead of being given to `advance`, and ends of chunks
        instead of to `ack`; see `catch_up`.
        """
        assert self._decides is None
        self._decides = seat(self.segmenter_plan, table, row)
        self._row = QuietRow(quiet, row)
        self._frame_times.read(self._row)

    def settle_in(self) -> None:
        """Makes what decides, where the first frame would have made it, and takes what has been noted elsewhere."""
        _ = self._segmenter
        self.catch_up()

    def catch_up(self) -> None:
        """Takes what has been noted in its row. What reads of it does, too."""
        self._frame_times.catch_up()
        if self._row is not None:
            self._acked = max(self._acked, self._row.acked)

    def check_kept(self) -> None:
        """Raises `ValueError` unless all segments that go on have begun."""
        self._segments.check_going_on(*self._segmenter.going_on)
        self._say_if_quiet()

    def _say_if_quiet(self) -> None:
        """A frame from which nothing follows concerns no one else, unless it begins a segment."""
        if self._row is not None:
            assert isinstance(self._decides, InRow)
            concerns_others = self.config.frame_results or self._watchers.any or self._namer.recognises
            self._row.says(quiet=not (concerns_others or self._decides.begins))

    @property
    def _segmenter(self) -> Alone | InRow:
        """What decides; it keeps its numbers itself unless it has been given a row by now."""
        if self._decides is None:
            self._decides = alone(self.segmenter_plan)
        return self._decides

    @property
    def segments(self) -> Iterable[SegmentClosed]:
        """Those that were closed last."""
        return self._segments.remembered

    @property
    def segment_counts(self) -> SegmentCounts:
        """How many were provisional, confirmed and retracted so far."""
        return self._segments.counts

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        self.catch_up()
        return Progress(self._acked, self._segments.closed, self._seq, self._watchers.warming_up)

    def step(self, block: ModelFrames, at: int, step: Step, ask: Ask, out: list[Output]) -> None:
        """Takes what the model computed for frame `at` of `block`; `ask` is the boundary network."""
        segmenter = self._segmenter
        assert not isinstance(segmenter, InRow)
        self._arrive(block, at, step)
        self._settle(segmenter.step(block.frames[at], step.embedding, step.surprise, ask), block, at, out)

    def advance(self, block: ModelFrames, at: int, step: Step, follows: Sequence[int], out: list[Output]) -> None:
        """Takes what the model computed for frame `at` of `block`, which the table has taken.

        `follows`: see `RowSegmenter.follow`.
        """
        segmenter = self._segmenter
        assert isinstance(segmenter, InRow)
        self._arrive(block, at, step)
        begins = segmenter.begins
        self._settle(segmenter.follow(follows) if follows or begins else (), block, at, out)
        if begins:
            self._say_if_quiet()

    def _arrive(self, block: ModelFrames, at: int, step: Step) -> None:
        """A frame of the model is there."""
        self._frame_times.append(block.start[at], block.start_ns[at])
        if step.scores is not None:
            self._namer.update(step.scores)
        self._watchers.push(block.frames[at], (block.start[at], block.start_ns[at]))
        if self.config.frame_results:
            self._observed = step.surprise, step.embedding.tolist()

    def _settle(self, decisions: Sequence[Decision], block: ModelFrames, at: int, out: list[Output]) -> None:
        """All that is decided with a frame."""
        decided = frame, ns = block.decided[at], block.decided_ns[at]
        for decision in decisions:
            self._decided(decision, decided, out)
        if self._watchers.any:
            frames, wavers = self._frame_times.count, self._segments.any_provisional
            self._anomalies(self._watchers.settle(decided, frames, self._running, wavers=wavers), out)
        if self.config.frame_results:
            surprise, embedding = self._observed
            score, label = self._segmenter.anomaly_score, self._segmenter.label
            out.append(FrameResult(frame, ns / SECOND, surprise, score, embedding, label))

    def gap(self, gap: GapFound, out: list[Output]) -> None:
        """Frames were missing; where they have not been filled, what came before them ends and another segment begins.

        The model's state is to be reset by whoever holds it.
        """
        decided = gap.decided, gap.decided_ns
        if gap.cuts:
            self._frame_times.close(gap.frame, gap.time_ns)
            for decision in self._segmenter.restart():
                self._decided(decision, decided, out, cut=True)
            self._anomalies(self._watchers.restart(decided), out)
            self._namer.restart()
            self._frame_times.reopen()
            self._segments.restart()
            self._say_if_quiet()
        detail = Gap(gap.missing, gap.duration_ns / SECOND, gap.cuts)
        self._emit((gap.frame, gap.time_ns), decided, detail, out)

    def missing(self, found: ValuesMissing, out: list[Output]) -> None:
        """Channels are without values, or have them again."""
        detail = MissingValues(found.channels, (found.decided_ns - found.time_ns) / SECOND, found.returned)
        self._emit((found.frame, found.time_ns), (found.decided, found.decided_ns), detail, out)

    def anomaly(self, found: AnomalyFound, out: list[Output]) -> None:
        """Something is wrong with what the source sends, or no longer."""
        self._anomalies([self._watchers.of_source(found)], out)

    def ack(self, chunk: ChunkEnd, out: list[Output]) -> None:
        """All of a chunk has gone through."""
        self._acked = chunk.frames
        out.append(Ack(chunk.frames))

    def finish(self, end: End, out: list[Output]) -> Summary:
        """All frames have gone through: closes what is open and sums up."""
        self._frame_times.close(end.last_frame + 1, end.after_ns)
        now = end.last_frame, end.last_ns
        for decision in self._segmenter.finish():
            self._decided(decision, now, out, cut=True)
        self._anomalies(self._watchers.finish((end.last_frame + 1, end.after_ns), now), out)
        if end.profile is not None:
            out.append(end.profile)
        summary = Summary(
            frames=end.frames,
            duration_s=end.after_ns / SECOND,
            segments=self._segments.closed,
            labels=self._segments.labels,
            anomalies=self._watchers.count,
            filled_frames=end.filled,
            reason=end.reason,
            provisional=self._segments.counts.provisional,
            retracted=self._segments.counts.retracted,
            missing_values=end.missing_values,
            model=self.config.model,
            model_sha256=self.config.model_sha256,
        )
        self._emit(now, now, summary, out)
        return summary

    def _decided(self, decision: Decision, decided: Place, out: list[Output], *, cut: bool = False) -> None:
        at, detail, confirms = self._segments.place(decision, decided)
        reports = self._watchers.learn(detail, at, decided, cut=cut)
        emitted = selected(detail, self.config.decisions, confirms=confirms)
        if emitted is not None:
            self._emit(at, decided, emitted, out)
        self._anomalies(reports, out)

    def _running(self) -> OpenSegment | None:
        """The segment that goes on, for those who watch its name."""
        running = self._segmenter.open_segment() if isinstance(self._segmenter, NetworkSegments) else None
        if running is None:
            return None
        start, end, point = running.start, running.end, running.point
        return OpenSegment(
            running.segment_id,
            end - start,
            self._segments.begin_of(running.segment_id),
            lambda: self._segments.name(start, end, point)[0],
        )

    def _anomalies(self, reports: Iterable[AnomalyFound], out: list[Output]) -> None:
        for found in reports:
            self._emit((found.frame, found.time_ns), (found.decided, found.decided_ns), found.detail, out)

    def _emit(self, at: Place, decided: Place, detail: Detail, out: list[Output]) -> None:
        self._seq += 1
        (frame, ns), (decided_frame, decided_ns) = at, decided
        first = self.intake.first_capture_ns
        capture = None if first is None else min(first + ns, LATEST_CAPTURE_NS)
        out.append(
            Event(
                stream_id=self.config.stream_id,
                seq=self._seq,
                emitted_unix_ns=time.time_ns() // _MICROSECOND * _MICROSECOND,
                frame=frame,
                time_s=ns / SECOND,
                capture_time_ns=capture,
                decided_frame=decided_frame,
                decided_time_s=decided_ns / SECOND,
                detail=detail,
            )
        )
