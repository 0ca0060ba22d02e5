"""One server in two processes: whichever a client reaches answers for both, and one that dies takes only its own."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CannotStart
from kineseg_service.config import Settings
from kineseg_service.processes.port import reserved
from kineseg_service.server import Server
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.locked import Keyring, Shows, write_pair
from tests.service.talk import (
    PATIENCE_S,
    Call,
    Stub,
    Watch,
    chunk,
    config,
    cut,
    events,
    motion,
    segment,
    status_of,
    until,
)
from tests.service.talk_many import as_alone
from tests.service.test_resume import ManyClient

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system cannot share a port")
FRAMES = motion(600)
OWN = [("grpc.use_local_subchannel_pool", 1)]


class Group:
    """A server of two processes, as those who run it see it."""

    def __init__(self, folder: Path, **settings: object) -> None:
        given = {"processes": 2, "port": 0, "metrics_port": 0, "packaged_bundle": "false", "max_sessions": 64}
        environment = os.environ | {f"KINESEG_{name.upper()}": str(value) for name, value in (given | settings).items()}
        environment |= {"KINESEG_LOG_FORMAT": "json", "TMPDIR": str(folder)}
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kineseg_service.server"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        self.lines: list[dict[str, Any]] = []
        self._new: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        try:
            for line in self.process.stderr:
                if line.startswith("{"):
                    self._new.put(json.loads(line))
        finally:
            self._new.put(None)

    def logged(self, event: str) -> dict[str, Any]:
        """The next line about this."""
        while (line := self._new.get(timeout=PATIENCE_S)) is not None:
            self.lines.append(line)
            if line["event"] == event:
                return line
        raise AssertionError(f"it ended without {event!r}: {self.lines}")

    def rest(self) -> list[dict[str, Any]]:
        """All lines, once it has ended."""
        while (line := self._new.get(timeout=PATIENCE_S)) is not None:
            self.lines.append(line)
        return self.lines

    def serving(self) -> Group:
        line = self.logged("serving")
        self.address, self.metrics_port = line["address"], line["metrics_port"]
        return self

    def workers(self) -> list[psutil.Process]:
        return [child for child in psutil.Process(self.process.pid).children() if child.status() != "zombie"]

    def sessions_of(self, index: int, tenant: str = "default") -> set[str]:
        """The sessions that one of its processes has, as it says to the others."""
        [shared] = self._folder.glob("kineseg-*")
        with grpc.insecure_channel(f"unix:{shared}/{index}.sock", OWN) as channel:
            answer = Stub(channel).ListSessions(pb.ListSessionsRequest(), metadata=(("kineseg-tenant", tenant),))
            return {session.session_id for session in answer.sessions}

    def examples(self, family: str) -> set[str]:
        """The streams that are examples of what a histogram has counted."""
        accept = {"Accept": "application/openmetrics-text"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.metrics_port}/metrics", headers=accept)
        with urllib.request.urlopen(request) as response:
            found = list(openmetrics.text_string_to_metric_families(response.read().decode()))
        [samples] = [each.samples for each in found if each.name == family]
        return {sample.exemplar.labels["stream_id"] for sample in samples if sample.exemplar}

    def scrape(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as response:
            text = response.read().decode()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def close(self) -> None:
        workers = self.workers() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        _, left = psutil.wait_procs(workers, PATIENCE_S)
        assert not left, "processes whose supervisor is gone end"
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


@contextmanager
def group(folder: Path, **settings: object) -> Iterator[Group]:
    it = Group(folder, **settings)
    try:
        yield it
    finally:
        it.close()


@contextmanager
def a_stub_to_each(server: Group) -> Iterator[list[Stub]]:
    """Stubs whose connections have ended up at process 0 and at process 1; which it is, the system decides."""
    with ExitStack() as stack:
        found: dict[int, Stub] = {}
        for attempt in range(64):
            stub = Stub(stack.enter_context(grpc.insecure_channel(server.address, OWN)))
            call = Call(stub, config(session_id=f"where.{attempt}"))
            call.opened()
            index = next(i for i in range(2) if f"where.{attempt}" in server.sessions_of(i))
            call.half_close()
            call.rest()
            found.setdefault(index, stub)
            if len(found) == 2:
                break
        yield [found[0], found[1]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty one with a short name: the paths of sockets may not be long."""
    with tempfile.TemporaryDirectory(prefix="k") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def server(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("p")
    with group(folder, bundles=tiny, label_bank=folder / "names.json") as it:
        yield it.serving()


@pytest.fixture(scope="module")
def each(server: Group) -> Iterator[list[Stub]]:
    with a_stub_to_each(server) as stubs:
        yield stubs


@contextmanager
def open_in_each(each: list[Stub], names: tuple[str, str]) -> Iterator[list[Call]]:
    calls: list[Call] = []
    for stub, name in zip(each, names, strict=True):
        calls.append(Call(stub, config(session_id=name)))
        calls[-1].opened()
    try:
        yield calls
    finally:
        for call in calls:
            call.cancel()


def sessions(stub: Stub) -> list[str]:
    return [session.session_id for session in stub.ListSessions(pb.ListSessionsRequest()).sessions]


def gone(stub: Stub, *names: str) -> None:
    until(lambda: not set(names) & set(sessions(stub)), "the sessions have ended")


def test_streams_give_in_each_what_they_give_in_one(serve: Serve, each: list[Stub]) -> None:
    with serve() as (_, stub):
        expected = content(events(segment(stub, cut(FRAMES), session_id="same")))
    for stub in each:
        assert content(events(segment(stub, cut(FRAMES), session_id="same"))) == expected


def test_sessions_are_seen_and_closed_from_either(each: list[Stub], server: Group) -> None:
    with open_in_each(each, ("a", "b")) as calls:
        assert [server.sessions_of(index) for index in range(2)] == [{"a"}, {"b"}]
        for call in calls:
            call.send(*cut(FRAMES[:100]))
            while call.read_ack() < 100:
                pass
        for stub in each:
            assert sessions(stub) == ["a", "b"], "in the order of their opening"
            for name in ("a", "b"):
                session = stub.GetSession(pb.GetSessionRequest(session_id=name)).session
                assert (session.session_id, session.frames_processed) == (name, 100)
        other = each[1].CloseSession(pb.CloseSessionRequest(session_id="a")).summary
        assert (other.frames, other.reason) == (100, pb.END_REASON_CLOSED)
        assert events(calls[0].rest())[-1].summary == other
    gone(each[0], "a", "b")
    for stub in each:
        for ask, request in (
            (stub.GetSession, pb.GetSessionRequest(session_id="a")),
            (stub.CloseSession, pb.CloseSessionRequest(session_id="a")),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                ask(request)  # type: ignore[arg-type]
            code, message, said = status_of(caught.value)  # type: ignore[arg-type]
            assert code is grpc.StatusCode.NOT_FOUND
            assert "no open session 'a'" in message
            assert (said["reason"], said["field"]) == ("SESSION_UNKNOWN", "session_id")


def test_a_name_is_open_once_in_both(each: list[Stub]) -> None:
    with open_in_each(each, ("taken", "other")):
        for stub, name in zip(reversed(each), ("taken", "other"), strict=True):
            code, _, said = status_of(Call(stub, config(session_id=name)).failure())
            assert (code, said["reason"]) == (grpc.StatusCode.ALREADY_EXISTS, "SESSION_EXISTS")
    gone(each[0], "taken", "other")
    for stub in each:  # it is free again, for both
        assert events(segment(stub, cut(FRAMES[:50]), session_id="taken"))[-1].HasField("summary")


def test_a_watcher_of_one_sees_the_events_of_both(each: list[Stub]) -> None:
    watches = [Watch(stub) for stub in each]
    expected: set[tuple[str, int]] = set()
    for stub in each:
        expected |= {(event.stream_id, event.seq) for event in events(segment(stub, cut(FRAMES)))}
    for watch in watches:
        until(lambda watch=watch: len(watch.seen) >= len(expected), "all events arrive")  # type: ignore[misc]
        watch.stop()
        assert sorted((seen.event.stream_id, seen.event.seq) for seen in watch.seen) == sorted(expected)
        assert not any(seen.dropped for seen in watch.seen)
    only = Watch(each[0], session_id="wanted", kinds=["EVENT_KIND_SUMMARY"])
    for stub in each:
        segment(stub, cut(FRAMES), session_id="wanted")
    until(lambda: len(only.seen) == 2, "a summary of each")
    only.stop()
    assert {seen.session_id for seen in only.seen} == {"wanted"}


def test_a_watcher_goes_on_where_it_was_in_both(each: list[Stub]) -> None:
    watch = Watch(each[0], kinds=["EVENT_KIND_SUMMARY"])
    for stub in each * 2:
        segment(stub, cut(FRAMES))
    until(lambda: len(watch.seen) == 4, "all summaries arrive")
    watch.stop()
    for at in range(3):  # at either
        later = Watch(each[at % 2], kinds=["EVENT_KIND_SUMMARY"], cursor=watch.seen[at].cursor)
        until(lambda later=later, at=at: len(later.seen) == 3 - at, "the rest arrives")  # type: ignore[misc]
        later.stop()
        ids = {seen.event.stream_id for seen in later.seen}
        assert ids == {seen.event.stream_id for seen in watch.seen[at + 1 :]}


def test_a_stream_is_resumed_at_either(each: list[Stub]) -> None:
    call = Call(each[0], config(session_id="moves", resumable=True))
    opened = call.opened()
    responses: list[pb.SegmentResponse] = []
    for at, stub in enumerate((each[1], each[0], each[1])):
        call.send(*[chunk(first, FRAMES[first : first + 50]) for first in range(100 * at, 100 * at + 100, 50)])
        while not any(response.ack.frames == 100 * at + 100 for response in responses):
            responses.append(call.read())
        call.cancel()
        seq = max((event.seq for event in events(responses)), default=0)
        resume = pb.ResumeStream(stream_id=opened.stream_id, resume_token=opened.resume_token, last_seq=seq)
        call = Call(stub, pb.SegmentRequest(resume=resume))
        assert call.opened().resumed.next_frame == 100 * at + 100
    call.send(pb.SegmentRequest(end=pb.EndInput()))
    responses += call.rest()
    assert call.call.code() is grpc.StatusCode.OK
    assert [event.seq for event in events(responses)] == list(range(1, len(events(responses)) + 1))
    assert events(responses)[-1].summary.frames == 300
    unknown = pb.ResumeStream(stream_id=opened.stream_id, resume_token="guessed")
    code, _, said = status_of(Call(each[0], pb.SegmentRequest(resume=unknown)).failure())
    assert (code, said["reason"]) == (grpc.StatusCode.NOT_FOUND, "RESUME_UNKNOWN")


def test_a_watch_that_is_refused_says_why(each: list[Stub]) -> None:
    request = pb.WatchEventsRequest()
    request.kinds.append(999)  # type: ignore[arg-type]
    with pytest.raises(grpc.RpcError) as caught:
        list(each[0].WatchEvents(request))
    code, message, said = status_of(caught.value)  # type: ignore[arg-type]
    assert (code, said["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "kinds")
    assert "999" in message


def test_a_name_taught_by_either_is_known_to_both(each: list[Stub]) -> None:
    call = Call(each[0], config(session_id="teacher"))
    call.opened()
    call.send(*cut(FRAMES))
    while call.read_ack() < 600:
        pass
    closed = [s for s in each[1].GetSession(pb.GetSessionRequest(session_id="teacher")).segments if s.end_frame]
    example = pb.FinishedSegment(session_id="teacher", segment_id=closed[0].segment_id)
    # Asked of the process that does not have the session.
    taught = each[1].TeachName(pb.TeachNameRequest(name="waving", segment=example)).name
    assert (taught.name, taught.model, taught.in_use) == ("waving", "tiny", True)
    for stub in each:
        assert [name.name for name in stub.ListNames(pb.ListNamesRequest()).names] == ["waving"]
        found = [event.segment_closed for event in events(segment(stub, cut(FRAMES)))]
        assert "waving" in {one.name for one in found}, "the same motion has the name in both"
    call.half_close()
    call.rest()
    for wrong, reason in ((example.segment_id + 1000, "SEGMENT_UNKNOWN"), (example.segment_id, "SESSION_UNKNOWN")):
        name = "teacher" if reason == "SESSION_UNKNOWN" else "open"
        with open_in_each(each, ("open", "open.too")):
            request = pb.FinishedSegment(session_id=name, segment_id=wrong)
            with pytest.raises(grpc.RpcError) as caught:
                each[1].TeachName(pb.TeachNameRequest(name="x", segment=request))
            assert status_of(caught.value)[2]["reason"] == reason  # type: ignore[arg-type]
        gone(each[0], "open", "open.too")
    assert each[0].ForgetName(pb.ForgetNameRequest(name="waving")).examples == 1
    for stub in each:
        assert not stub.ListNames(pb.ListNamesRequest()).names


def test_names_taught_at_once_are_all_kept(each: list[Stub]) -> None:
    """Each process writes the bank; none may write over what the other has just written."""
    [model] = [model for model in each[0].ListModels(pb.ListModelsRequest()).models if model.is_default]

    def teach(stub: Stub, names: list[str]) -> None:
        for name in names:
            point = [float(100 * places[name])] * model.embedding_dim
            stub.TeachName(pb.TeachNameRequest(name=name, point=pb.EmbeddingPoint(embedding=point)))

    names = [[f"{which}{i}" for i in range(10)] for which in ("left", "right")]
    places = {name: place for place, name in enumerate(itertools.chain(*names))}  # far from each other
    threads = [threading.Thread(target=teach, args=pair) for pair in zip(each, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stub in each:
        known = {name.name for name in stub.ListNames(pb.ListNamesRequest()).names}
        assert known == {*names[0], *names[1]}


def test_streams_of_any_process_are_examples_of_what_is_counted(each: list[Stub], server: Group) -> None:
    for stub in each:
        opened = segment(stub, cut(FRAMES))[0].opened
        until(lambda opened=opened: opened.stream_id in server.examples("kineseg_event_delay_seconds"), "an example")  # type: ignore[misc]


def test_it_is_ready_as_one(server: Group) -> None:
    for path in ("readyz", "livez"):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/{path}") as response:
            assert response.read() == b"yes\n"


def test_metrics_are_sums(each: list[Stub], server: Group) -> None:
    before = server.scrape()

    def rise(name: str, *labels: tuple[str, str]) -> float:
        return server.scrape()[name, labels] - before.get((name, labels), 0.0)

    watch = Watch(each[0])
    with open_in_each(each, ("one", "two")) as calls:
        for call in calls:
            call.send(*cut(FRAMES[:100]))
            while call.read_ack() < 100:
                pass
        assert rise("kineseg_frames_received_total") == 200
        assert server.scrape()["kineseg_streams_open", ()] == 2
        assert server.scrape()["kineseg_watchers_open", ()] == 1
        assert server.scrape()["kineseg_limit_used_ratio", (("limit", "max_sessions"),)] == 1 / 64
    with pytest.raises(grpc.RpcError):
        each[0].GetSession(pb.GetSessionRequest(session_id="nobody"))
    assert rise("kineseg_errors_total", ("code", "NOT_FOUND")) == 1
    watch.stop()
    until(lambda: server.scrape()["kineseg_streams_open", ()] == 0, "no stream is open")
    until(lambda: server.scrape()["kineseg_watchers_open", ()] == 0, "no one watches")


def test_both_are_one_server(each: list[Stub]) -> None:
    opened = [Call(stub, config()) for stub in each]
    ids = {call.opened().server_id for call in opened}
    assert len(ids) == 1
    for call in opened:
        call.half_close()
        call.rest()


def test_one_that_dies_takes_only_its_own_streams_along_and_is_replaced(tiny: Path, folder: Path) -> None:
    with group(folder, bundles=tiny) as server:
        server.serving()
        with a_stub_to_each(server) as each, open_in_each(each, ("lost", "kept")) as calls:
            watch = Watch(each[1])
            for call in calls:
                call.send(*cut(FRAMES[:100]))
                while call.read_ack() < 100:
                    pass
            # Which of them has the connection of the first.
            [peer] = {
                worker
                for worker in server.workers()
                for link in worker.net_connections("unix")
                if str(link.laddr).endswith("/0.sock")
            }
            peer.kill()
            assert status_of(calls[0].failure())[0] is grpc.StatusCode.UNAVAILABLE
            died = server.logged("a process has died, and its streams with it; it is started anew")
            assert (died["pid"], died["status"], died["level"]) == (peer.pid, -signal.SIGKILL, "error")
            assert sessions(each[1]) == ["kept"]
            server.logged("a process serves again")
            with a_stub_to_each(server) as anew:
                # The name is free; what happens in the new process is watched; the other stream goes on.
                lost = events(segment(anew[0], cut(FRAMES), session_id="lost"))
                calls[1].send(*list(cut(FRAMES))[2:])
                calls[1].half_close()
                kept = events(calls[1].rest())
                assert kept[-1].summary.frames == 600
                seen = {(event.stream_id, event.seq) for event in lost} | {(e.stream_id, e.seq) for e in kept}
                until(lambda: seen <= {(s.event.stream_id, s.event.seq) for s in watch.seen}, "all is watched")
                assert server.scrape()["kineseg_frames_received_total", ()] >= 1300, "what it counted is not lost"
            watch.stop()
        # Asked to end, it drains both.
        with a_stub_to_each(server) as each, open_in_each(each, ("x", "y")) as calls:
            with grpc.insecure_channel(server.address, OWN) as channel:
                health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
                assert health.status == health_pb2.HealthCheckResponse.SERVING
            for call in calls:
                call.send(*cut(FRAMES[:100]))
                while call.read_ack() < 100:
                    pass
            server.process.send_signal(signal.SIGTERM)
            for call in calls:
                assert events(call.rest())[-1].summary.reason == pb.END_REASON_DRAINED
        assert server.process.wait(PATIENCE_S) == 0
        assert not list(folder.glob("kineseg-*")), "nothing is left behind"


@pytest.mark.parametrize("what", ["bundle", "port"])
def test_what_keeps_it_from_starting_is_said_once(what: str, tiny: Path, tmp_path: Path, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wrong = {"bundles": tmp_path / "no"} if what == "bundle" else {"port": taken.getsockname()[1]}
        with group(folder, **({"bundles": tiny} | wrong)) as server:
            assert server.process.wait(PATIENCE_S) == 1
            [said] = [line for line in server.rest() if line["level"] in ("error", "critical")]
    assert said["event"] == "cannot start"
    assert ("is the port taken?" if what == "port" else str(tmp_path / "no")) in said["error"]


def test_a_system_that_cannot_share_ports_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(CannotStart, match=r"leave processes at 1, and start one server a port"):
        reserved("127.0.0.1", 0)


def test_a_port_that_others_share_is_taken_all_the_same() -> None:
    with reserved("127.0.0.1", 0) as ours:
        ours.listen()
        with pytest.raises(CannotStart, match="is the port taken"):
            reserved("127.0.0.1", ours.getsockname()[1])


def test_how_many() -> None:
    assert Settings(processes=3).processes == 3
    assert Settings(processes="auto").processes >= 1
    for wrong, says in ((0, "greater than or equal to 1"), (257, "less than or equal to 256"), ("many", 'or "auto"')):
        with pytest.raises(ValidationError, match=f"processes\n.*{says}"):
            Settings(processes=wrong)


def test_a_server_within_a_process_is_one() -> None:
    with pytest.raises(ValueError, match="processes is 2"):
        Server(Settings(processes=2, port=0, metrics_port=None))


def test_every_process_has_the_same_door(tiny: Path, tmp_path: Path, folder: Path) -> None:
    authority = trustme.CA()
    chain, key = write_pair(authority.issue_cert("localhost"), tmp_path)
    keys = Keyring(tmp_path / "tokens.json")
    ours, theirs = keys.make("ours"), keys.make("theirs")
    locks = {"tls_cert": chain, "tls_key": key, "tokens": keys.path, "tenants": '{"ours": {"streams": 1}}'}
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    with ExitStack() as stack:
        server = stack.enter_context(group(folder, bundles=tiny, **locks)).serving()
        address = server.address.replace("127.0.0.1", "localhost")

        def channel(token: str) -> Stub:
            made = stack.enter_context(grpc.secure_channel(address, credentials, OWN))
            return Stub(grpc.intercept_channel(made, Shows(token)))

        # By connections of its own each, until both processes have one.
        calls: list[Call] = []
        while len(calls) < 60 and not all(server.sessions_of(index, "theirs") for index in range(2)):
            calls.append(Call(channel(theirs), config(session_id=f"s{len(calls)}")))
            calls[-1].opened()
        everyone = {f"s{number}" for number in range(len(calls))}
        for _ in range(4):  # whichever process they reach
            listed = channel(theirs).ListSessions(pb.ListSessionsRequest()).sessions
            assert {one.session_id for one in listed} == everyone
            assert not channel(ours).ListSessions(pb.ListSessionsRequest()).sessions
            with pytest.raises(grpc.RpcError) as caught:
                channel(ours).GetSession(pb.GetSessionRequest(session_id="s0"))
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND
            with pytest.raises(grpc.RpcError) as caught:
                channel("no token").ListSessions(pb.ListSessionsRequest())
            assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
        taken = Call(channel(ours), config(session_id="s0"))
        assert taken.opened().session_id == "s0"

        def may_open_more() -> bool:
            more = Call(channel(ours), config())
            try:
                more.opened()
            except grpc.RpcError as error:
                refused = status_of(error)  # type: ignore[arg-type]
            else:
                more.cancel()
                return True
            assert refused[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
            return False

        # Its one stream counts in either process, whichever calls reach.
        until(lambda: not any(may_open_more() for _ in range(8)), "the other process knows of it")
        context = ssl.create_default_context()
        authority.configure_trust(context)
        url = f"https://localhost:{server.metrics_port}/metrics"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url, context=context)
        refused.value.close()
        assert refused.value.code == 401
        token = keys.make("theirs")
        shown = {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=shown), context=context) as response:
            text = response.read().decode()
        assert f'kineseg_tenant_streams_open{{tenant="theirs"}} {len(calls)}' in text.replace(".0\n", "\n")
        assert 'tenant="ours"' not in text
        keys.revoke(token)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, headers=shown), context=context)
        refused.value.close()
        assert refused.value.code == 401
        for call in [*calls, taken]:
            call.cancel()


def go_on_at_either(server: Group, one: Stub, other: Stub) -> None:
    """Sessions of one call that breaks, again and again, and of which each process has the end."""
    client = ManyClient(one)
    for at, stub in ((0, other), (100, one)):
        client.send(at, at + 100)
        client.many.until_acked(1, at + 100)
        client.many.until_acked(2, at + 100)
        client.break_off()
        client.stub = stub
        assert client.come_back() == [pb.Resumed(next_frame=at + 100)] * 2
    names = {opened.session_id for opened in client.opened.values()}
    assert (server.sessions_of(0) & names, server.sessions_of(1) & names) == (names, set())
    client.many.send(pb.SegmentManyRequest(ends=[1, 2]))
    client.many.until_closed(1, 2)
    client.break_off()
    # And the end is had of the other.
    client.stub = other
    assert client.come_back() == [pb.Resumed(next_frame=200, input_ended=True)] * 2
    for outputs in client.outputs.values():
        seqs = [event.seq for event in events(as_alone(outputs))]
        assert seqs == list(range(1, len(seqs) + 1))
        assert events(as_alone(outputs))[-1].summary.frames == 200


def test_sessions_of_one_call_are_resumed_at_either(server: Group, each: list[Stub]) -> None:
    go_on_at_either(server, *each)


def test_sessions_of_one_call_that_are_in_a_store_are_resumed_at_either(folder: Path, tiny: Path) -> None:
    (folder / "key").write_bytes(bytes(range(32)))
    store = {"store": f"sqlite:{folder / 'streams.db'}", "store_key": folder / "key"}
    with group(folder, bundles=tiny, **store) as server, a_stub_to_each(server.serving()) as each:
        go_on_at_either(server, *each)
