"""Bytes that are no message are refused, whichever call gets them, as their sender's fault, and end nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.server import BackgroundServer

from tests.service.conftest import Serve
from tests.service.talk import PATIENCE_S, chunk, config, cut, events, motion, segment, status_of

METHODS = [
    (f"/{service.full_name}/{method.name}", method.client_streaming)
    for file in (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
    for method in service.methods
]
FRAMES = motion(120)
NO_MESSAGE = b"\x0a\xff\xff\xff"  # a field that is longer than what there is


def call_with(server: BackgroundServer, path: str, streams: bool, *messages: bytes) -> tuple[list[bytes], grpc.Call]:
    """What a call gives that is sent these bytes, and how it ends."""
    answers: list[bytes] = []
    with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        if streams:
            call: Any = channel.stream_stream(path)(iter(messages), timeout=PATIENCE_S)
        else:
            call = channel.unary_stream(path)(messages[0], timeout=PATIENCE_S)
        with pytest.raises(grpc.RpcError):
            answers.extend(call)
        return answers, call


@pytest.mark.parametrize(("path", "streams"), METHODS)
def test_bytes_that_are_no_message_are_refused(running: tuple[BackgroundServer, Any], path: str, streams: bool) -> None:
    _, call = call_with(running[0], path, streams, NO_MESSAGE)
    code, message, said = status_of(call)
    assert (code, said["reason"], said["retryable"]) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "MESSAGE_MALFORMED",
        "false",
    )
    assert "cannot be read as what the call takes" in message


def test_what_came_before_them_is_processed(running: tuple[BackgroundServer, Any]) -> None:
    requests = [config(), *cut(FRAMES)]
    said = [each.SerializeToString() for each in requests]
    answers, call = call_with(running[0], "/kineseg.v1.SegmentationService/Segment", True, *said, NO_MESSAGE, said[1])
    assert status_of(call)[2]["reason"] == "MESSAGE_MALFORMED"
    responses = [pb.SegmentResponse.FromString(answer) for answer in answers]
    assert events(responses)[-1].summary.frames == len(FRAMES)


def test_they_are_no_failure_of_the_server(
    serve: Serve, set_logs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    set_logs("info", "json")
    with serve() as (server, stub):
        for path, streams in METHODS:
            call_with(server, path, streams, NO_MESSAGE)
        call_with(
            server, "/kineseg.v1.SegmentationService/Segment", True, config().SerializeToString(),
            chunk(0, FRAMES).SerializeToString(), NO_MESSAGE,
        )  # fmt: skip
        assert events(segment(stub, cut(FRAMES)))[-1].summary.frames == len(FRAMES)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert not [line for line in lines if line["level"] == "error"]
