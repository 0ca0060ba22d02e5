"""Killing, cancelling or poisoning a stream changes nothing of any other, and its slot is given back once and clean."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.server import BackgroundServer

from tests.core.tiny_bundle import TinyModel, write_tiny_bundle
from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import (
    PATIENCE_S,
    Call,
    Stub,
    chunk,
    config,
    cut,
    events,
    motion,
    results,
    segment,
    status_of,
    until,
)

FRAMES = motion(900)


def cancel(call: Call, stub: Stub, name: str) -> None:
    call.cancel()


def poison(call: Call, stub: Stub, name: str) -> None:
    frames = FRAMES[300:320].copy()
    frames[5, 0] = 5000.0
    call.send(chunk(300, frames))
    assert status_of(call.failure())[0] == grpc.StatusCode.INTERNAL


def reject(call: Call, stub: Stub, name: str) -> None:
    call.send(chunk(0, FRAMES[:5]))
    assert status_of(call.failure())[0] == grpc.StatusCode.INVALID_ARGUMENT


def close(call: Call, stub: Stub, name: str) -> None:
    assert name in [session.session_id for session in stub.ListSessions(pb.ListSessionsRequest()).sessions]
    stub.CloseSession(pb.CloseSessionRequest(session_id=name))
    assert events(call.rest())[-1].summary.reason == pb.END_REASON_CLOSED


@pytest.mark.parametrize("harm", [cancel, poison, reject, close])
def test_what_happens_to_one_stream_changes_no_other(stub: Stub, harm: Callable[[Call, Stub, str], None]) -> None:
    def bystander(seed: int) -> Call:
        return Call(stub, config(model="fragile", frame_results=True))

    streams = [motion(600, seed=seed) for seed in range(2)]
    expected = [segment(stub, cut(s), model="fragile", frame_results=True)[1:] for s in streams]
    calls = [bystander(seed) for seed in range(2)]
    victim = Call(stub, config(model="fragile"))
    name = victim.opened().session_id
    for call, frames in zip(calls, streams, strict=True):
        call.opened()
        call.send(*cut(frames[:300]))
    victim.send(*cut(FRAMES[:300]))
    victim.read_ack()
    harm(victim, stub, name)
    for call, frames, wanted in zip(calls, streams, expected, strict=True):
        call.send(*(chunk(at, frames[at : at + 50]) for at in range(300, 600, 50)))
        call.half_close()
        assert content(call.rest()) == content(wanted)


def test_a_step_that_fails_as_a_whole_ends_only_the_stream_to_blame(serve: Serve, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "brittle", TinyModel(name="brittle", crash_above=1000.0))
    with serve(bundle) as (_, stub):
        streams = [motion(400, seed=seed) for seed in range(4)]
        expected = [segment(stub, cut(frames, rest=20), frame_results=True)[1:] for frames in streams]
        bad = FRAMES[:400].copy()
        bad[200, 0] = 5000.0
        calls = [Call(stub, config(frame_results=True)) for _ in streams]
        to_blame = Call(stub, config())
        # All at once, so that they meet in batches.
        for requests in zip(*(cut(frames, rest=20) for frames in [*streams, bad]), strict=True):
            for call, request in zip([*calls, to_blame], requests, strict=True):
                call.send(request)
        code, message, _ = status_of(to_blame.failure())
        assert code == grpc.StatusCode.INTERNAL
        assert message.startswith("the model could not be run (error id ")
        for call, wanted in zip(calls, expected, strict=True):
            call.half_close()
            assert content(call.rest()[1:]) == content(wanted)


@pytest.mark.parametrize("end", ["cancel", "poison", "deadline", "half-close"])
def test_whoever_gets_a_slot_next_starts_from_the_initial_state(
    serve: Serve, tmp_path_factory: pytest.TempPathFactory, end: str
) -> None:
    model = TinyModel(name="fragile", poison_above=1000.0)
    bundle = write_tiny_bundle(tmp_path_factory.mktemp("one") / "fragile", model)
    with serve(bundle, max_sessions=1) as (_, stub):
        expected = results(segment(stub, cut(FRAMES[:60]), frame_results=True))
        for _ in range(2):
            call = Call(stub, config(), timeout_s=0.5 if end == "deadline" else PATIENCE_S)
            # On a busy machine a deadline may come at any moment.
            with contextlib.suppress(*([grpc.RpcError] if end == "deadline" else [])):
                call.opened()
                call.send(*cut(motion(300, seed=5)))
                call.read_ack()
            if end == "cancel":
                call.cancel()
            elif end == "poison":
                call.send(chunk(300, np.full((1, 3), 5000.0, "<f4")))
                call.failure()
            elif end == "deadline":
                call.rest()
                assert call.failure().code() == grpc.StatusCode.DEADLINE_EXCEEDED
            else:
                call.half_close()
                call.rest()
            until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "the slot is free")
            assert results(segment(stub, cut(FRAMES[:60]), frame_results=True)) == expected


def test_streams_that_end_in_every_way_at_once_leave_every_slot_free_and_clean(serve: Serve) -> None:
    slots = 8
    with serve(max_sessions=slots) as (_, stub):
        expected = results(segment(stub, cut(FRAMES[:60]), frame_results=True))
        full = grpc.StatusCode.RESOURCE_EXHAUSTED

        def churn(seed: int) -> None:
            random = np.random.default_rng(seed)
            for turn in range(8):
                name = f"s{seed}-{turn}"
                call = Call(stub, config(session_id=name))
                call.send(*cut(motion(200, seed=seed), rest=int(random.integers(1, 60))))
                how = random.integers(0, 4)
                if how == 0:
                    call.cancel()
                elif how == 1:
                    # Cancelled while it is being closed from elsewhere.
                    closing = stub.CloseSession.future(pb.CloseSessionRequest(session_id=name))
                    call.cancel()
                    closing.exception()
                elif how == 2:
                    call.send(chunk(0, FRAMES[:1]))
                    assert status_of(call.failure())[0] in (grpc.StatusCode.INVALID_ARGUMENT, full)
                else:
                    call.half_close()
                    call.rest()

        threads = [threading.Thread(target=churn, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "every stream is gone")

        # Exactly as many streams as there are slots fit, and each starts from the initial state.
        calls: list[Call] = []

        def opens() -> bool:
            call = Call(stub, config(frame_results=True))
            try:
                call.opened()
            except grpc.RpcError:
                return False
            calls.append(call)
            return True

        until(lambda: opens() and len(calls) == slots, "all slots can be lent")
        assert status_of(Call(stub, config()).failure())[0] == full
        for call in calls:
            call.send(*cut(FRAMES[:60]))
            call.half_close()
        for call in calls:
            assert results(call.rest()) == expected


def test_a_client_that_vanishes_frees_its_slot(serve: Serve) -> None:
    with serve(max_sessions=1) as (server, stub):
        own = grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)])
        call = Call(Stub(own), config())
        call.opened()
        call.send(*cut(FRAMES))
        call.read_ack()
        # The connection goes away without a word about the stream.
        own.close()
        call.half_close()
        until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "the stream is gone")
        assert events(segment(stub, cut(FRAMES)))[-1].summary.frames == 900


def test_a_cancelled_stream_is_gone_for_who_waits_for_its_end(running: tuple[BackgroundServer, Stub]) -> None:
    stub = running[1]
    call = Call(stub, config(session_id="waited-for"))
    call.opened()
    call.cancel()
    # It may still be closed before the cancellation comes through; then it is gone the second time.
    with contextlib.suppress(grpc.RpcError):
        stub.CloseSession(pb.CloseSessionRequest(session_id="waited-for"))
    with pytest.raises(grpc.RpcError) as caught:
        stub.CloseSession(pb.CloseSessionRequest(session_id="waited-for"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
