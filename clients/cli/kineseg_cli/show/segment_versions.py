"""What was known of a stream's segments at any moment, from its events in the order emitted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from kineseg import Event, LabelsMerged, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated

Outcome = Literal["confirmed", "retracted", "open"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time with a label: a segment found, or one that is known.

    Attributes:
        start_s, end_s: Seconds since the stream's first frame.
        label: Label found, or class id known.
        name: What to write on it: the segment's name or else its label, or what is known.
        segment_id: Number of the segment; -1 for what is known.
        reported_s: When its end was reported; None while it is open.
        confirmed: Whether its start is confirmed, not provisional.
        confidence: How probable it is, 0 to 1, that its start will be confirmed; 1 once it is.
    """

    start_s: float
    end_s: float
    label: int
    name: str
    segment_id: int = -1
    reported_s: float | None = None
    confirmed: bool = True
    confidence: float = 1.0

    @property
    def named(self) -> str:
        """The name, if it is more than the label."""
        return "" if self.name == str(self.label) else self.name

    @property
    def duration_s(self) -> float:
        """Length, seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Boundary:
    """A boundary between two actions: when it is (`time_s`) and when it was reported (`reported_s`), seconds."""

    time_s: float
    reported_s: float

    @property
    def delay_s(self) -> float:
        """Time from the boundary to its report, seconds."""
        return self.reported_s - self.time_s


@dataclass(frozen=True, slots=True)
class SegmentVersion:
    """What was known of one segment, from one moment of the stream to another; all times in seconds.

    Attributes:
        segment_id, label: As reported.
        start_s: Where it begins.
        end_s: Where it ends; None unless it is closed.
        confirmed, confidence: As reported.
        name: As reported; empty while it is unknown.
        from_s, until_s: When this was reported, and when something else was; `until_s` is infinite if nothing was.
    """

    segment_id: int
    label: int
    start_s: float
    end_s: float | None
    confirmed: bool
    confidence: float
    from_s: float
    until_s: float = math.inf
    name: str = ""


@dataclass(frozen=True, slots=True)
class ProvisionalReport:
    """The first report of a segment whose start was not confirmed, and what became of it; all times in seconds.

    Attributes:
        segment_id, label, confidence: As first reported.
        time_s: Where it began, as first reported.
        reported_s: When it was first reported.
        outcome: What became of it.
        outcome_s: When that was reported; None while it is open.
    """

    segment_id: int
    label: int
    confidence: float
    time_s: float
    reported_s: float
    outcome: Outcome
    outcome_s: float | None

    @property
    def delay_s(self) -> float:
        """Time from the segment's start to its first report, seconds."""
        return self.reported_s - self.time_s


class SegmentVersions:
    """Every version of every segment of a stream; grows with `add`."""

    def __init__(self) -> None:
        self._versions: dict[int, list[SegmentVersion]] = {}

    def add(self, event: Event) -> None:
        """Adds the next event; one that is about no segment changes nothing."""
        now = event.decided_time_s
        match event:
            case SegmentStarted() | SegmentUpdated():
                self._append(
                    SegmentVersion(
                        event.segment_id, event.label, event.time_s, None, event.confirmed, event.confidence, now,
                        name=event.name,
                    )
                )  # fmt: skip
            case SegmentRetracted():
                self._outdate(event.segment_id, now)
            case SegmentClosed():
                times = event.start_time_s, event.end_time_s
                self._append(SegmentVersion(event.segment_id, event.label, *times, True, 1.0, now, name=event.name))
            case LabelsMerged():
                for versions in list(self._versions.values()):
                    last = versions[-1]
                    # Closed segments keep the label that they were closed with.
                    if last.label == event.label and last.end_s is None and math.isinf(last.until_s):
                        self._append(replace(last, label=event.into, from_s=now))

    def bars(self, now_s: float) -> list[Bar]:
        """The segments as known after the last event, in the order of time; the last one up to `now_s`."""
        lasts = (versions[-1] for versions in self._versions.values())
        return _bars((version for version in lasts if math.isinf(version.until_s)), now_s)

    def bars_at(self, time_s: float) -> list[Bar]:
        """The segments as known at a moment of the stream, up to that moment."""
        return _bars((version for version in self.versions if version.from_s <= time_s < version.until_s), time_s)

    @property
    def versions(self) -> list[SegmentVersion]:
        """Every version, segment by segment in the order reported."""
        return [version for versions in self._versions.values() for version in versions]

    @property
    def first_reported(self) -> list[Boundary]:
        """The boundaries as they were first reported, retracted ones included; the stream's beginning is none."""
        return [Boundary(versions[0].start_s, versions[0].from_s) for versions in self._after_first()]

    @property
    def confirmed(self) -> list[Boundary]:
        """The confirmed boundaries, and when they were confirmed; the stream's beginning is none."""
        confirmed = (next((v for v in versions if v.confirmed), None) for versions in self._after_first())
        return [Boundary(version.start_s, version.from_s) for version in confirmed if version is not None]

    @property
    def provisional(self) -> list[ProvisionalReport]:
        """The segments reported before their start was confirmed, in the order reported."""
        return [_provisional_report(versions) for versions in self._versions.values() if not versions[0].confirmed]

    def _after_first(self) -> list[list[SegmentVersion]]:
        return list(self._versions.values())[1:]

    def _append(self, version: SegmentVersion) -> None:
        self._outdate(version.segment_id, version.from_s)
        self._versions.setdefault(version.segment_id, []).append(version)

    def _outdate(self, segment_id: int, now_s: float) -> None:
        if versions := self._versions.get(segment_id):
            versions[-1] = replace(versions[-1], until_s=now_s)


def _bars(versions: Iterable[SegmentVersion], now_s: float) -> list[Bar]:
    """Versions known at one time, as bars: what is not closed ends where the next begins, the last one now."""
    ordered = sorted(versions, key=lambda version: version.start_s)
    bars = []
    for i, version in enumerate(ordered):
        end_s = version.end_s
        if end_s is None:
            end_s = ordered[i + 1].start_s if i + 1 < len(ordered) else now_s
        if end_s > version.start_s:
            reported_s = None if version.end_s is None else version.from_s
            bars.append(
                Bar(
                    version.start_s, end_s, version.label, version.name or str(version.label), version.segment_id,
                    reported_s, version.confirmed, version.confidence,
                )
            )  # fmt: skip
    return bars


def _provisional_report(versions: list[SegmentVersion]) -> ProvisionalReport:
    first, last = versions[0], versions[-1]
    confirmed = next((version for version in versions if version.confirmed), None)
    outcome: Outcome = "open"
    outcome_s = None
    if confirmed is not None:
        outcome, outcome_s = "confirmed", confirmed.from_s
    elif not math.isinf(last.until_s):
        outcome, outcome_s = "retracted", last.until_s
    return ProvisionalReport(
        first.segment_id, first.label, first.confidence, first.start_s, first.from_s, outcome, outcome_s
    )
