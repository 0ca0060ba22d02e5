"""CloudEvents and webhooks, against a real server: their form, their signature, and what answers mean."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from kineseg.sinks import Refused, Retry, SinkError, open_sink

from tests.event_schema import check_event
from tests.sinks.http_receiver import HttpReceiver
from tests.sinks.made_events import events, events_of


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    receiver.start()
    yield receiver
    receiver.close()


async def deliver(url: str, count: int = 5) -> None:
    sink = open_sink(url)
    try:
        await sink.deliver(events(count))
    finally:
        await sink.close()


async def test_cloudevents_one_by_one_are_what_their_library_reads(receiver: HttpReceiver) -> None:
    await deliver(f"cloudevents+{receiver.address}/in?key=1")
    assert [post.path for post in receiver.posts] == ["/in?key=1"] * 5
    for post, sent in zip(receiver.posts, events(5), strict=True):
        read = from_http_event(HTTPMessage({k.lower(): v for k, v in post.headers.items()}, post.body))
        assert (read.get_id(), read.get_type(), read.get_subject()) == (
            sent.id,
            f"kineseg.{sent.kind}",
            sent.session_id,
        )
        assert read.get_data() == json.loads(sent.json)
        check_event(json.loads(sent.json))


async def test_cloudevents_in_batches_have_an_id_for_each_batch(receiver: HttpReceiver) -> None:
    url = f"cloudevents+{receiver.address}/in#mode=batch&secret=x"
    for count in (5, 5, 4):
        await deliver(url, count)
    assert [len(json.loads(post.body)) for post in receiver.posts] == [5, 5, 4]
    assert all(post.headers["Content-Type"] == "application/cloudevents-batch+json" for post in receiver.posts)
    ids = [post.headers["webhook-id"] for post in receiver.posts]
    assert ids[0] == ids[1] != ids[2]


async def test_a_receiver_can_check_who_posts(receiver: HttpReceiver) -> None:
    key = base64.b64encode(b"sixteen bytes at").decode()
    await deliver(f"cloudevents+{receiver.address}/#secret=whsec_{key}&token=t&header.X-Floor=3", 1)
    (post,) = receiver.posts
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    wanted = base64.b64encode(hmac.digest(b"sixteen bytes at", signed, "sha256")).decode()
    assert post.headers["webhook-signature"] == f"v1,{wanted}"
    assert abs(int(post.headers["webhook-timestamp"]) - time.time()) < 600
    assert (post.headers["Authorization"], post.headers["X-Floor"]) == ("Bearer t", "3")


def in_s(seconds: float) -> str:
    """That moment, as HTTP writes it."""
    return formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (lambda: web.Response(status=503, headers={"Retry-After": "7"}), 7.0),
        (lambda: web.Response(status=429, headers={"Retry-After": in_s(500)}), 500.0),
        (lambda: web.Response(status=500, text="no\nroom"), None),
        (lambda: web.Response(status=401), None),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), None),
    ],
)
async def test_what_was_not_taken_comes_again_when_the_receiver_says(
    receiver: HttpReceiver, answer: Callable[[], web.Response], after: float | None
) -> None:
    receiver.answers = [answer()]
    with pytest.raises(Retry, match=f"HTTP {receiver.answers[0].status}") as raised:
        await deliver(f"cloudevents+{receiver.address}/", 1)
    assert raised.value.after_s == (after if after is None else pytest.approx(after, abs=60))
    assert receiver.asked == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_is_malformed_for_a_receiver_is_refused(receiver: HttpReceiver, status: int) -> None:
    receiver.answers = [web.Response(status=status, text="no such field")]
    with pytest.raises(Refused, match="no such field"):
        await deliver(f"cloudevents+{receiver.address}/", 1)


async def test_a_collector_that_takes_only_some_log_records_is_heard(receiver: HttpReceiver) -> None:
    said = {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too old"}}
    receiver.answers = [web.json_response(said)]
    with pytest.raises(Refused, match="too old"):
        await deliver(f"otlp+{receiver.address}/", 1)
    receiver.answers = [web.json_response({"partialSuccess": {}})]
    await deliver(f"otlp+{receiver.address}/#resource.site=north", 1)
    assert receiver.asked == 2


async def test_slack_hears_of_anomalies_and_of_nothing_else(receiver: HttpReceiver) -> None:
    sink = open_sink(f"webhook+{receiver.address}/services/x#template=slack")
    made = events_of("line-1", 5)
    raised, cleared = [event for event in made if sink.terms.wants(event)]
    raised.values["text"] = "a < b & c"  # type: ignore[index]
    await sink.deliver([raised, cleared])
    await sink.close()
    first, second = (json.loads(post.body) for post in receiver.posts)
    assert first["text"].endswith("*line-1*: a &lt; b &amp; c")
    assert "docs/alerts-kinds.md#frozen|" in first["blocks"][1]["elements"][0]["text"]
    assert "over after 2.0 s" in second["text"]


async def test_pagerduty_is_triggered_and_resolved(receiver: HttpReceiver) -> None:
    page = "https://motion.example.org/{session_id}?t={time_s}"
    sink = open_sink(f"webhook+{receiver.address}/v2/enqueue#template=pagerduty&var.routing_key=key&page={page}")
    raised, cleared = [event for event in events(10) if event.session_id != "line-1" and sink.terms.wants(event)]
    await sink.deliver([raised, cleared])
    await sink.close()
    first, second = (json.loads(post.body) for post in receiver.posts)
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"] == f"{raised.stream_id}:1"
    assert first["client_url"] == "https://motion.example.org/%C3%9Cbung%202%2F%2B%23?t=10.0"
    assert first["payload"]["severity"] == "warning"
    assert first["payload"]["timestamp"].endswith("Z")
    assert first["payload"]["custom_details"] == json.loads(raised.json)


async def test_opsgenie_closes_by_another_url(receiver: HttpReceiver) -> None:
    sink = open_sink(f"webhook+{receiver.address}/v2/alerts#template=opsgenie&var.key=k")
    made = [event for event in events_of("line-1", 5) if sink.terms.wants(event)]
    await sink.deliver(made)
    await sink.close()
    alias = f"{made[0].stream_id}:1"
    assert [post.path for post in receiver.posts] == ["/v2/alerts", f"/v2/alerts/{alias}/close?identifierType=alias"]
    assert all(post.headers["Authorization"] == "GenieKey k" for post in receiver.posts)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ({"kinds": {"anomaly": {"body": "${txt}"}}}, "${txt} in anomaly: no event has that"),
        ({"kinds": {"anomaly": {"body": "${var.key}"}}}, "give the option var.key"),
        ({"kinds": {"alarm": {"body": ""}}}, "there is no kind 'alarm'"),
        ({"kinds": {"anomaly": {}}}, "'body' is missing"),
        ([], "name a JSON file"),
    ],
)
def test_what_is_no_template(tmp_path: Path, template: Any, says: str) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(template))
    with pytest.raises(SinkError) as raised:
        open_sink(f"webhook+http://localhost/#template={tmp_path}/mine.json")
    assert says in str(raised.value)
    assert "opsgenie, pagerduty, slack" in str(raised.value)
