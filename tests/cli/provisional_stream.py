"""A stream told by hand: segments announced early, some of them moved, relabelled or withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from kineseg import Event, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated
from kineseg.motion import Annotation, Recording
from kineseg_cli.show.stream_history import Story

RATE = 10.0
T = TypeVar("T", bound=Event)


@dataclass(frozen=True)
class Change:
    """A change of action: where it is for good, when it is certain, and what was said of it before; seconds."""

    time: float
    told: float
    label: int
    announced: float | None = None
    said_time: float | None = None
    said_label: int | None = None
    confidence: float = 0.8


@dataclass(frozen=True)
class Mistake:
    """A change that was announced and withdrawn; seconds."""

    time: float
    announced: float
    withdrawn: float
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


def told(changes: Sequence[Change], mistakes: Sequence[Mistake] = (), *, end: float) -> list[Event]:
    """The events of a stream that ends at `end`, in the order in which they are told."""
    first_said = [(min(c.announced if c.announced is not None else c.told, c.told), c) for c in changes]
    first_said += [(mistake.announced, mistake) for mistake in mistakes]  # type: ignore[misc]
    ids = {id(what): i for i, (_, what) in enumerate(sorted(first_said, key=lambda one: one[0]), start=1)}
    events: list[tuple[float, int, Event]] = [(0.0, 0, event(SegmentStarted, 0.0, 0.0, segment_id=0, label=0))]
    closing = [Change(0.0, 0.0, 0), *changes]
    for change in changes:
        sure: dict[str, Any] = {"segment_id": ids[id(change)], "label": change.label}
        if change.announced is None:
            events.append((change.told, 1, event(SegmentStarted, change.time, change.told, **sure)))
            continue
        maybe = {
            "segment_id": ids[id(change)],
            "label": change.label if change.said_label is None else change.said_label,
            "confidence": change.confidence,
            "confirmed": False,
        }
        said = change.time if change.said_time is None else change.said_time
        events.append((change.announced, 1, event(SegmentStarted, said, change.announced, **maybe)))
        certain = event(SegmentUpdated, change.time, change.told, confidence=1.0, confirmed=True, **sure)
        events.append((change.told, 2, certain))
    for mistake in mistakes:
        about: dict[str, Any] = {"segment_id": ids[id(mistake)]}
        maybe = {"label": mistake.label, "confidence": mistake.confidence, "confirmed": False}
        events.append((mistake.announced, 1, event(SegmentStarted, mistake.time, mistake.announced, **about, **maybe)))
        events.append((mistake.withdrawn, 0, event(SegmentRetracted, mistake.time, mistake.withdrawn, **about)))
    for change, after in zip(closing, [*changes, None], strict=True):
        stop, decided = (end, end) if after is None else (after.time, after.told)
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


def story(events: Sequence[Event], *, truth: Annotation | None = None, seconds: float = 40.0) -> Story:
    """The story of two sensors of which these events are told."""
    times = np.arange(round(seconds * RATE)) / RATE
    frames = np.stack([np.sin(times), times / 40], axis=1)
    made = Story(Recording(frames, RATE, ("current", "voltage"), name="two sensors", truth=truth))
    for one in events:
        made.add(one)
    return made
