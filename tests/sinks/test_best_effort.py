"""What has no receipts: markers of the Lab Streaming Layer, and Open Sound Control, to real receivers on loopback."""

from __future__ import annotations

import json
import socket
from uuid import uuid4

import pylsl
import pytest
from kineseg.sinks import SinkError, open_sink
from pythonosc.osc_message import OscMessage

from tests.sinks.made_events import events_of


async def test_markers_stand_at_the_time_that_events_are_about() -> None:
    name = f"kineseg-{uuid4()}"
    as_json, as_text = open_sink(f"lsl:{name}"), open_sink(f"lsl:{name}-text?format=text")
    inlets = []
    for which in (name, f"{name}-text"):
        (found,) = pylsl.resolve_byprop("name", which, timeout=60)
        assert (found.type(), found.nominal_srate()) == ("Markers", 0.0)
        inlets.append(pylsl.StreamInlet(found))
        inlets[-1].open_stream(timeout=60)
    sent = events_of("line-1", 5)
    for sink in (as_json, as_text):
        await sink.deliver(sent)
        await sink.close()
    got = [inlets[0].pull_sample(timeout=60) for _ in sent]
    assert [json.loads(sample[0]) for sample, _ in got] == [json.loads(event.json) for event in sent]
    # They are emitted a second apart, each about a frame two seconds before.
    assert [at - got[0][1] for _, at in got] == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0], abs=0.01)
    texts = [inlets[1].pull_sample(timeout=60)[0][0] for _ in sent]
    assert texts[2:] == [
        "line-1 anomaly left wrist frozen for 2.1 s", "line-1 anomaly_cleared left wrist frozen for 2.1 s",
        "line-1 segment_closed squat",
    ]  # fmt: skip


async def test_osc_messages_carry_what_a_stage_needs() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(60)
        sink = open_sink(f"osc://127.0.0.1:{listener.getsockname()[1]}/stage")
        await sink.deliver(events_of("Übung 2/+#", 5))
        got = [OscMessage(listener.recv(2048)) for _ in range(5)]
        await sink.close()
    assert {message.address.rpartition("/")[0] for message in got} == {"/stage/Übung_2_+_"}
    assert got[2].params == [pytest.approx(10.0), 1, "frozen", "left wrist frozen for 2.1 s", 12.0]
    assert got[4].address.endswith("/segment_closed")
    assert got[4].params == [pytest.approx(500 / 30), 1, 1, "squat"]


def test_osc_needs_a_port() -> None:
    with pytest.raises(SinkError, match="name a host and a port"):
        open_sink("osc://127.0.0.1")
