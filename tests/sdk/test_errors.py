"""Every way in which a call can fail comes out as one of the SDK's errors, and never as gRPC's."""

from __future__ import annotations

import inspect
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from kineseg import _errors
from kineseg._reasons import ERROR_OF_REASON

from evaluation.ports import free_port

FAILURES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
EXPECTED = {
    "INVALID_ARGUMENT": kineseg.InvalidRequest,
    "OUT_OF_RANGE": kineseg.InvalidRequest,
    "FAILED_PRECONDITION": kineseg.FailedPrecondition,
    "NOT_FOUND": kineseg.NotFound,
    "ALREADY_EXISTS": kineseg.AlreadyExists,
    "UNAUTHENTICATED": kineseg.NotAuthenticated,
    "PERMISSION_DENIED": kineseg.AccessDenied,
    "UNIMPLEMENTED": kineseg.Unsupported,
    "RESOURCE_EXHAUSTED": kineseg.ResourceExhausted,
    "UNAVAILABLE": kineseg.Unavailable,
    "DEADLINE_EXCEEDED": kineseg.Timeout,
    "CANCELLED": kineseg.Cancelled,
    "ABORTED": kineseg.Cancelled,
    "INTERNAL": kineseg.Internal,
    "UNKNOWN": kineseg.Internal,
    "DATA_LOSS": kineseg.Internal,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "models": lambda client: client.models(),
    "sessions": lambda client: client.sessions(),
    "session": lambda client: client.session("s"),
    "close_session": lambda client: client.close_session("s"),
    "health": lambda client: client.health(),
    "segment": lambda client: client.segment(np.zeros((9, 3)), rate=30),
    "teach_name": lambda client: client.teach_name("walking", example=[0.5, 1.0]),
    "names": lambda client: client.names(),
    "forget_name": lambda client: client.forget_name("walking"),
}


def one_chunk_a_frame(client: Any) -> Any:
    return client.stream(rate=30, chunk_s=0.01)


def open_stream(client: Any) -> None:
    with client.stream(rate=30):
        pass


def send_until_it_fails(client: Any) -> None:
    with one_chunk_a_frame(client) as stream:
        for _ in range(100_000):
            stream.send([0.0, 0.0, 0.0])


def flush(client: Any) -> None:
    with one_chunk_a_frame(client) as stream:
        stream.send([0.0, 0.0, 0.0])
        stream.flush()


def read(client: Any) -> None:
    with one_chunk_a_frame(client) as stream:
        stream.send([0.0, 0.0, 0.0])
        stream.end_input()
        list(stream)


def poll_until_it_fails(client: Any) -> None:
    with one_chunk_a_frame(client) as stream:
        stream.send([0.0, 0.0, 0.0])
        while True:
            stream.poll(timeout=0.1)


def leave(client: Any) -> None:
    with one_chunk_a_frame(client) as stream:
        stream.send([0.0, 0.0, 0.0])


STREAM = [send_until_it_fails, flush, read, poll_until_it_fails, leave]


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.name)
def test_each_status_of_each_call_becomes_its_error(
    code: grpc.StatusCode, connect: Any, scripted: Any, script: ModuleType
) -> None:
    def refuse(context: grpc.ServicerContext) -> None:
        context.abort(code, "what is wrong")

    def refuse_stream(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        refuse(context)
        yield

    def fail_stream(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        next(requests)
        yield script.opened()
        yield script.ack(next(requests).chunk)
        refuse(context)

    def check(act: Callable[[Any], Any]) -> None:
        with pytest.raises(kineseg.KinesegError) as caught:
            act(client)
        error = caught.value
        assert type(error) is EXPECTED[code.name], act
        assert not isinstance(error, grpc.RpcError)
        assert (error.code, error.retryable) == (code.name, code is grpc.StatusCode.UNAVAILABLE)
        assert (error.field, error.reason, error.minimum, error.maximum, error.error_id) == ("", "", None, None, "")
        assert error.message == str(error)
        assert error.message.endswith("what is wrong")

    client = connect(scripted.address)
    scripted.unary = refuse
    for act in UNARY.values():
        check(act)
    scripted.segment = refuse_stream
    check(open_stream)
    scripted.segment = fail_stream
    for act in STREAM:
        check(act)
    scripted.watch = refuse_stream
    check(lambda client: list(client.watch()))


def details(reason: str, domain: str = "kineseg", **metadata: str) -> tuple[tuple[str, bytes], ...]:
    """Trailing metadata as a server sends them."""
    status = Status(code=3, message="what is wrong")
    status.details.add().Pack(Status(code=1))  # details of a kind that no one looks for
    status.details.add().Pack(ErrorInfo(reason=reason, domain=domain, metadata=metadata))
    return (("grpc-status-details-bin", status.SerializeToString()),)


def refusal(connect: Any, scripted: Any, code: grpc.StatusCode, trailing: Any) -> kineseg.KinesegError:
    def refuse(context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata(trailing)
        context.abort(code, "what is wrong")

    scripted.unary = refuse
    with pytest.raises(kineseg.KinesegError) as caught:
        connect(scripted.address).sessions()
    return caught.value


@pytest.mark.parametrize(("reason", "kind"), ERROR_OF_REASON.items())
def test_the_reason_says_which_error_it_is(
    reason: str, kind: type[kineseg.KinesegError], connect: Any, scripted: Any
) -> None:
    said = {"field": "config.rate", "minimum": "0.5", "maximum": "10", "retryable": "true", "error_id": "a1"}
    error = refusal(connect, scripted, grpc.StatusCode.INVALID_ARGUMENT, details(reason, **said))
    for known in (error, pickle.loads(pickle.dumps(error))):
        assert type(known) is kind
        assert (known.reason, known.field, known.retryable, known.error_id) == (reason, "config.rate", True, "a1")
        assert (known.minimum, known.maximum, known.code) == (0.5, 10.0, "INVALID_ARGUMENT")


def test_what_a_later_server_says_is_understood_as_far_as_it_goes(connect: Any, scripted: Any) -> None:
    trailing = details("OF_TOMORROW", minimum="a few", retryable="true")
    error = refusal(connect, scripted, grpc.StatusCode.NOT_FOUND, trailing)
    assert type(error) is kineseg.NotFound
    assert (error.reason, error.minimum, error.retryable) == ("OF_TOMORROW", None, True)


@pytest.mark.parametrize(
    "trailing",
    [
        (("grpc-status-details-bin", b"\xff\xff not a status"),),
        (("grpc-status-details-bin", Status(code=3).SerializeToString()),),
        details("FIELD_INVALID", domain="another.example", retryable="true"),
        (("kineseg-reason", "FIELD_INVALID"),),
    ],
)
def test_who_does_not_speak_kineseg_is_understood_by_the_code(trailing: Any, connect: Any, scripted: Any) -> None:
    error = refusal(connect, scripted, grpc.StatusCode.RESOURCE_EXHAUSTED, trailing)
    assert type(error) is kineseg.ResourceExhausted
    assert (error.reason, error.retryable) == ("", False)


@pytest.mark.parametrize("act", [*UNARY.values(), open_stream, lambda client: list(client.watch())])
def test_no_server_is_unavailable_and_worth_another_try(act: Callable[[Any], Any], connect: Any) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(kineseg.Unavailable, match=re.escape(address)) as caught:
        act(connect(address))
    assert caught.value.retryable


@pytest.mark.parametrize("act", [*UNARY.values(), open_stream, lambda client: list(client.watch())])
def test_a_closed_client_says_so(act: Callable[[Any], Any], connect: Any, scripted: Any) -> None:
    client = connect(scripted.address)
    client.close()
    assert client.is_closed
    with pytest.raises(kineseg.ClientClosed, match="closed"):
        act(client)
    assert scripted.calls == []


def test_an_answer_that_does_not_come_is_a_timeout(connect: Any, scripted: Any) -> None:
    scripted.unary = lambda context: scripted.released.wait() and None
    with pytest.raises(kineseg.Timeout):
        connect(scripted.address, timeout=0.2).models()


def test_a_stream_that_is_not_opened_in_time_is_a_timeout(connect: Any, scripted: Any) -> None:
    def silent(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        scripted.released.wait()
        yield from ()

    scripted.segment = silent
    with pytest.raises(kineseg.Timeout, match=r"0\.2 s"):
        open_stream(connect(scripted.address, timeout=0.2))


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        (lambda s: [], "without a summary"),
        (lambda s: [s.opened()], "without a summary"),
        (lambda s: [s.started(1)], "before it opened"),
        (lambda s: [s.opened(), s.opened()], "twice"),
        (lambda s: [s.opened(), s.ack(s.pb.FrameChunk())], "never sent"),
    ],
)
def test_a_server_that_breaks_the_contract_is_an_internal_error(
    answers: Any, complaint: str, connect: Any, scripted: Any, script: ModuleType
) -> None:
    scripted.segment = lambda requests, context: iter(answers(script))
    with pytest.raises(kineseg.Internal, match=complaint):
        open_stream(connect(scripted.address))


def test_closing_the_client_ends_its_streams_with_an_error(connect: Any, scripted: Any, script: ModuleType) -> None:
    client = connect(scripted.address)
    stream = client.stream(rate=30)
    stream.open()
    failures: list[BaseException] = []

    def read_on() -> None:
        try:
            list(stream)
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read_on)
    reader.start()
    client.close()
    reader.join(script.PATIENCE_S)
    assert [type(error) for error in failures] == [kineseg.ClientClosed]
    assert "the client was closed" in str(failures[0])


def test_unary_calls_are_tried_again_only_where_that_may_help(connect: Any, scripted: Any) -> None:
    def starting(context: grpc.ServicerContext) -> None:
        if len(scripted.calls) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "loading")

    client = connect(scripted.address, retries=2)
    scripted.unary = starting
    assert [model.name for model in client.models()] == ["scripted"]
    assert scripted.calls == ["ListModels"] * 3

    def refuse(context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "never")

    scripted.calls.clear()
    scripted.unary = refuse
    with pytest.raises(kineseg.InvalidRequest):
        client.models()
    assert scripted.calls == ["ListModels"]


def test_opening_is_tried_again_only_where_that_may_help(connect: Any, scripted: Any, script: ModuleType) -> None:
    def starting(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        if len(scripted.calls) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "loading")
        yield from script.acknowledge_all(requests, context)

    client = connect(scripted.address, retries=2)
    scripted.segment = starting
    with client.stream(rate=30) as stream:
        stream.send(np.zeros((5, 3)))
        stream.end_input()
        assert [event.kind for event in stream] == ["summary"]
    assert scripted.calls == ["Segment"] * 3

    def refuse(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        yield

    scripted.calls.clear()
    scripted.segment = refuse
    with pytest.raises(kineseg.NotFound):
        open_stream(client)
    assert scripted.calls == ["Segment"]


def test_a_stream_that_fails_later_is_not_tried_again(connect: Any, scripted: Any, script: ModuleType) -> None:
    def die(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        next(requests)
        yield script.opened()
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    scripted.segment = die
    with pytest.raises(kineseg.Unavailable):
        send_until_it_fails(connect(scripted.address, retries=5))
    assert scripted.calls == ["Segment"]


def test_an_error_is_raised_once_and_events_before_it_stay_readable(
    connect: Any, scripted: Any, script: ModuleType
) -> None:
    def reject(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        next(requests)
        yield script.opened()
        next(requests)
        yield script.started(1)
        yield script.summary(2, reason=script.pb.END_REASON_REJECTED)
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad frame")

    scripted.segment = reject
    with connect(scripted.address).stream(rate=30) as stream:
        stream.send(np.zeros(3))
        with pytest.raises(kineseg.InvalidRequest, match="bad frame"):
            stream.flush()
        with pytest.raises(kineseg.StreamClosed, match="failed") as caught:
            stream.send(np.zeros(3))
        assert isinstance(caught.value.__cause__, kineseg.InvalidRequest)
        assert [event.kind for event in stream] == ["segment_started", "summary"]
        assert list(stream) == []
    assert stream.summary is not None
    assert stream.summary.reason is kineseg.EndReason.REJECTED
    assert isinstance(stream.error, kineseg.InvalidRequest)
    assert stream.state is kineseg.StreamState.FAILED


def test_reading_meets_the_error_after_the_summary(connect: Any, scripted: Any, script: ModuleType) -> None:
    def reject(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        next(requests)
        yield script.opened()
        yield script.summary(1, reason=script.pb.END_REASON_REJECTED)
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "frames go back")

    scripted.segment = reject
    with connect(scripted.address).stream(rate=30) as stream:
        assert next(stream).kind == "summary"
        with pytest.raises(kineseg.InvalidRequest):
            next(stream)
        with pytest.raises(StopIteration):
            next(stream)


def test_the_tree_that_is_drawn_is_the_tree_that_is() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (_errors.__doc__ or "").splitlines():
        found = re.match(r"([│├└─ ]*)([A-Z]\w+)", line)
        if found and hasattr(_errors, found[2]):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else "Exception"
    real = {
        name: cls.__bases__[0].__name__
        for name, cls in vars(_errors).items()
        if inspect.isclass(cls) and issubclass(cls, kineseg.KinesegError)
    }
    assert drawn == real
    assert set(real) <= set(kineseg.__all__)
