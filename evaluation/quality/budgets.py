"""One stream segmented at several latency budgets at once, in this process: only what decides is run for each.

What comes in, and the model, are the same at every budget, so they are run once; the boundary network is asked about
the looks of all budgets together. What each budget decides is what a server would, to the frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from kineseg.motion import Joints
from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.decisions import Decisions
from kineseg_core.events import EndReason, Event, Output, SegmentClosed, SegmentStarted, SegmentUpdated
from kineseg_core.generic import scratch_bundle
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.providers import open_cpu
from kineseg_core.inference.state_table import HostTable
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken
from kineseg_core.intake.watch import AnomalyFound
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.session import End, Session
from numpy.typing import NDArray

from evaluation.quality.scores import Prediction
from evaluation.quality.stream import AnnotatedStream

_CHUNK_FRAMES = 512
_SLOT = np.zeros(1, np.int64)
_AS_THE_SERVER = 128  # rows: where a row's bits depend on its batch, they are those of a server's


@dataclass(frozen=True, eq=False)
class Sent:
    """What a client sends of a stream.

    Attributes:
        request: What it asks for.
        rows: ``(T, numbers in a frame)`` little-endian float32.
        times_ns: ``(T,)`` capture times; None where it has no clock.
    """

    request: StreamRequest
    rows: NDArray[np.float32]
    times_ns: NDArray[np.int64] | None

    @classmethod
    def of(cls, stream: AnnotatedStream, bundle: Bundle) -> Sent:
        """A body's joints, unless the recording has the model's channels; the channels of anything else."""
        recording = stream.recording
        wanted = StreamRequest(stream.rate, model=stream.model, decisions=Decisions.FINAL)
        its_own = not stream.model and set(recording.channels) == set(bundle.channels)
        if recording.positions is None or its_own:
            wanted, values = replace(wanted, channels=tuple(recording.channels)), recording.frames
        else:
            wanted, values = replace(wanted, joints=Joints.of(recording)), recording.positions
        rows = np.ascontiguousarray(values.reshape(len(values), -1), "<f4")
        times = recording.timestamps
        return cls(wanted, rows, None if times is None else np.rint(times * 1e9).astype(np.int64))

    def chunks(self) -> Iterator[tuple[int, bytes, Sequence[int]]]:
        """First frame, data and capture times of one chunk after another."""
        for first in range(0, len(self.rows), _CHUNK_FRAMES):
            some = slice(first, first + _CHUNK_FRAMES)
            yield first, self.rows[some].tobytes(), () if self.times_ns is None else self.times_ns[some].tolist()


class Budgets:
    """Sessions of one stream, one a budget, behind one intake and one model.

    Args:
        opener: Makes sessions.
        bundle: The model of streams that name none.
        sent: What is sent.
        budgets_s: Budget of final decisions of each session, seconds.
    """

    def __init__(self, opener: Opener, bundle: Bundle, sent: Sent, budgets_s: Sequence[float]) -> None:
        self._sessions = [opener.session(replace(sent.request, latency_s=budget_s)) for budget_s in budgets_s]
        plan = self._sessions[0].config.plan
        model = bundle if plan is None else scratch_bundle(plan)
        self._table = HostTable(model, open_cpu(model.graph, threads=1), slots=1, max_batch=_AS_THE_SERVER)
        self._network = BoundaryNetwork(opener.network)
        self._outputs: list[list[Output]] = [[] for _ in budgets_s]

    def take(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> None:
        """Takes a chunk."""
        self._through(self._sessions[0].take(first_frame, data, capture_times_ns))

    def finish(self) -> list[list[Event]]:
        """Ends the stream; what was emitted in it, by budget."""
        self._through(self._sessions[0].end(EndReason.COMPLETED))
        return [[output for output in each if isinstance(output, Event)] for each in self._outputs]

    def _through(self, items: Iterable[Taken | End]) -> None:
        for item in items:
            if isinstance(item, ModelFrames):
                for at in range(len(item.decided)):
                    self._step(item, at)
                continue
            if isinstance(item, GapFound) and item.cuts:
                self._table.reset(0)
            for session, out in zip(self._sessions, self._outputs, strict=True):
                _pass_on(item, session, out)

    def _step(self, block: ModelFrames, at: int) -> None:
        step = self._table.step(_SLOT, block.frames[at : at + 1]).one(0)
        for session, out in zip(self._sessions, self._outputs, strict=True):
            session.step(block, at, step, self._network, out)


def segment(stream: AnnotatedStream, opener: Opener, bundle: Bundle, budgets_s: Sequence[float]) -> list[Prediction]:
    """What is final of a stream, by budget.

    Raises:
        OutOfRange: A budget is not one that a server offers.
    """
    sent = Sent.of(stream, bundle)
    budgets = Budgets(opener, bundle, sent, budgets_s)
    for chunk in sent.chunks():
        budgets.take(*chunk)
    return [_prediction(events, stream.n_frames) for events in budgets.finish()]


def _pass_on(
    item: GapFound | ValuesMissing | AnomalyFound | ChunkEnd | End, session: Session, out: list[Output]
) -> None:
    match item:
        case GapFound():
            session.gap(item, out)
        case ValuesMissing():
            session.missing(item, out)
        case AnomalyFound():
            session.anomaly(item, out)
        case ChunkEnd():
            session.ack(item, out)
        case End():
            session.finish(item, out)


def _prediction(events: Sequence[Event], n_frames: int) -> Prediction:
    decided: dict[int, int] = {}
    closed: list[SegmentClosed] = []
    for event in events:
        match event.detail:
            case SegmentStarted() | SegmentUpdated() as detail:
                decided.setdefault(detail.segment_id, event.decided_frame)
            case SegmentClosed() as detail:
                decided.setdefault(detail.segment_id, event.decided_frame)
                closed.append(detail)
    closed.sort(key=lambda each: each.start_frame)
    labels = np.full(n_frames, -1, np.int64)
    for each in closed:
        labels[each.start_frame : each.end_frame] = each.label
    pairs = [(each.start_frame, decided[each.segment_id]) for each in closed[1:]]
    return Prediction.of(pairs, n_frames, labels)
