"""Events as streams have them, made here: of every kind that sinks treat differently."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import kineseg
from kineseg.sinks import SinkEvent

STREAMS = {"line-1": "0198f3c2-6a3e-7c1d-9b52-0d5a6d0c7f11", "Übung 2/+#": "0198f3c2-6a3e-7c1d-9b52-0d5a6d0c7f12"}
EMITTED_NS = 1_795_000_000_000_000_000


def events_of(session: str, count: int) -> list[SinkEvent]:
    """The first events of a stream: a segment that comes, changes and ends, and an anomaly, over and over."""
    return [SinkEvent(event.to_dict(), session) for event in islice(_events(STREAMS[session]), count)]


def events(count: int) -> list[SinkEvent]:
    """Events of all streams in turn."""
    each = [events_of(session, count) for session in STREAMS]
    return [event for turn in zip(*each, strict=True) for event in turn][:count]


def _events(stream_id: str) -> Iterator[kineseg.Event]:
    for seq, make in enumerate(cycle((_started, _confirmed, _raised, _cleared, _closed)), start=1):
        frame = 100 * seq
        about = {
            "stream_id": stream_id, "seq": seq, "emitted_unix_ns": EMITTED_NS + seq * 1_000_000_000, "frame": frame,
            "time_s": frame / 30, "decided_frame": frame + 60, "decided_time_s": frame / 30 + 2,
        }  # fmt: skip
        yield make(about, (seq + 4) // 5)


def _started(about: dict[str, object], number: int) -> kineseg.Event:
    return kineseg.SegmentStarted(**about, segment_id=number, label=1, confidence=0.5, confirmed=False)  # type: ignore[arg-type]


def _confirmed(about: dict[str, object], number: int) -> kineseg.Event:
    return kineseg.SegmentUpdated(**about, segment_id=number, label=1, confidence=1.0, confirmed=True)  # type: ignore[arg-type]


def _closed(about: dict[str, object], number: int) -> kineseg.Event:
    return kineseg.SegmentClosed(
        **about, segment_id=number, label=1, name="squat", name_confidence=0.9, start_frame=int(str(about["frame"])),
        end_frame=2000, start_time_s=3.0, end_time_s=66.0, embedding=(0.25, -1.5),
    )  # type: ignore[arg-type]  # fmt: skip


def _anomaly(about: dict[str, object], number: int) -> dict[str, object]:
    return about | {
        "anomaly_id": number, "anomaly_kind": kineseg.AnomalyKind.FROZEN, "severity": 12.0,
        "text": "left wrist frozen for 2.1 s", "joints": ("left_wrist",),
    }  # fmt: skip


def _raised(about: dict[str, object], number: int) -> kineseg.Event:
    return kineseg.AnomalyRaised(**_anomaly(about, number))  # type: ignore[arg-type]


def _cleared(about: dict[str, object], number: int) -> kineseg.Event:
    return kineseg.AnomalyCleared(**_anomaly(about, number), end_frame=200, end_time_s=7.0, duration_s=2.0)  # type: ignore[arg-type]
