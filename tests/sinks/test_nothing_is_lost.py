"""Every sink, against the real receiver: both ends are killed in the middle, and nothing is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kineseg.sinks import SinkEvent

from tests.event_schema import check_event
from tests.sinks.made_events import events
from tests.sinks.peers import Peer
from tests.sinks.relay_process import PATIENCE_S, RelayProcess


def test_nothing_is_lost_when_both_ends_are_killed(peer: Peer, tmp_path: Path) -> None:
    sent, spool = events(200), tmp_path / "spool.sqlite"
    RelayProcess(spool, [peer.url]).feed_and_kill(sent[:80])
    relay = RelayProcess(spool, [peer.url])
    relay.feed(sent[:100])
    peer.stop()
    relay.feed(sent[:140])
    relay.kill()
    relay = RelayProcess(spool, [peer.url])
    relay.feed(sent[:160])
    peer.start()
    relay.feed(sent)
    relay.end()
    deadline = time.monotonic() + PATIENCE_S  # a receiver may have it and not yet show it
    while {event["id"] for event in peer.received()} < {event.id for event in sent} and time.monotonic() < deadline:
        time.sleep(0.05)
    check_received(peer.received(), sent)


def check_received(received: Sequence[dict[str, Any]], sent: Sequence[SinkEvent]) -> None:
    """All of them, in order for each stream, and what came twice is the same."""
    first: dict[str, dict[str, Any]] = {}
    for event in received:
        check_event(event)
        assert first.setdefault(event["id"], event) == event
    assert set(first) == {event.id for event in sent}
    for stream in {event.stream_id for event in sent}:
        assert [event for event in first.values() if event["stream_id"] == stream] == [
            json.loads(event.json) for event in sent if event.stream_id == stream
        ]
