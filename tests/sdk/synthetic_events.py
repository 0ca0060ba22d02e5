"""Events of every kind with any values that they may have."""

from __future__ import annotations

import dataclasses

import kineseg
from hypothesis import strategies as st

whole = st.integers(0, 2**53)
real = st.floats(0, 1e9)
share = st.floats(0, 1)
ABOUT = {
    "seq": st.integers(1, 2**53),
    "frame": whole,
    "time_s": real,
    "decided_frame": whole,
    "decided_time_s": real,
    "capture_time_ns": st.none() | st.integers(0, 2**62),
    "stream_id": st.just("") | st.uuids().map(str),
    "emitted_unix_ns": st.none() | st.integers(0, 2**63 // 1000 - 1).map(lambda us: us * 1000),
}


def events_of(kind: type[kineseg.Event]) -> st.SearchStrategy[kineseg.Event]:
    by_type = {"int": whole, "float": real, "bool": st.booleans(), "EndReason": st.sampled_from(kineseg.EndReason)}
    by_type["tuple[str, ...]"] = st.lists(st.text()).map(tuple)
    by_type["tuple[float, ...]"] = st.lists(st.floats(-1e9, 1e9, width=32)).map(tuple)
    by_type["AnomalyClass"] = st.sampled_from(kineseg.AnomalyClass)
    by_type["AnomalyKind"] = st.sampled_from(kineseg.AnomalyKind)
    by_type["str"] = st.text()
    by_name = {"anomaly_id": st.integers(1, 2**53)}
    by_name |= dict.fromkeys(("confidence", "name_confidence", "repeat_probability"), share)
    own = {f.name: by_name.get(f.name, by_type[str(f.type)]) for f in dataclasses.fields(kind) if f.name not in ABOUT}
    return st.builds(kind, **ABOUT, **own)


KINDS = (
    kineseg.SegmentStarted,
    kineseg.SegmentUpdated,
    kineseg.SegmentRetracted,
    kineseg.SegmentClosed,
    kineseg.LabelsMerged,
    kineseg.AnomalyRaised,
    kineseg.AnomalyUpdated,
    kineseg.AnomalyCleared,
    kineseg.Gap,
    kineseg.MissingValues,
    kineseg.Summary,
)
EVENTS = st.one_of([events_of(kind) for kind in KINDS])
