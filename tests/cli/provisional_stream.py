"""A stream made by hand: provisional segments, some of them moved, relabelled or retracted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from kineseg import Event, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated
from kineseg.motion import Annotation, Recording
from kineseg_cli.show.stream_history import StreamHistory

RATE = 10.0
T = TypeVar("T", bound=Event)


@dataclass(frozen=True)
class Change:
    """A change of action: where it is, when it is confirmed, and how it was first reported; seconds."""

    time: float
    confirmed: float
    label: int
    reported: float | None = None
    first_time: float | None = None
    first_label: int | None = None
    confidence: float = 0.8


@dataclass(frozen=True)
class Mistake:
    """A provisional change that was retracted; seconds."""

    time: float
    reported: float
    retracted: float
    label: int = 9
    confidence: float = 0.4


def event(kind: type[T], time: float, decided: float, **details: Any) -> T:
    """An event about one time, decided at another, in seconds."""
    return kind(
        seq=0,
        frame=round(time * RATE),
        time_s=time,
        decided_frame=round(decided * RATE),
        decided_time_s=decided,
        **details,
    )


def emitted(changes: Sequence[Change], mistakes: Sequence[Mistake] = (), *, end: float) -> list[Event]:
    """The events of a stream that ends at `end`, in the order in which they are emitted."""
    first = [(min(c.reported if c.reported is not None else c.confirmed, c.confirmed), c) for c in changes]
    first += [(mistake.reported, mistake) for mistake in mistakes]  # type: ignore[misc]
    ids = {id(what): i for i, (_, what) in enumerate(sorted(first, key=lambda one: one[0]), start=1)}
    events: list[tuple[float, int, Event]] = [(0.0, 0, event(SegmentStarted, 0.0, 0.0, segment_id=0, label=0))]
    closing = [Change(0.0, 0.0, 0), *changes]
    for change in changes:
        final: dict[str, Any] = {"segment_id": ids[id(change)], "label": change.label}
        if change.reported is None:
            events.append((change.confirmed, 1, event(SegmentStarted, change.time, change.confirmed, **final)))
            continue
        provisional = {
            "segment_id": ids[id(change)],
            "label": change.label if change.first_label is None else change.first_label,
            "confidence": change.confidence,
            "confirmed": False,
        }
        start = change.time if change.first_time is None else change.first_time
        events.append((change.reported, 1, event(SegmentStarted, start, change.reported, **provisional)))
        confirmed = event(SegmentUpdated, change.time, change.confirmed, confidence=1.0, confirmed=True, **final)
        events.append((change.confirmed, 2, confirmed))
    for mistake in mistakes:
        about: dict[str, Any] = {"segment_id": ids[id(mistake)]}
        provisional = {"label": mistake.label, "confidence": mistake.confidence, "confirmed": False}
        events.append(
            (mistake.reported, 1, event(SegmentStarted, mistake.time, mistake.reported, **about, **provisional))
        )
        events.append((mistake.retracted, 0, event(SegmentRetracted, mistake.time, mistake.retracted, **about)))
    for change, after in zip(closing, [*changes, None], strict=True):
        stop, decided = (end, end) if after is None else (after.time, after.confirmed)
        closed = event(
            SegmentClosed,
            change.time,
            decided,
            segment_id=ids.get(id(change), 0),
            label=change.label,
            start_frame=round(change.time * RATE),
            end_frame=round(stop * RATE),
            start_time_s=change.time,
            end_time_s=stop,
        )
        events.append((decided, 3, closed))
    return [replace(one, seq=i) for i, (_, _, one) in enumerate(sorted(events, key=lambda one: one[:2]), start=1)]


def history(events: Sequence[Event], *, truth: Annotation | None = None, seconds: float = 40.0) -> StreamHistory:
    """The history of a stream of two sensors with these events."""
    times = np.arange(round(seconds * RATE)) / RATE
    frames = np.stack([np.sin(times), times / 40], axis=1)
    made = StreamHistory(Recording(frames, RATE, ("current", "voltage"), name="two sensors", truth=truth))
    for one in events:
        made.add(one)
    return made
