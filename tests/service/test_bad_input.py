"""Every bad input: the right status, a message that helps, nothing lost that was accepted, and no one else harmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import grpc
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.server import BackgroundServer

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, chunk, config, cut, events, kinds, motion, segment, status_of, until

INVALID = grpc.StatusCode.INVALID_ARGUMENT
FRAMES = motion(600)


def with_value(value: float) -> pb.SegmentRequest:
    frames = FRAMES[300:350].copy()
    frames[20, 1] = value
    return chunk(300, frames)


@dataclass
class Bad:
    request: pb.SegmentRequest
    code: grpc.StatusCode
    says: str
    field: str
    reason: str = "FIELD_INVALID"
    bounds: tuple[str | None, str | None] = (None, None)


WITHIN = ("-1000000000", "1000000000")
EARLY = ("first_frame", "FRAMES_OUT_OF_ORDER", ("300", None))
UNEXPECTED = "MESSAGE_UNEXPECTED"
RATE = ("config.frame_rate_hz", "FIELD_OUT_OF_RANGE", ("1", "1000"))
LATENCY = ("config.latency_s", "FIELD_OUT_OF_RANGE", ("0.5", "10"))
REPORTS = ("config.reports_per_hour", "FIELD_OUT_OF_RANGE", ("0.01", "1000"))
ALARMS = ("config.alarms_per_hour", "FIELD_OUT_OF_RANGE", ("0.01", "1000"))
INTERVAL = ("config.ack_interval_s", "FIELD_OUT_OF_RANGE", ("0", "10"))
THRESHOLD = ("config.boundary_threshold", "FIELD_OUT_OF_RANGE", ("0.01", "0.99"))
CHANNELS = ("config.channels", "CHANNELS_MISMATCH")
LATER = {
    "wrong channel count": Bad(
        chunk(300, np.zeros((5, 4), "<f4")), INVALID, "80 bytes, not a multiple of 12", "data", "CHUNK_MALFORMED"
    ),
    "no frames": Bad(chunk(300, FRAMES[:0]), INVALID, "at least one frame", "data", "CHUNK_MALFORMED"),
    "inf": Bad(
        with_value(np.inf), INVALID, "frame 20 of the chunk has inf in channel 'c1'", "data", "CHUNK_MALFORMED", WITHIN
    ),
    "absurd": Bad(
        with_value(-1e30),
        INVALID,
        "frame 20 of the chunk has -1e+30 in channel 'c1'",
        "data",
        "CHUNK_MALFORMED",
        WITHIN,
    ),
    "a little too large": Bad(with_value(1.001e9), INVALID, "must lie within 1e+09", "data", "CHUNK_MALFORMED", WITHIN),
    "frames going back": Bad(chunk(299, FRAMES[:5]), INVALID, "frames up to 299 have come already", *EARLY),
    "negative frame": Bad(chunk(-1, FRAMES[:5]), INVALID, "first_frame is -1", *EARLY),
    "a gap of ages": Bad(
        chunk(2**62, FRAMES[:5]), INVALID, "which no stream can reach", "first_frame", "FRAMES_OUT_OF_ORDER"
    ),
    "sudden capture times": Bad(
        chunk(300, FRAMES[:2], [1, 2]),
        INVALID,
        "began without capture times",
        "capture_times_ns",
        "CAPTURE_TIMES_INVALID",
    ),
    "too many frames": Bad(
        chunk(300, np.zeros((4097, 3), "<f4")),
        INVALID,
        "4097 frames, at most 4096",
        "data",
        "CHUNK_MALFORMED",
        ("1", "4096"),
    ),
    "second configuration": Bad(config(), INVALID, "every message must be a chunk", "config", UNEXPECTED),
    "empty message": Bad(pb.SegmentRequest(), INVALID, "every message must be a chunk", "payload", UNEXPECTED),
}


@pytest.mark.parametrize("bad", LATER.values(), ids=LATER.keys())
def test_a_bad_request_later_on_loses_nothing_accepted(stub: Stub, bad: Bad) -> None:
    call = Call(stub, config())
    call.send(*cut(FRAMES[:300]), bad.request)
    responses = call.rest()
    code, message, metadata = status_of(call.failure())
    assert code == bad.code
    assert bad.says in message
    assert metadata["retryable"] == "false"
    assert (metadata["field"], metadata["reason"]) == (bad.field, bad.reason)
    assert (metadata.get("minimum"), metadata.get("maximum")) == bad.bounds
    summary = events(responses)[-1].summary
    assert (summary.frames, summary.reason) == (300, pb.END_REASON_REJECTED)
    # All that a stream of just these frames would have emitted.
    good = events(segment(stub, cut(FRAMES[:300])))
    assert content(events(responses)[:-1]) == content(good[:-1])


AT_ONCE = {
    "no configuration": Bad(
        chunk(0, FRAMES[:5]), INVALID, "first message of a stream must be its", "config", UNEXPECTED
    ),
    "empty message": Bad(pb.SegmentRequest(), INVALID, "first message of a stream must be its", "config", UNEXPECTED),
    "unknown model": Bad(
        config(model="nobody"),
        grpc.StatusCode.NOT_FOUND,
        "no model 'nobody'; there are fragile, scratch, tiny",
        "config.model",
        "MODEL_UNKNOWN",
    ),
    "no rate": Bad(config(0.0), INVALID, "frame_rate_hz is 0, it must be 1 to 1000", *RATE),
    "negative rate": Bad(config(-30.0), INVALID, "frame_rate_hz is -30", *RATE),
    "absurd rate": Bad(config(1e9), INVALID, "frame_rate_hz is 1e+09", *RATE),
    "nan rate": Bad(config(float("nan")), INVALID, "frame_rate_hz is nan", *RATE),
    "latency too short": Bad(config(latency_s=0.1), INVALID, "it must be 0.5 to 10 seconds", *LATENCY),
    "latency too long": Bad(config(latency_s=11), INVALID, "latency_s is 11", *LATENCY),
    "latency nan": Bad(config(latency_s=float("nan")), INVALID, "latency_s is nan", *LATENCY),
    "threshold of one": Bad(config(boundary_threshold=1), INVALID, "is 1, it must be 0.01 to 0.99", *THRESHOLD),
    "acknowledged too late": Bad(config(ack_interval_s=11), INVALID, "is 11, it must be 0 to 10 seconds", *INTERVAL),
    "nan interval": Bad(config(ack_interval_s=float("nan")), INVALID, "ack_interval_s is nan", *INTERVAL),
    "negative threshold": Bad(config(boundary_threshold=-0.5), INVALID, "boundary_threshold is -0.5", *THRESHOLD),
    "many alarms": Bad(config(alarms_per_hour=1001), INVALID, "is 1001, it must be 0.01 to 1000", *ALARMS),
    "negative alarms": Bad(config(alarms_per_hour=-1), INVALID, "alarms_per_hour is -1", *ALARMS),
    "many reports": Bad(config(reports_per_hour=1001), INVALID, "is 1001, it must be 0.01 to 1000", *REPORTS),
    "nan reports": Bad(config(reports_per_hour=float("nan")), INVALID, "reports_per_hour is nan", *REPORTS),
    "nan alarms": Bad(config(alarms_per_hour=float("nan")), INVALID, "alarms_per_hour is nan", *ALARMS),
    "nan threshold": Bad(config(boundary_threshold=float("nan")), INVALID, "boundary_threshold is nan", *THRESHOLD),
    "threshold without probability": Bad(
        config(model="scratch", channels=["c0"], boundary_threshold=0.5),
        INVALID,
        "gets 1 to 4 channels it has no probability of a boundary: leave it out",
        "config.boundary_threshold",
    ),
    "a profile that is no JSON": Bad(config(profile="{"), INVALID, "it is not JSON", "config.profile"),
    "a profile that is a number": Bad(config(profile="7"), INVALID, "no JSON object", "config.profile"),
    "a profile that is too deep": Bad(config(profile="[" * 100_000), INVALID, "it is not JSON", "config.profile"),
    "a profile that is too large": Bad(
        config(profile='"' + "x" * (2 << 20) + '"'), INVALID, "larger than 2 MiB", "config.profile"
    ),
    "any JSON as a profile": Bad(config(profile="{}"), INVALID, "object with version 1", "config.profile"),
    "a profile of another source": Bad(
        config(profile='{"version": 1, "source": {"names": ["x"], "parents": null, "rate_hz": 30.0}}'),
        INVALID,
        "1 channels, and here are 3",
        "config.profile",
    ),
    "no such decisions": Bad(config(decisions=4), INVALID, "decisions is 4; there are 0 (all)", "config.decisions"),
    "name with a space": Bad(config(session_id="a b"), INVALID, "1 to 64 letters", "config.session_id"),
    "name too long": Bad(config(session_id="a" * 65), INVALID, "1 to 64 letters", "config.session_id"),
    "missing channel": Bad(
        config(channels=["c0", "c1"]), grpc.StatusCode.FAILED_PRECONDITION, "missing: c2", *CHANNELS
    ),
    "strange channel": Bad(
        config(channels=["c0", "c1", "x"]), grpc.StatusCode.FAILED_PRECONDITION, "not the model's: x", *CHANNELS
    ),
    "channel twice": Bad(
        config(channels=["c0", "c1", "c2", "c2"]),
        grpc.StatusCode.FAILED_PRECONDITION,
        "named twice: c2",
        *CHANNELS,
    ),
    # Longer than any trailer may be, and more than can be compared pair by pair.
    "channel with a very long name": Bad(
        config(channels=["c0", "c1", "x" * 100_000]),
        grpc.StatusCode.FAILED_PRECONDITION,
        "not the model's: " + "x" * 64,
        *CHANNELS,
    ),
    "channels in letters of four bytes each": Bad(
        config(channels=["\U0001f57a" * 100 + str(i) for i in range(9)]),
        grpc.StatusCode.FAILED_PRECONDITION,
        "not the model's: \U0001f57a",
        *CHANNELS,
    ),
    "very many channels": Bad(
        config(channels=["c0", "c1", "c2"] * 300_000),
        grpc.StatusCode.FAILED_PRECONDITION,
        "the 900000 channels must be the model's 3; named twice: c0, c1, c2",
        *CHANNELS,
    ),
}


@pytest.mark.parametrize("bad", AT_ONCE.values(), ids=AT_ONCE.keys())
def test_a_stream_that_cannot_be_opened(stub: Stub, bad: Bad) -> None:
    call = Call(stub, bad.request)
    responses = call.rest()
    code, message, metadata = status_of(call.failure())
    assert (responses, code) == ([], bad.code)
    assert bad.says in message
    assert metadata["retryable"] == "false"
    assert (metadata["field"], metadata["reason"]) == (bad.field, bad.reason)
    assert (metadata.get("minimum"), metadata.get("maximum")) == bad.bounds


def test_a_stream_without_any_message(stub: Stub) -> None:
    code, message, _ = status_of(Call(stub, None).failure())
    assert code == INVALID
    assert "configuration" in message


def test_a_name_that_is_taken(stub: Stub) -> None:
    first = Call(stub, config(session_id="mine"))
    first.opened()
    code, message, metadata = status_of(Call(stub, config(session_id="mine")).failure())
    assert code == grpc.StatusCode.ALREADY_EXISTS
    assert "'mine'" in message
    assert metadata == {"reason": "SESSION_EXISTS", "retryable": "false", "field": "config.session_id"}
    first.half_close()
    assert kinds(first.rest()) == ["summary"]
    # Free again as soon as the stream has ended.
    again = Call(stub, config(session_id="mine"))
    assert again.opened().session_id == "mine"
    again.cancel()


def test_an_oversized_message_ends_only_its_stream(serve: Serve) -> None:
    with serve(max_message_bytes=100_000, max_sessions=2) as (_, stub):
        calm = Call(stub, config())
        calm.opened()
        call = Call(stub, config())
        call.opened()
        call.send(chunk(0, np.zeros((10_000, 3), "<f4")))
        call.rest()
        assert status_of(call.failure())[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
        calm.send(*cut(FRAMES))
        calm.half_close()
        assert events(calm.rest())[-1].summary.frames == 600
        until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "both slots are free")


def test_a_full_server_says_so_and_that_a_retry_may_help(serve: Serve) -> None:
    with serve(max_sessions=2) as (_, stub):
        calls = [Call(stub, config()) for _ in range(2)]
        for call in calls:
            call.opened()
        code, message, metadata = status_of(Call(stub, config()).failure())
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "all 2 streams" in message
        assert metadata == {"reason": "SERVER_FULL", "retryable": "true", "maximum": "2"}
        calls[0].half_close()
        calls[0].rest()
        late = Call(stub, config())
        assert late.opened().session_id
        late.cancel()
        calls[1].cancel()


def test_what_fails_inside_tells_an_error_id_and_no_more(stub: Stub) -> None:
    call = Call(stub, config(model="fragile"))
    poison = FRAMES[:5].copy()
    poison[3, 0] = 2000.0
    call.send(*cut(FRAMES[:100]), chunk(100, poison))
    responses = call.rest()
    code, message, metadata = status_of(call.failure())
    assert code == grpc.StatusCode.INTERNAL
    error_id = metadata["error_id"]
    assert message == f"the model's output is not finite (error id {error_id})"
    assert metadata == {"reason": "INTERNAL", "retryable": "false", "error_id": error_id}
    assert [response.ack.frames for response in responses if response.HasField("ack")] == [50, 100]


@pytest.mark.parametrize("call", ["GetSession", "CloseSession"])
def test_a_session_that_is_not_there(stub: Stub, call: str) -> None:
    request: Callable[..., object] = {"GetSession": pb.GetSessionRequest, "CloseSession": pb.CloseSessionRequest}[call]
    with pytest.raises(grpc.RpcError) as caught:
        getattr(stub, call)(request(session_id="nobody"))
    code, message, metadata = status_of(caught.value)
    assert code == grpc.StatusCode.NOT_FOUND
    assert "'nobody'" in message
    assert metadata == {"reason": "SESSION_UNKNOWN", "retryable": "false", "field": "session_id"}


def test_a_filter_that_makes_no_sense(stub: Stub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        next(stub.WatchEvents(pb.WatchEventsRequest(kinds=[pb.EVENT_KIND_UNSPECIFIED])))
    assert status_of(caught.value)[0] == INVALID


def test_no_stream_was_left_open(running: tuple[BackgroundServer, Stub]) -> None:
    stub = running[1]
    # But for those of other tests that may be resumed.
    until(lambda: all(s.parked for s in stub.ListSessions(pb.ListSessionsRequest()).sessions), "every stream is gone")
