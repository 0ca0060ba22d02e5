"""One stream's segments as they are emitted: where they lie among the client's frames, and what they are called."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.events import (
    Detail,
    LabelsMerged,
    SegmentClosed,
    SegmentRetracted,
    SegmentStarted,
    SegmentUpdated,
)
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.watch import Place
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.naming import Namer
from kineseg_core.segmenter import (
    Decision,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_core.session.closed_segments import ClosedSegments
from kineseg_core.session.config import SegmentCounts
from kineseg_core.session.frame_times import FrameTimes

_REMEMBERED = 10_000
_KEPT = 32
"""Of these, so many go where the stream goes."""
PROBABILITY_DIGITS = 3
"""Of probabilities that are emitted; their error is larger than what is cut off."""


class Placed(NamedTuple):
    """A decision among the client's frames.

    Attributes:
        at: What it is about: a frame, and when that was.
        detail: What is emitted of it.
        confirms: It makes the start of its segment certain.
    """

    at: Place
    detail: Detail
    confirms: bool


@within("0 <= closed")
@keeps(
    "latest counts closed _provisional _open _last_boundary _labels",
    fixed="_times _namer _late_ns _has_points",
    passing="remembered",
)
class Segments:
    """Makes of decisions about the model's frames what is emitted about the client's. Picklable.

    Args:
        times: When the model's frames were.
        namer: What gives segments their names.
        late_ns: A boundary that would be decided later than this after it is moved to where it is decided; none: there
            is none.
        has_points: Whether segments have points in a space that streams share, by which they are known.

    Attributes:
        remembered: Those that were closed last.
        counts: How many were provisional, confirmed and retracted so far.
        closed: How many were closed.
    """

    _provisional: dict[int, Place]
    _open: dict[int, Place]
    _last_boundary: tuple[int, Place] | None
    _labels: set[int]

    __slots__ = (
        "_has_points", "_labels", "_last_boundary", "_late_ns", "_namer", "_open", "_provisional", "_times", "closed",
        "counts", "remembered",
    )  # fmt: skip

    def __init__(self, times: FrameTimes, namer: Namer, late_ns: int | None, *, has_points: bool) -> None:
        self._times = times
        self._namer = namer
        self._late_ns = late_ns
        self._has_points = has_points
        self.remembered = ClosedSegments(_REMEMBERED)
        self.counts = SegmentCounts()
        self.closed = 0
        # Where segments begin: provisional ones as last emitted, confirmed ones for good.
        self._provisional = {}
        self._open = {}
        self._last_boundary = None
        self._labels = set()

    @property
    def latest(self) -> tuple[bytes, ...]:
        """Of those that are remembered what is kept of the stream, the newest."""
        return self.remembered.newest(_KEPT)

    @latest.setter
    def latest(self, written: tuple[bytes, ...]) -> None:
        self.remembered.fill(written)

    @property
    def labels(self) -> int:
        """How many labels closed segments have had, merged ones once."""
        return len(self._labels)

    @property
    def any_provisional(self) -> bool:
        """Whether a segment may still be retracted."""
        return bool(self._provisional)

    def begin_of(self, segment_id: int) -> Place:
        """Where a segment that goes on, certainly, begins."""
        return self._open[segment_id]

    def check_going_on(self, certain: Iterable[int], provisional: Iterable[int]) -> None:
        """Raises `ValueError` unless all these segments have begun."""
        if not (self._open.keys() >= set(certain) and self._provisional.keys() >= set(provisional)):
            raise ValueError("segments go on that have not begun")

    def restart(self) -> None:
        """After a gap: the next segment begins behind it, not where the last one ended."""
        self._last_boundary = None

    def place(self, decision: Decision, decided: Place) -> Placed:
        """Takes the next decision, which was made at that frame and time."""
        match decision:
            case SegmentStart() | SegmentUpdate():
                return self._begins(decision, decided)
            case SegmentRetract():
                at = self._provisional.pop(decision.segment_id)
                self.counts = replace(self.counts, retracted=self.counts.retracted + 1)
                return Placed(at, SegmentRetracted(decision.segment_id), confirms=False)
            case SegmentEnd():
                return self._ends(decision, decided)
        if decision.label in self._labels:
            self._labels.remove(decision.label)
            self._labels.add(decision.into)
        return Placed(self._times.at(decision.index), LabelsMerged(decision.label, decision.into), confirms=False)

    def name(self, start: int, end: int, point: NDArray[np.float64] | None) -> tuple[str, float]:
        """What a segment over the model's frames [start, end) is called, and how surely; see `Namer.name`."""
        name, confidence = self._namer.name(start, end, point if self._has_points else None)
        return name, _meant(confidence)

    def _begins(self, decision: SegmentStart | SegmentUpdate, decided: Place) -> Placed:
        is_new = isinstance(decision, SegmentStart)
        confirms = decision.confirmed and decision.segment_id not in self._open
        at = self._start(decision, decided)
        detail = (SegmentStarted if is_new else SegmentUpdated)(
            decision.segment_id, decision.label, _meant(decision.confidence), decision.confirmed,
            *self.name(decision.index, self._times.count, decision.point), _meant(decision.repeat_probability),
        )  # fmt: skip
        if confirms:
            self.counts = replace(self.counts, confirmed=self.counts.confirmed + 1)
        elif is_new:
            self.counts = replace(self.counts, provisional=self.counts.provisional + 1)
        return Placed(at, detail, confirms)

    def _start(self, decision: SegmentStart | SegmentUpdate, decided: Place) -> Place:
        """Where a segment begins as far as is known now; once that is certain, it stays."""
        start = self._open.get(decision.segment_id)
        if start is not None:
            return start
        if decision.confirmed:
            self._provisional.pop(decision.segment_id, None)
            start = self._open[decision.segment_id] = self._boundary(decision.index, decided)
        else:
            start = self._provisional[decision.segment_id] = self._times.at(decision.index)
        return start

    def _ends(self, decision: SegmentEnd, decided: Place) -> Placed:
        at = frame, ns = self._open.pop(decision.segment_id)
        end_frame, end_ns = self._boundary(decision.end, decided)
        point = decision.point if self._has_points else None
        detail = SegmentClosed(
            decision.segment_id, decision.label, frame, end_frame, ns / SECOND, end_ns / SECOND,
            *self.name(decision.start, decision.end, point), _meant(decision.repeat_probability),
            array("f", [] if point is None else point.tolist()),
        )  # fmt: skip
        self.remembered.append(detail)
        self._labels.add(decision.label)
        self.closed += 1
        return Placed(at, detail, confirms=False)

    def _boundary(self, index: int, decided: Place) -> Place:
        """Where a certain boundary before the model's frame `index` lies; at a later frame if it would be too late.

        Two decisions are about each: the end of one segment and the start of the next. They agree, whichever is first.
        """
        if self._last_boundary is not None and self._last_boundary[0] == index:
            return self._last_boundary[1]
        at = frame, ns = self._times.at(index)
        is_end = index >= self._times.count  # of the stream, or before a gap: there is no later frame to take
        if self._late_ns is not None and index > 0 and not is_end:
            # One that was moved may have come to lie where the next one is.
            covered = self._last_boundary is not None and frame <= self._last_boundary[1][0]
            if covered or decided[1] - ns > self._late_ns:
                at = decided
        self._last_boundary = index, at
        return at


def _meant(probability: float) -> float:
    """A probability with as many digits as are meant: those after them differ from one processor to another."""
    return round(float(probability), PROBABILITY_DIGITS)
