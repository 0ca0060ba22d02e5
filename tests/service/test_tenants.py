"""Tenants: whatever one of them calls, there is nothing of another to see, to disturb or to guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.conftest import Serve
from tests.service.locked import Keyring, stub_with
from tests.service.talk import Call, Stub, Watch, config, cut, events, motion, segment, status_of, until

# Three actions of six seconds, one after the other: segments long enough to learn from.
LEVELS = [(3.0, -1.0, -1.0), (-1.0, 3.0, -1.0), (-1.0, -1.0, 3.0), (3.0, -1.0, -1.0)]
FRAMES = np.random.default_rng(0).normal(np.repeat(LEVELS, 180, axis=0), 0.2).astype("<f4")
UNKNOWN = "nobody"


@dataclass
class Theirs:
    """What another tenant has: an open session with segments, and a name."""

    stub: Stub
    call: Call
    opened: pb.Opened
    segment_id: int
    banks: Path


@pytest.fixture(scope="module")
def tenants(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stub, Theirs]]:
    """What one tenant calls with, and what the other has."""
    folder = tmp_path_factory.mktemp("tenants")
    keys = Keyring(folder / "tokens.json")
    settings = {"tokens": keys.path, "label_bank": folder / "names.json"}
    with (
        serve(**settings) as (server, _),
        stub_with(server.address, keys.make("ours")) as ours,
        stub_with(server.address, keys.make("theirs")) as theirs,
    ):
        call = Call(theirs, config(session_id="secret"))
        opened = call.opened()
        call.send(*cut(FRAMES))
        found: list[pb.SegmentClosed] = []

        def closed() -> bool:
            found[:] = theirs.GetSession(pb.GetSessionRequest(session_id="secret")).segments
            return bool(found)

        until(closed, "a segment is closed")
        segment_id = max(found, key=lambda one: one.end_frame - one.start_frame).segment_id
        example = pb.FinishedSegment(session_id="secret", segment_id=segment_id)
        theirs.TeachName(pb.TeachNameRequest(name="handshake", segment=example))
        yield ours, Theirs(theirs, call, opened, segment_id, folder)
        assert theirs.ListNames(pb.ListNamesRequest()).names[0].name == "handshake"
        assert call.failure().code() == grpc.StatusCode.OK, "it has not been disturbed"


def refusal(call: Callable[[str], object], session_id: str) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    with pytest.raises(grpc.RpcError) as caught:
        call(session_id)
    code, message, said = status_of(caught.value)
    return code, message.replace(session_id, "..."), said


def is_as_if_there_were_none(theirs: Theirs, call: Callable[[str], object]) -> None:
    """The name and the id of another's session are refused in the very words in which any other is."""
    unknown = refusal(call, UNKNOWN)
    assert unknown[0] == grpc.StatusCode.NOT_FOUND
    assert refusal(call, "secret") == refusal(call, theirs.opened.stream_id) == unknown


def segment_call(ours: Stub, theirs: Theirs) -> None:
    for name in ("secret", theirs.opened.stream_id):  # which are free for us
        assert events(segment(ours, cut(motion(60)), session_id=name))[-1].HasField("summary")


def segment_many(ours: Stub, theirs: Theirs) -> None:
    wanted = pb.OpenSession(session=1, config=config(session_id="secret").config)
    responses = list(ours.SegmentMany(iter([pb.SegmentManyRequest(opens=[wanted])])))
    assert [one.opened.session_id for response in responses for one in response.opened] == ["secret"]
    assert not any(one.HasField("failure") for response in responses for one in response.closed)


def watch_events(ours: Stub, theirs: Theirs) -> None:
    all_of_us, by_name = Watch(ours), Watch(ours, session_id=theirs.opened.stream_id)
    other = Watch(theirs.stub)
    segment(theirs.stub, cut(FRAMES), session_id="noise")
    until(lambda: any(one.event.HasField("summary") for one in other.seen), "they have got their events")
    segment(ours, cut(motion(60)), session_id="ours")
    until(lambda: any(one.event.HasField("summary") for one in all_of_us.seen), "we have got ours")
    for watch in (all_of_us, by_name, other):
        watch.stop()
    assert {one.session_id for one in all_of_us.seen} == {"ours"}
    assert {one.session_id for one in other.seen} <= {"noise", "secret"}
    assert not by_name.seen


def list_models(ours: Stub, theirs: Theirs) -> None:
    request = pb.ListModelsRequest()
    assert ours.ListModels(request) == theirs.stub.ListModels(request), "models are the server's"


def list_sessions(ours: Stub, theirs: Theirs) -> None:
    assert not ours.ListSessions(pb.ListSessionsRequest()).sessions
    assert [one.session_id for one in theirs.stub.ListSessions(pb.ListSessionsRequest()).sessions] == ["secret"]


def get_session(ours: Stub, theirs: Theirs) -> None:
    is_as_if_there_were_none(theirs, lambda name: ours.GetSession(pb.GetSessionRequest(session_id=name)))


def close_session(ours: Stub, theirs: Theirs) -> None:
    is_as_if_there_were_none(theirs, lambda name: ours.CloseSession(pb.CloseSessionRequest(session_id=name)))


def teach_name(ours: Stub, theirs: Theirs) -> None:
    def teach(name: str) -> object:
        example = pb.FinishedSegment(session_id=name, segment_id=theirs.segment_id)
        return ours.TeachName(pb.TeachNameRequest(name="stolen", segment=example))

    is_as_if_there_were_none(theirs, teach)


def list_names(ours: Stub, theirs: Theirs) -> None:
    assert not ours.ListNames(pb.ListNamesRequest()).names


def forget_name(ours: Stub, theirs: Theirs) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ours.ForgetName(pb.ForgetNameRequest(name="handshake"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


CALLS = {
    "Segment": segment_call,
    "SegmentMany": segment_many,
    "WatchEvents": watch_events,
    "ListModels": list_models,
    "ListSessions": list_sessions,
    "GetSession": get_session,
    "CloseSession": close_session,
    "TeachName": teach_name,
    "ListNames": list_names,
    "ForgetName": forget_name,
}


def test_every_call_is_tried() -> None:
    assert set(CALLS) == {method.name for method in pb.DESCRIPTOR.services_by_name["SegmentationService"].methods}


@pytest.mark.parametrize("call", CALLS)
def test_nothing_of_another_tenant_is_there(tenants: tuple[Stub, Theirs], call: str) -> None:
    CALLS[call](*tenants)


def test_names_of_one_tenant_name_no_segment_of_another(tenants: tuple[Stub, Theirs]) -> None:
    ours, theirs = tenants
    named = {event.segment_closed.name for event in events(segment(theirs.stub, cut(FRAMES)))}
    assert "handshake" in named
    assert "handshake" not in {event.segment_closed.name for event in events(segment(ours, cut(FRAMES)))}


def test_each_tenant_has_a_name_bank_of_its_own(tenants: tuple[Stub, Theirs]) -> None:
    bank = tenants[1].banks / "names.theirs.json"
    assert "handshake" in bank.read_text(encoding="utf-8")
    assert not bank.with_name("names.json").exists()
