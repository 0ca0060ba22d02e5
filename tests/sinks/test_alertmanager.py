"""Anomalies as alerts, in a real Alertmanager: raised, kept alive, resolved, whatever is killed in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kineseg.sinks import SinkError, SinkEvent, open_sink

from tests.sinks import alertmanagers
from tests.sinks.alertmanagers import Alertmanager
from tests.sinks.made_events import events, events_of
from tests.sinks.relay_process import PATIENCE_S, RelayProcess


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    with alertmanagers.alertmanager(tmp_path) as running:
        yield running


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def anomaly(event: SinkEvent, **changes: object) -> SinkEvent:
    return SinkEvent({**event.values, **changes}, event.session_id)


def test_an_alert_goes_on_whatever_is_killed_and_is_resolved_in_the_end(
    alertmanager: Alertmanager, tmp_path: Path
) -> None:
    made, spool, url = events_of("line-1", 4), tmp_path / "spool", alertmanager.url + "&every=2"
    relay = RelayProcess(spool, [url])
    relay.feed(made[:3])
    until(lambda: len(alertmanager.alerts()) == 1)
    (alert,) = alertmanager.alerts()
    assert alert["labels"] == {
        "alertname": "KinesegAnomaly", "class": "fault", "kind": "frozen", "session": "line-1", "severity": "warning",
    }  # fmt: skip
    assert alert["annotations"]["summary"] == "line-1: left wrist frozen for 2.1 s"
    assert alert["annotations"]["runbook_url"].endswith("docs/alerts-kinds.md#frozen")
    assert alert["generatorURL"] == f"https://motion.example.org/#{made[0].stream_id}"
    relay.kill()
    alertmanager.stop()
    alertmanager.start()
    assert not alertmanager.alerts()
    relay = RelayProcess(spool, [url])
    until(lambda: len(alertmanager.alerts()) == 1)
    relay.feed(made)
    relay.end()
    until(lambda: not alertmanager.alerts())
    until(lambda: alertmanager.notified()[-1:] == [("line-1", "resolved")])
    assert ("line-1", "firing") in alertmanager.notified()


async def test_anomalies_with_the_same_labels_are_one_alert_until_the_last_is_over(alertmanager: Alertmanager) -> None:
    sink = open_sink(alertmanager.url)
    raised, cleared = (event for event in events_of("line-1", 4) if "anomaly" in event.kind)
    await sink.deliver([raised, anomaly(raised, anomaly_id=2)])
    await sink.deliver([cleared])
    assert len(alertmanager.alerts()) == 1
    # What it is may be found out later: the alert becomes another one.
    await sink.deliver([anomaly(raised, kind="anomaly_updated", anomaly_id=2, anomaly_kind="late")])
    assert [alert["labels"]["kind"] for alert in alertmanager.alerts()] == ["late"]
    await sink.deliver([anomaly(cleared, anomaly_id=2, anomaly_kind="late")])
    assert not alertmanager.alerts()
    await sink.close()


async def test_what_is_over_at_once_may_fire_for_some_time(alertmanager: Alertmanager) -> None:
    sink = open_sink(alertmanager.url + "&keep_firing=600&session_label=no&label.site=north")
    await sink.deliver([event for event in events_of("line-1", 4) if sink.terms.wants(event)])
    (alert,) = alertmanager.alerts()
    assert alert["labels"]["site"] == "north"
    assert "session" not in alert["labels"]
    await sink.close()


async def test_a_stream_that_is_lost_ends_its_alerts(alertmanager: Alertmanager) -> None:
    sink: Any = open_sink(alertmanager.url)
    raised = [event for event in events(10) if event.kind == "anomaly"]
    await sink.deliver(raised)
    sink.streams_ended({raised[0].stream_id})
    await sink.keep_alive()
    assert [alert["labels"]["session"] for alert in alertmanager.alerts()] == [raised[1].session_id]
    assert sink.streams() == {raised[1].stream_id}
    await sink.close()


def test_segments_are_no_alerts() -> None:
    with pytest.raises(SinkError, match="anomaly_cleared"):
        open_sink("alertmanager+http://localhost:9093#kinds=segment")
