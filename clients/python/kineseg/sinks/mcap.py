"""``mcap:FOLDER``: logs for Foxglove, Rerun and other tools of robotics, a channel for each session."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mcap.writer import Writer

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.columns import flat_schema
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.recorder import Recorder
from kineseg.sinks.sink import Sink

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


def write(path: Path, events: Sequence[SinkEvent]) -> None:
    """Write a file. Times are those of emission."""
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="kineseg")
        schema = {"title": "kineseg.Event", "type": "object", "properties": flat_schema()}
        schema_id = writer.register_schema("kineseg.Event", "jsonschema", json.dumps(schema).encode())
        channels: dict[str, int] = {}
        for event in events:
            session = event.session_id
            if session not in channels:
                channels[session] = writer.register_channel(
                    f"/kineseg/{session}", "json", schema_id, {"session_id": session}
                )
            at = (datetime.fromisoformat(event.emitted_at) - _EPOCH) // timedelta(microseconds=1) * 1000
            writer.add_message(channels[session], at, event.json.encode(), at, event.values["seq"])
        writer.finish()  # type: ignore[no-untyped-call]


def open_mcap(address: SinkAddress) -> Sink:
    """``mcap:FOLDER?every=60``."""
    return Recorder(address, ".mcap", write)
