"""The published schema says what events look like in JSON, and nothing that it does not say is one."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from kineseg._events import EVENT_TYPES

from tests.event_schema import check_event, check_events, is_event
from tests.sdk.synthetic_events import EVENTS, KINDS

GENERATE = Path(__file__).parents[2] / "clients" / "python" / "generate_schema.py"
SOME_STREAM = "019ac2d8-5b1c-7aaa-8bbb-000000000001"


def known(event: kineseg.Event) -> dict[str, Any]:
    """The event in JSON, of a stream that is known."""
    stamp = event.emitted_unix_ns or 0
    known = dataclasses.replace(event, stream_id=event.stream_id or SOME_STREAM, emitted_unix_ns=stamp)
    return dict(json.loads(json.dumps(known.to_dict())))


def test_it_is_a_schema_of_each_kind() -> None:
    schema = kineseg.event_schema()
    Draft202012Validator.check_schema(schema)
    assert set(schema["$defs"]) == {*map(str, EVENT_TYPES), "unknown"} == set(map(str, kineseg.EventKind))
    for definition in schema["$defs"].values():
        assert definition["description"]
        assert all(
            "description" in described or "const" in described for described in definition["properties"].values()
        )


def test_it_is_what_the_classes_say() -> None:
    done = subprocess.run([sys.executable, GENERATE, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@given(EVENTS)
def test_every_event_is_as_it_says(event: kineseg.Event) -> None:
    flat = known(event)
    check_event(flat)
    assert is_event(flat)


@given(EVENTS, st.data())
def test_nothing_else_is_an_event(event: kineseg.Event, data: st.DataObject) -> None:
    flat = known(event)
    assert not is_event({**flat, data.draw(st.text().filter(lambda key: key not in flat)): 1})
    required = kineseg.event_schema()["$defs"][flat["kind"]]["required"]
    missing = data.draw(st.sampled_from(required))
    assert not is_event({key: value for key, value in flat.items() if key != missing})
    changed = data.draw(st.sampled_from(sorted(flat)))
    assert not is_event({**flat, changed: {"an": "object"}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "anomaly_raised"),
        ("seq", 0),
        ("seq", 1.5),
        ("frame", -1),
        ("severity", -0.5),
        ("anomaly_kind", "mood"),
        ("emitted_at", "2026-11-27T01:02:03Z"),
        ("emitted_at", 1764205323000),
        ("id", "7"),
        ("channels", "c0"),
    ],
)
def test_a_value_that_cannot_be_is_refused(key: str, value: object) -> None:
    raised = kineseg.AnomalyRaised(
        stream_id=SOME_STREAM, seq=1, emitted_unix_ns=0, frame=3, time_s=0.1, decided_frame=3, decided_time_s=0.1,
        anomaly_id=1, anomaly_kind=kineseg.AnomalyKind.SPIKE, severity=0.25,
        text="c0 jumped away and back", channels=("c0",),
    )  # fmt: skip
    assert is_event(raised.to_dict() | {"channels": ["c0"]})
    assert not is_event(raised.to_dict() | {"channels": ["c0"]} | {key: value})


def test_a_kind_of_a_newer_server_is_written_as_unknown() -> None:
    bare = kineseg.Event(
        stream_id=SOME_STREAM, seq=1, emitted_unix_ns=0, frame=3, time_s=0.1, decided_frame=3, decided_time_s=0.1
    )
    assert type(bare) not in KINDS
    check_event(bare.to_dict())


def test_what_the_service_and_the_process_emit_is_as_it_says(
    server: str, tiny_bundle: Path, motion: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    motion = motion.copy()
    motion[1000:1010] *= 1e5  # an anomaly
    motion[300:340, 1] = np.nan
    times = np.arange(len(motion)) / 30.0
    times[700:] += 0.5
    times[1200:] += 20.0
    with kineseg.Client(server) as client, client.stream(rate=30) as stream:
        stream.send(motion, times)
        stream.end_input()
        served = [event.to_dict() for event in stream if isinstance(event, kineseg.Event)]
        assert {event["stream_id"] for event in served} == {stream.stream_id}
    segmenter = kineseg.Segmenter.load(tiny_bundle, rate=30)
    here = [item.to_dict() for item in (*segmenter.update(motion, times), *segmenter.finish())]  # type: ignore[union-attr]
    for events in (served, here):
        events = json.loads(json.dumps(events))
        check_events(events)
        kinds = {event["kind"] for event in events}
        assert kinds >= {"segment_started", "segment_closed", "gap", "missing_values", "summary"}
        assert kinds >= {"anomaly", "anomaly_cleared"}
        emitted = [event["emitted_at"] for event in events]
        assert all("2026-01-01" < at < "2200" for at in emitted)
