"""Spans of events, as a collector of OpenTelemetry gets them."""

from __future__ import annotations

import gzip
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kineseg_service.config import Settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import ValidationError

from tests.service.conftest import Serve
from tests.service.talk import chunk, config, cut, events, motion, segment

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes spans."""

    def __init__(self) -> None:
        self.requests: queue.SimpleQueue[ExportTraceServiceRequest] = queue.SimpleQueue()
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                requests.put(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def spans(self) -> list[Span]:
        found = []
        while not self.requests.empty():
            for resource in self.requests.get().resource_spans:
                assert values(resource.resource)["service.name"] == "kineseg"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


def values(of: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in of.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def test_each_event_is_a_span_from_its_frames_to_its_emission(serve: Serve, collector: Collector) -> None:
    frames = motion(600)
    with serve(traces=collector.url) as (_, stub):
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)
        requests = iter([config(session_id="traced"), *(chunk(at, frames[at : at + 50]) for at in range(0, 600, 50))])
        emitted = events(stub.Segment(requests, metadata=metadata))
        untraced = events(stub.Segment(iter([config(), chunk(0, frames[:60])])))
    # What there was has been sent when the server has ended.
    spans = collector.spans()
    of_stream = {values(span)["kineseg.stream_id"]: values(span)["kineseg.session_id"] for span in spans}
    assert of_stream[emitted[0].stream_id] == "traced"
    mine = {values(span)["kineseg.seq"]: span for span in spans if values(span)["kineseg.session_id"] == "traced"}
    assert set(mine) == {event.seq for event in emitted}
    for event in emitted:
        span = mine[event.seq]
        assert span.name == f"kineseg {event.WhichOneof('detail')}"
        assert values(span)["kineseg.decided_frame"] == event.decided_frame
        assert span.start_time_unix_nano <= event.emitted_unix_ns <= span.end_time_unix_nano
        assert span.end_time_unix_nano - span.start_time_unix_nano < 60e9
        assert [(link.trace_id.hex(), link.span_id.hex()) for link in span.links] == [(TRACE, PARENT)]
    assert len({span.trace_id for span in spans}) == len(spans) == len(emitted) + len(untraced)
    assert not any(span.links for span in spans if values(span)["kineseg.session_id"] != "traced")


def test_a_collector_that_is_gone_changes_nothing(serve: Serve) -> None:
    with serve(traces="http://127.0.0.1:9/v1/traces") as (_, stub):
        assert events(segment(stub, cut(motion(600))))


def test_where_traces_go_must_be_a_url() -> None:
    with pytest.raises(ValidationError, match="traces"):
        Settings(traces="localhost:4318")
