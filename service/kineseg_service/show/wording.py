"""What is told, in words: one line for each event, and the summary against what is known."""

from __future__ import annotations

from kineseg import Anomaly, Event, Gap, SegmentClosed, SegmentStarted, Summary

from kineseg_service.show.scores import TOLERANCE_S, Scores


def clock(seconds: float) -> str:
    """Minutes and seconds, ``1:05.3``."""
    tenths = round(max(0.0, seconds) * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def describe(event: Event) -> str:
    """One event in words, without when it was told."""
    match event:
        case SegmentStarted():
            return f"segment {event.segment_id} began at {clock(event.time_s)}, looks like action {event.label}"
        case SegmentClosed():
            length = event.end_time_s - event.start_time_s
            return (
                f"segment {event.segment_id} is action {event.label}: "
                f"{clock(event.start_time_s)} to {clock(event.end_time_s)} ({length:.1f} s)"
            )
        case Anomaly():
            return f"anomaly at {clock(event.time_s)}: score {event.score:.1f}, told from {event.threshold:g} on"
        case Gap():
            frames = count(event.missing_frames, "frame")
            return f"gap at {clock(event.time_s)}: {frames} missing ({event.duration_s:.2f} s), filled"
        case Summary():
            return (
                f"end of stream ({event.reason}): {event.frames} frames, {event.duration_s:.1f} s, "
                f"{count(event.segments, 'segment')}, {count(event.labels, 'action')}, "
                f"{count(event.anomalies, 'anomaly', 'anomalies')}, {count(event.filled_frames, 'filled frame')}"
            )
    return str(event.kind)


def brief(event: Event) -> str:
    """One event in a few words, for where there is little room."""
    match event:
        case SegmentStarted():
            return f"segment {event.segment_id} begins: {event.label}?"
        case SegmentClosed():
            return f"segment {event.segment_id}: action {event.label}, {event.end_time_s - event.start_time_s:.1f} s"
        case Anomaly():
            return f"anomaly at {clock(event.time_s)}, score {event.score:.1f}"
        case Gap():
            return f"gap of {event.duration_s:.2f} s, filled"
        case Summary():
            return f"end of stream ({event.reason})"
    return str(event.kind)


def count(number: int, one: str, many: str = "") -> str:
    """``1 segment``, ``2 segments``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def score_lines(scores: Scores) -> list[tuple[str, str]]:
    """The scores as pairs of what and how much."""
    delay = "-" if scores.delay_s is None else f"{scores.delay_s:.1f} s"
    return [
        (f"boundaries within {TOLERANCE_S:g} s", f"{scores.hits} of {scores.known} known, {scores.found} told"),
        ("precision / recall / F1", f"{scores.precision:.0%} / {scores.recall:.0%} / {scores.f1:.0%}"),
        ("median delay", delay),
        ("time with the right label", f"{scores.accuracy:.0%}"),
    ]
