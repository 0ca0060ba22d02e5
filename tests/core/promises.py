"""What is promised of the events of a whole stream, whoever segmented it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kineseg.v1 import segmentation_pb2 as pb

from tests.same_events import content

ABOUT_SEGMENTS = {"segment_started", "segment_updated", "segment_retracted", "segment_closed"}


@dataclass
class Way:
    """What was emitted about one segment: which of its stages were passed, and where it begins."""

    frame: int
    provisional: bool
    confirmed_at: int | None = None
    retracted: bool = False
    closed: bool = False

    @property
    def over(self) -> bool:
        return self.retracted or self.closed


def ways(emitted: Sequence[pb.Event]) -> dict[int, Way]:
    """What was emitted about each segment, by its id; fails where that may not be."""
    found: dict[int, Way] = {}
    for event in emitted:
        kind = event.WhichOneof("detail")
        if kind not in ABOUT_SEGMENTS:
            continue
        detail = getattr(event, kind)
        if kind != "segment_retracted":
            assert 0.0 <= detail.name_confidence <= 1.0
            assert 0.0 <= detail.repeat_probability <= 1.0
            assert bool(detail.name) == (detail.name_confidence > 0.0)
        if kind in ("segment_started", "segment_updated"):
            assert 0.0 <= detail.confidence <= 1.0
            assert (detail.confidence == 1.0) == detail.confirmed
        if kind == "segment_started":
            assert detail.segment_id not in found
            at = event.decided_frame if detail.confirmed else None
            found[detail.segment_id] = Way(event.frame, provisional=not detail.confirmed, confirmed_at=at)
            continue
        way = found[detail.segment_id]
        assert not way.over, "nothing is emitted about a segment that was closed or retracted"
        if kind == "segment_updated":
            if way.confirmed_at is not None:
                assert detail.confirmed, "what is certain stays certain"
                assert event.frame == way.frame, "a confirmed start never changes"
            elif detail.confirmed:
                way.confirmed_at = event.decided_frame
            way.frame = event.frame
        elif kind == "segment_retracted":
            assert way.confirmed_at is None, "a confirmed segment is never retracted"
            assert event.frame == way.frame
            way.retracted = True
        else:
            assert way.confirmed_at is not None
            assert event.frame == detail.start_frame == way.frame
            way.closed = True
    return found


def anomalies(emitted: Sequence[pb.Event]) -> int:
    """How many were raised; fails where events of an anomaly are not as they must be."""
    going: dict[int, pb.Event] = {}  # the latest event of each that is not over
    raised = 0
    for event in emitted:
        kind = event.WhichOneof("detail")
        if kind not in ("anomaly", "anomaly_updated", "anomaly_cleared"):
            continue
        detail = getattr(event, kind)
        if kind == "anomaly":
            raised += 1
            assert detail.anomaly_id == raised
        else:
            before = going.pop(detail.anomaly_id)
            assert event.frame <= before.frame, "it may turn out to have begun earlier"
            assert detail.severity >= getattr(before, before.WhichOneof("detail")).severity
        assert detail.anomaly_kind != pb.ANOMALY_KIND_UNSPECIFIED
        assert detail.text
        assert detail.severity > 0
        assert not (detail.channels and detail.joints)
        if kind == "anomaly_cleared":
            assert event.frame <= detail.end_frame <= event.decided_frame + 1
            assert detail.duration_s >= 0
        else:
            going[detail.anomaly_id] = event
    assert not going, "all are cleared before the summary"
    return raised


def keeps_promises(emitted: Sequence[pb.Event], decisions: pb.Decisions.ValueType, most_late_s: float = 1e9) -> None:
    """Fails unless the events, to the summary, are what a client that asked for these decisions may get."""
    assert [event.seq for event in emitted] == list(range(1, len(emitted) + 1))
    decided = [event.decided_frame for event in emitted]
    assert decided == sorted(decided)
    assert all(0 <= event.frame <= event.decided_frame for event in emitted)
    kinds = [event.WhichOneof("detail") for event in emitted]
    assert kinds.index("summary") == len(kinds) - 1
    summary = emitted[-1].summary
    segments = ways(emitted)
    assert list(segments) == sorted(segments), "ids rise"
    confirmed = {key: way for key, way in segments.items() if way.confirmed_at is not None}
    for event in emitted:
        kind = event.WhichOneof("detail")
        if kind in ("segment_started", "segment_updated") and getattr(event, kind).confirmed:
            way = segments[getattr(event, kind).segment_id]
            if event.decided_frame == way.confirmed_at:
                assert event.decided_time_s - event.time_s <= most_late_s
    assert summary.anomalies == anomalies(emitted)
    starts = [way.frame for way in confirmed.values()]
    assert starts == sorted(starts)
    if decisions == pb.DECISIONS_FINAL:
        assert not {"segment_updated", "segment_retracted"} & set(kinds)
        assert confirmed == segments
    else:
        assert summary.provisional == sum(way.provisional for way in segments.values())
        assert summary.retracted == sum(way.retracted for way in segments.values())
    assert summary.segments == len(confirmed)
    if decisions == pb.DECISIONS_PROVISIONAL:
        assert "segment_closed" not in kinds
        return
    assert all(way.closed for way in confirmed.values())
    closed = [event.segment_closed for event in emitted if event.HasField("segment_closed")]
    assert [segment.segment_id for segment in closed] == list(confirmed)
    if closed:
        assert [0, *(s.end_frame for s in closed)] == [*(s.start_frame for s in closed), summary.frames]


def agree(everything: Sequence[pb.Event], final: Sequence[pb.Event], early: Sequence[pb.Event]) -> None:
    """Fails unless these are one stream, as sent to clients that asked for all, final and provisional decisions."""
    assert _unnumbered(early) == [e for e in _unnumbered(everything) if not e.HasField("segment_closed")]
    certain = {key: way for key, way in ways(everything).items() if way.confirmed_at is not None}
    assert [(key, w.frame, w.confirmed_at) for key, w in ways(final).items()] == [
        (key, w.frame, w.confirmed_at) for key, w in certain.items()
    ]
    assert _but_starts(final) == _but_starts(everything)


def _but_starts(emitted: Sequence[pb.Event]) -> list[pb.Event]:
    passing = ("segment_started", "segment_updated", "segment_retracted")
    return [event for event in _unnumbered(emitted) if event.WhichOneof("detail") not in passing]


def _unnumbered(emitted: Sequence[pb.Event]) -> list[pb.Event]:
    """The events without their numbers, which count what is emitted."""
    events = content(emitted)
    for event in events:
        event.ClearField("seq")
    return events
