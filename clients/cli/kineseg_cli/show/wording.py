"""Events in words, one line each, and the agreement with what is known."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg import (
    AnomalyClass,
    AnomalyCleared,
    AnomalyRaised,
    AnomalyUpdated,
    Event,
    Gap,
    LabelsMerged,
    MissingValues,
    SegmentClosed,
    SegmentRetracted,
    SegmentStarted,
    SegmentUpdated,
    Summary,
)

from kineseg_cli.show.agreement import TOLERANCE_S, Agreement, BoundaryAgreement
from kineseg_cli.show.segment_versions import ProvisionalReport

_HOURS_OF_A_YEAR = 365.25 * 24


def clock(seconds: float) -> str:
    """Minutes and seconds, ``1:05.3``."""
    tenths = round(max(0.0, seconds) * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def describe(event: Event, before: Event | None = None) -> str:
    """One event in words, without when it was emitted; `before` is the last event about the same segment."""
    match event:
        case SegmentStarted(confirmed=False):
            return (
                f"segment {event.segment_id} began at {clock(event.time_s)}, looks like {_action(event)} "
                f"{_provisional(event)}"
            )
        case SegmentStarted():
            return f"segment {event.segment_id} began at {clock(event.time_s)}, looks like {_action(event)}"
        case SegmentUpdated():
            return _update(event, before)
        case SegmentRetracted():
            return f"segment {event.segment_id} is retracted: nothing new began at {clock(event.time_s)}"
        case LabelsMerged():
            return f"actions {event.label} and {event.into} are one, {event.into} from now on"
        case SegmentClosed():
            length = event.end_time_s - event.start_time_s
            return (
                f"segment {event.segment_id} is {_action(event)}: "
                f"{clock(event.start_time_s)} to {clock(event.end_time_s)} ({length:.1f} s)"
            )
        case AnomalyRaised():
            return f"anomaly {event.anomaly_id} from {clock(event.time_s)} on: {event.text} ({_sort(event)})"
        case AnomalyUpdated():
            return f"anomaly {event.anomaly_id} goes on: {event.text} ({_sort(event)})"
        case AnomalyCleared():
            return (
                f"anomaly {event.anomaly_id} is over: {event.text} ({_sort(event)}), "
                f"{clock(event.time_s)} to {clock(event.end_time_s)}"
            )
        case Gap():
            frames = count(event.missing_frames, "frame")
            what = "too long to be filled, a new segment begins after it" if event.cuts else "filled"
            return f"gap at {clock(event.time_s)}: {frames} missing ({event.duration_s:.2f} s), {what}"
        case MissingValues():
            where, channels = f"from {clock(event.time_s)} on", _some(event.channels)
            if event.returned:
                return f"values were missing {where} for {event.duration_s:.1f} s and are back: {channels}"
            return f"values are missing {where}, filled with the last ones: {channels}"
        case Summary():
            return (
                f"end of stream ({event.reason}): {event.frames} frames, {event.duration_s:.1f} s, "
                f"{count(event.segments, 'segment')}, {count(event.labels, 'action')}, "
                f"{count(event.anomalies, 'anomaly', 'anomalies')}, {count(event.filled_frames, 'filled frame')}"
                + (f", {count(event.missing_values, 'missing value')}" if event.missing_values else "")
                + (f", {_retractions(event)}" if event.provisional else "")
            )
    return str(event.kind)


def _sort(event: AnomalyRaised | AnomalyUpdated | AnomalyCleared) -> str:
    kind = event.anomaly_kind.replace("_", " ")
    about = f"{event.anomaly_class}: " if event.anomaly_class is AnomalyClass.BEHAVIOUR else ""
    return f"{about}{kind}, {rarity(event.severity, event.rule)}"


def _retractions(event: Summary) -> str:
    return f"{count(event.provisional, 'provisional segment')} ({event.retracted} retracted)"


def rarity(severity: float, rule: str = "") -> str:
    """How rare an anomaly is, in words: once in so many hours; or which rule makes it one."""
    if rule:
        return f"as {rule} says"
    if severity < 1.0:
        return f"once in {severity * 60:.1f} minutes"
    if severity < 48.0:
        return f"once in {severity:.1f} hours"
    if severity < 0.9 * _HOURS_OF_A_YEAR:
        return f"once in {severity / 24:.1f} days"
    return "once in a year or less"


def gap_fate(gap: Gap) -> str:
    """What became of a gap, in a word."""
    return "not filled" if gap.cuts else "filled"


def _action(event: SegmentStarted | SegmentUpdated | SegmentClosed) -> str:
    """``action 3``, and what that is called."""
    return f"action {event.label} ({event.name})" if event.name else f"action {event.label}"


def _provisional(event: SegmentStarted | SegmentUpdated) -> str:
    return f"(provisional, confidence {event.confidence:.0%})"


def _update(event: SegmentUpdated, before: Event | None) -> str:
    """What is new of a segment since the last event about it."""
    known = before if isinstance(before, SegmentStarted | SegmentUpdated) else None
    what = _action(event)
    if known is not None and event.label != known.label:
        what += f", not {known.label},"
    if known is not None and known.confirmed:
        return f"segment {event.segment_id} looks like {what.rstrip(',')}"
    where = f"from {clock(event.time_s)}"
    shift_s = 0.0 if known is None else event.time_s - known.time_s
    if abs(shift_s) >= 0.05:
        where += f", {abs(shift_s):.1f} s {'later' if shift_s > 0 else 'earlier'} than reported before"
    if event.confirmed:
        return f"segment {event.segment_id} is confirmed: {what} {where}"
    return f"segment {event.segment_id} looks like {what} {where} {_provisional(event)}"


def brief(event: Event) -> str:
    """One event in a few words, for where there is little room."""
    match event:
        case SegmentStarted(confirmed=False):
            return f"segment {event.segment_id}: {event.name or event.label}? {event.confidence:.0%}"
        case SegmentStarted():
            return f"segment {event.segment_id} begins: {event.name or event.label}"
        case SegmentUpdated(confirmed=True):
            return f"segment {event.segment_id} confirmed: {event.name or event.label}"
        case SegmentUpdated():
            return f"segment {event.segment_id}: {event.name or event.label}? {event.confidence:.0%}"
        case SegmentRetracted():
            return f"segment {event.segment_id} retracted"
        case LabelsMerged():
            return f"action {event.label} is {event.into}"
        case SegmentClosed():
            length = event.end_time_s - event.start_time_s
            return f"segment {event.segment_id}: {event.name or f'action {event.label}'}, {length:.1f} s"
        case AnomalyRaised():
            return f"anomaly {event.anomaly_id}: {event.anomaly_kind.replace('_', ' ')}"
        case AnomalyUpdated():
            return f"anomaly {event.anomaly_id} goes on: {event.anomaly_kind.replace('_', ' ')}"
        case AnomalyCleared():
            return f"anomaly {event.anomaly_id} over, {event.duration_s:.1f} s"
        case Gap():
            return f"gap of {event.duration_s:.2f} s, {gap_fate(event)}"
        case MissingValues():
            channels = count(len(event.channels), "channel")
            return (
                f"{channels} back after {event.duration_s:.1f} s" if event.returned else f"{channels} missing, filled"
            )
        case Summary():
            return f"end of stream ({event.reason})"
    return str(event.kind)


def _some(channels: Sequence[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(channels[:most]) + (f" and {len(channels) - most} more" if len(channels) > most else "")


def count(number: int, one: str, many: str = "") -> str:
    """``1 segment``, ``2 segments``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def outcomes(provisional: Sequence[ProvisionalReport]) -> str:
    """Number of provisional segments and what became of them: ``7 reported, 5 confirmed, 2 retracted``."""
    kept, lost = (sum(one.outcome == outcome for one in provisional) for outcome in ("confirmed", "retracted"))
    waiting = len(provisional) - kept - lost
    return f"{len(provisional)} reported, {kept} confirmed, {lost} retracted" + (f", {waiting} open" if waiting else "")


def agreement_lines(agreement: Agreement) -> list[tuple[str, str]]:
    """The agreement as lines of a name and a value."""
    lines = _boundary_lines("confirmed boundaries", agreement.confirmed)
    if agreement.provisional is not None:
        lines += _boundary_lines("boundaries as first reported", agreement.provisional)
    return [*lines, ("time with the right label", f"{agreement.accuracy:.0%}")]


def _boundary_lines(name: str, agreement: BoundaryAgreement) -> list[tuple[str, str]]:
    delay = "-" if agreement.delay_s is None else f"{agreement.delay_s:.1f} s"
    return [
        (name, f"{agreement.hits} of {agreement.known} known within {TOLERANCE_S:g} s, {agreement.found} reported"),
        ("  precision / recall / F1", f"{agreement.precision:.0%} / {agreement.recall:.0%} / {agreement.f1:.0%}"),
        ("  median delay", delay),
    ]
