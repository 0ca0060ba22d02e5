"""The core, the contract and the SDK say the same of every event: what is converted goes by the names of its fields."""

from __future__ import annotations

import dataclasses
import enum

import kineseg
import pytest
from kineseg._events import EVENT_TYPES, EventKind
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core import anomalies
from kineseg_core import events as core

KINDS = {name: kind for kind, name in core.KIND_NAMES.items()}
# What the SDK calls otherwise than the contract does, and why.
RENAMED = {"frame_rate_hz": "rate"}  # as it is called wherever the SDK takes it
# What the SDK deals with itself, and what the server adds.
UNSEEN = {"resumed", "durable_frames"}


def of(kind: object) -> set[str]:
    return {entry.name for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]


def of_message(kind: object) -> set[str]:
    return {RENAMED.get(name, name) for name in kind.DESCRIPTOR.fields_by_name}  # type: ignore[attr-defined]


def test_there_are_the_same_kinds_everywhere() -> None:
    kinds = set(KINDS)
    assert set(map(str, EVENT_TYPES)) == kinds
    assert {field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["detail"].fields} == kinds
    values = {name.removeprefix("EVENT_KIND_").lower() for name in pb.EventKind.keys()}  # noqa: SIM118
    assert values == kinds | {"unspecified"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_the_same_fields_everywhere(kind: str) -> None:
    message = pb.Event.DESCRIPTOR.fields_by_name[kind].message_type
    assert of(KINDS[kind]) == set(message.fields_by_name)
    assert of(EVENT_TYPES[EventKind(kind)]) - of(kineseg.Event) == of(KINDS[kind])
    assert message.name == KINDS[kind].__name__ == EVENT_TYPES[EventKind(kind)].__name__


def test_all_events_have_the_same_fields_everywhere() -> None:
    about = of(kineseg.Event)
    assert about == of(core.Event) - {"detail"} == of_message(pb.Event) - set(KINDS)


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        (kineseg.Opened, pb.Opened),
        (kineseg.Model, pb.Model),
        (kineseg.SessionInfo, pb.Session),
        (kineseg.Segment, pb.SegmentClosed),
        (kineseg.TaughtName, pb.TaughtName),
        (kineseg.FrameResult, pb.FrameResult),
        (core.FrameResult, pb.FrameResult),
        (core.Ack, pb.Ack),
    ],
)
def test_what_is_no_event_has_the_fields_of_its_message_too(ours: type, message: type) -> None:
    assert of(ours) == of_message(message) - UNSEEN


@pytest.mark.parametrize(
    ("ours", "sdk", "contract", "prefix", "extra"),
    [
        (core.EndReason, kineseg.EndReason, pb.EndReason, "END_REASON_", {"unspecified"}),
        (anomalies.AnomalyClass, kineseg.AnomalyClass, pb.AnomalyClass, "ANOMALY_CLASS_", {"unknown"}),
        (anomalies.AnomalyKind, kineseg.AnomalyKind, pb.AnomalyKind, "ANOMALY_KIND_", {"unknown"}),
    ],
)
def test_choices_are_the_same_everywhere(
    ours: type[enum.Enum], sdk: type[enum.Enum], contract: object, prefix: str, extra: set[str]
) -> None:
    known = {choice.value for choice in ours}
    assert {choice.name.lower() for choice in ours} == known
    assert {choice.value for choice in sdk} == known | extra
    names = {name.removeprefix(prefix).lower() for name in contract.keys()}  # noqa: SIM118  # type: ignore[attr-defined]
    assert names == known | {"unspecified"}
