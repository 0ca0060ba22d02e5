"""Events: typed, immutable, the same after a way through JSON; and what the wire says becomes what the events say."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import kineseg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb

from tests.sdk.synthetic_events import EVENTS

BASE = {"seq", "kind", "frame", "time_s", "decided_frame", "decided_time_s"}
OWN = {
    "segment_started": {"segment_id", "label", "confidence", "confirmed", "start_frame", "repeat_probability"},
    "segment_updated": {"segment_id", "label", "confidence", "confirmed", "start_frame", "repeat_probability"},
    "segment_retracted": {"segment_id"},
    "segment_closed": {
        *("segment_id", "label", "start_frame", "end_frame", "start_time_s", "end_time_s", "repeat_probability"),
    },
    "labels_merged": {"label", "into"},
    "anomaly": {"anomaly_id", "anomaly_kind", "anomaly_class", "severity", "text"},
    "anomaly_updated": {"anomaly_id", "anomaly_kind", "anomaly_class", "severity", "text"},
    "anomaly_cleared": {
        *("anomaly_id", "anomaly_kind", "anomaly_class", "severity", "text"),
        *("end_frame", "end_time_s", "duration_s"),
    },
    "gap": {"missing_frames", "duration_s", "cuts"},
    "missing_values": {"channels", "duration_s", "returned"},
    "summary": {
        *("frames", "duration_s", "segments", "labels", "anomalies", "filled_frames", "reason"),
        *("provisional", "retracted", "missing_values"),
    },
}
# There only where it says something.
WHERE_KNOWN = {
    "segment_started": {"name", "name_confidence"},
    "segment_updated": {"name", "name_confidence"},
    "segment_closed": {"name", "name_confidence", "embedding"},
    "anomaly": {"channels", "joints", "rule"},
    "anomaly_updated": {"channels", "joints", "rule"},
    "anomaly_cleared": {"channels", "joints", "rule"},
    "summary": {"model", "model_sha256"},
}
IDENTITY = {"id", "stream_id", "emitted_at"}
# What may be absent: files of earlier versions lack it.
OPTIONAL = {
    "segment_started": {
        *("confidence", "confirmed", "start_frame", "repeat_probability"),
        *WHERE_KNOWN["segment_started"],
    },
    "segment_updated": {"start_frame", "repeat_probability", *WHERE_KNOWN["segment_updated"]},
    "segment_closed": {"repeat_probability", *WHERE_KNOWN["segment_closed"]},
    "anomaly": {"anomaly_class", *WHERE_KNOWN["anomaly"]},
    "anomaly_updated": {"anomaly_class", *WHERE_KNOWN["anomaly_updated"]},
    "anomaly_cleared": {"anomaly_class", *WHERE_KNOWN["anomaly_cleared"]},
    "gap": {"cuts"},
    "summary": {"provisional", "retracted", "missing_values", *WHERE_KNOWN["summary"]},
}


@given(EVENTS)
def test_an_event_survives_json(event: kineseg.Event) -> None:
    flat = json.loads(json.dumps(event.to_dict()))
    known = {key for key in WHERE_KNOWN.get(flat["kind"], ()) if getattr(event, key)}
    known |= {"id", "stream_id"} if event.stream_id else set()
    known |= {"emitted_at"} if event.emitted_unix_ns is not None else set()
    assert set(flat) - {"capture_time_ns"} == BASE | OWN[flat["kind"]] | known
    assert ("capture_time_ns" in flat) == (event.capture_time_ns is not None)
    assert kineseg.event_from_dict(flat) == event
    for entry in dataclasses.fields(event):  # a choice comes back as one, not as its word
        assert type(getattr(kineseg.event_from_dict(flat), entry.name)) is type(getattr(event, entry.name))
    assert kineseg.event_from_dict({**flat, "a later version's key": 1}) == event


@given(EVENTS)
def test_an_event_cannot_be_changed(event: kineseg.Event) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.seq = 1  # type: ignore[misc]


@given(EVENTS, st.data())
def test_a_missing_key_is_named(event: kineseg.Event, data: st.DataObject) -> None:
    flat = event.to_dict()
    needed = sorted(set(flat) - {"capture_time_ns", "kind"} - IDENTITY - OPTIONAL.get(str(event.kind), set()))
    missing = data.draw(st.sampled_from(needed))
    del flat[missing]
    with pytest.raises(kineseg.InvalidRequest, match=missing) as caught:
        kineseg.event_from_dict(flat)
    assert caught.value.field == missing


def test_events_written_before_there_were_provisional_segments_are_certain() -> None:
    about = {"seq": 1, "frame": 5, "time_s": 0.5, "decided_frame": 9, "decided_time_s": 0.9}
    started = kineseg.event_from_dict({"kind": "segment_started", **about, "segment_id": 0, "label": 3})
    assert started == kineseg.SegmentStarted(**about, segment_id=0, label=3, confidence=1.0, confirmed=True)


def test_an_event_has_an_id_of_its_own_and_a_time_that_log_tools_read() -> None:
    event = kineseg.SegmentRetracted(
        stream_id="019ac2d8-5b1c-7aaa-8bbb-000000000001", seq=12, emitted_unix_ns=1_764_205_323_000_004_999, frame=5,
        time_s=0.5, decided_frame=9, decided_time_s=0.9, segment_id=3,
    )  # fmt: skip
    assert event.id == "019ac2d8-5b1c-7aaa-8bbb-000000000001:12"
    flat = event.to_dict()
    assert list(flat)[:5] == ["id", "stream_id", "seq", "kind", "emitted_at"]
    assert (flat["id"], flat["emitted_at"]) == (event.id, "2025-11-27T01:02:03.000004Z")
    read = kineseg.event_from_dict({**flat, "emitted_at": "2025-11-27T03:02:03.000004+02:00"})
    assert read == dataclasses.replace(event, emitted_unix_ns=1_764_205_323_000_004_000)


@pytest.mark.parametrize("said", ["yesterday", "", None, 1764205323, "2025-11-27T01:02:03", "2025-13-27T01:02:03Z"])
def test_a_time_of_emission_that_is_none_is_refused(said: object) -> None:
    about = {"seq": 1, "frame": 5, "time_s": 0.5, "decided_frame": 9, "decided_time_s": 0.9}
    with pytest.raises(kineseg.InvalidRequest, match="emitted_at must be a time such as") as caught:
        kineseg.event_from_dict({"kind": "labels_merged", **about, "label": 1, "into": 0, "emitted_at": said})
    assert caught.value.field == "emitted_at"


@pytest.mark.parametrize("kind", [None, "", "unknown", "segment_opened"])
def test_an_unknown_kind_is_refused_with_the_known_ones(kind: str | None) -> None:
    with pytest.raises(kineseg.InvalidRequest, match="segment_closed") as caught:
        kineseg.event_from_dict({"kind": kind})
    assert caught.value.field == "kind"


def test_an_unknown_end_reason_is_refused() -> None:
    event = kineseg.Summary(
        seq=1,
        frame=0,
        time_s=0,
        decided_frame=0,
        decided_time_s=0,
        frames=1,
        duration_s=0,
        segments=0,
        labels=0,
        anomalies=0,
        filled_frames=0,
        reason=kineseg.EndReason.COMPLETED,
    )
    with pytest.raises(kineseg.InvalidRequest) as caught:
        kineseg.event_from_dict({**event.to_dict(), "reason": "bored"})
    assert caught.value.field == "reason"
    assert "idle" in caught.value.message


def test_every_message_of_the_wire_becomes_its_value(connect: Any, scripted: Any, script: ModuleType) -> None:
    about = {"frame": 7, "time_s": 0.5, "decided_frame": 9, "decided_time_s": 0.75}
    about |= {"stream_id": "019ac2d8-5b1c-7aaa-8bbb-000000000001", "emitted_unix_ns": 1_764_205_323_000_004_000}
    closed = {"segment_id": 3, "label": 5, "start_frame": 7, "end_frame": 8, "start_time_s": 0.5, "end_time_s": 0.6}
    closed |= {"name": "walking", "name_confidence": 0.75, "embedding": (0.5, -2.0), "repeat_probability": 0.625}
    known = {"segment_id": 3, "label": 4, "confidence": 0.8, "confirmed": False}
    known |= {"name": "run", "name_confidence": 0.5, "repeat_probability": 0.25}
    ran = {"model": "scripted", "model_sha256": "5" * 64}
    totals = {"frames": 9, "duration_s": 0.9, "segments": 4, "labels": 2, "anomalies": 1, "filled_frames": 6}
    totals |= {"provisional": 3, "retracted": 1, "missing_values": 8}
    said = {"anomaly_id": 2, "severity": 0.25, "channels": ("c1",), "joints": ("head", "neck"), "text": "head frozen"}
    numbers = {"anomaly_kind": pb.ANOMALY_KIND_FROZEN, "anomaly_class": pb.ANOMALY_CLASS_FAULT}
    ends = {"end_frame": 8, "end_time_s": 0.6, "duration_s": 0.1}
    missing = {"channels": ("c2", "c0"), "duration_s": 0.25, "returned": True}
    sent = [
        pb.Event(seq=1, **about, capture_time_ns=11, segment_started=pb.SegmentStarted(**known)),
        pb.Event(seq=2, **about, segment_closed=pb.SegmentClosed(**closed)),
        pb.Event(seq=3, **about, capture_time_ns=0, anomaly=pb.AnomalyRaised(**said, **numbers)),
        pb.Event(seq=11, **about, anomaly_updated=pb.AnomalyUpdated(**said, anomaly_kind=99, anomaly_class=9)),
        pb.Event(seq=12, **about, anomaly_cleared=pb.AnomalyCleared(**said, **ends, **numbers)),
        pb.Event(seq=4, **about, gap=pb.Gap(missing_frames=2, duration_s=0.25)),
        pb.Event(seq=5, **about),  # what a kind of a newer server looks like
        pb.Event(seq=6, **about, segment_updated=pb.SegmentUpdated(**known | {"confidence": 1, "confirmed": True})),
        pb.Event(seq=7, **about, segment_retracted=pb.SegmentRetracted(segment_id=3)),
        pb.Event(seq=8, **about, labels_merged=pb.LabelsMerged(label=4, into=2)),
        pb.Event(seq=9, **about, missing_values=pb.MissingValues(**missing)),
        pb.Event(seq=10, **about, summary=pb.Summary(**totals, **ran, reason=pb.END_REASON_CLOSED)),
    ]
    result = pb.FrameResult(frame=8, time_s=0.6, surprise=0.5, anomaly_score=1.5, embedding=[0.25, -1], label=4)

    def say_all(requests: Any, context: Any) -> Iterator[pb.SegmentResponse]:
        next(requests)
        yield script.opened()
        yield pb.SegmentResponse(frame_result=result)
        yield from (pb.SegmentResponse(event=event) for event in sent)

    scripted.segment = say_all
    with connect(scripted.address).stream(rate=30) as stream:
        frame, *events = list(stream)
    named = {"anomaly_kind": kineseg.AnomalyKind.FROZEN, "anomaly_class": kineseg.AnomalyClass.FAULT}
    newer = {"anomaly_kind": kineseg.AnomalyKind.UNKNOWN, "anomaly_class": kineseg.AnomalyClass.UNKNOWN}
    assert events == [
        kineseg.SegmentStarted(seq=1, **about, capture_time_ns=11, **known),
        kineseg.SegmentClosed(seq=2, **about, **closed),
        kineseg.AnomalyRaised(seq=3, **about, capture_time_ns=0, **said, **named),
        kineseg.AnomalyUpdated(seq=11, **about, **said, **newer),
        kineseg.AnomalyCleared(seq=12, **about, **said, **ends, **named),
        kineseg.Gap(seq=4, **about, missing_frames=2, duration_s=0.25),
        kineseg.Event(seq=5, **about),
        kineseg.SegmentUpdated(seq=6, **about, **known | {"confidence": 1.0, "confirmed": True}),
        kineseg.SegmentRetracted(seq=7, **about, segment_id=3),
        kineseg.LabelsMerged(seq=8, **about, label=4, into=2),
        kineseg.MissingValues(seq=9, **about, **missing),
        kineseg.Summary(seq=10, **about, **totals, **ran, reason=kineseg.EndReason.CLOSED),
    ]
    assert events[0].start_frame == events[7].start_frame == 7
    assert events[1].segment == kineseg.Segment(**closed)
    assert events[-1].totals == kineseg.Totals(**totals, reason=kineseg.EndReason.CLOSED)
    assert stream.summary == events[-1]
    assert (frame.frame, frame.time_s, frame.surprise, frame.anomaly_score, frame.label) == (8, 0.6, 0.5, 1.5, 4)
    np.testing.assert_array_equal(frame.embedding, np.float32([0.25, -1]))
    with pytest.raises(ValueError, match="read-only"):
        frame.embedding[0] = 1
