"""The segments of a stream that were provisional at first, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from kineseg._events import Event, SegmentRetracted, SegmentStarted, SegmentUpdated

Outcome = Literal["confirmed", "retracted", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionalSegment:
    """A segment that was emitted before its start was certain, as it was first emitted.

    Attributes:
        segment_id: Number of the segment in its session.
        frame: First frame, as first emitted.
        time_s: Time of that frame, seconds since the stream's first frame.
        decided_frame: The frame whose processing led to it.
        decided_time_s: Time of that frame, seconds since the stream's first frame.
        label: Its action, as first emitted.
        confidence: How probable it was, 0 to 1, that the start would be confirmed.
        outcome: Whether it was ``"confirmed"`` or ``"retracted"`` later, or left ``"open"``.
        outcome_frame: The frame whose processing decided that; None while it is open.
        confirmed_frame: First frame of the segment for good; None unless it was confirmed.
    """

    segment_id: int
    frame: int
    time_s: float
    decided_frame: int
    decided_time_s: float
    label: int
    confidence: float
    outcome: Outcome = "open"
    outcome_frame: int | None = None
    confirmed_frame: int | None = None


def provisional_segments(events: Iterable[Event]) -> tuple[ProvisionalSegment, ...]:
    """The provisional segments among these events of one stream, in the order emitted.

    Segments that were confirmed from their start are not among them.
    """
    found: dict[int, ProvisionalSegment] = {}
    for event in events:
        if isinstance(event, SegmentStarted) and not event.confirmed:
            found[event.segment_id] = ProvisionalSegment(
                segment_id=event.segment_id,
                frame=event.frame,
                time_s=event.time_s,
                decided_frame=event.decided_frame,
                decided_time_s=event.decided_time_s,
                label=event.label,
                confidence=event.confidence,
            )
        elif isinstance(event, SegmentUpdated | SegmentRetracted):
            before = found.get(event.segment_id)
            if before is None or before.outcome != "open":
                continue
            if isinstance(event, SegmentRetracted):
                found[event.segment_id] = replace(before, outcome="retracted", outcome_frame=event.decided_frame)
            elif event.confirmed:
                found[event.segment_id] = replace(
                    before, outcome="confirmed", outcome_frame=event.decided_frame, confirmed_frame=event.frame
                )
    return tuple(found.values())
