"""Tokens: every call needs one that counts and has the role for it, and no token is ever logged."""

from __future__ import annotations

import base64
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.access.caller import Role
from kineseg_service.access.rules import OPEN, ROLES
from kineseg_service.access.token_file import BadTokens, Tokens, new_token
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from tests.service.conftest import Serve
from tests.service.locked import OWN, Keyring, bearer, stub_with
from tests.service.talk import Call, config, cut, motion, segment, status_of, until

FILES = (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
METHODS = {
    f"/{service.full_name}/{method.name}": method
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
}
# What a call that is let in says at once: nothing may wait in these tests.
REQUESTS = {"/kineseg.v1.SegmentationService/WatchEvents": pb.WatchEventsRequest(kinds=[99]).SerializeToString()}  # type: ignore[list-item]
SHUT = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("keys") / "tokens.json")


@pytest.fixture(scope="module")
def server(serve: Serve, keys: Keyring) -> Iterator[BackgroundServer]:
    with serve(tokens=keys.path, metrics_port=0) as (server, _):
        yield server


def ask(address: str, method: str, metadata: tuple[tuple[str, str], ...]) -> grpc.Call:
    """A call of a method with nothing to say, once it has ended or has given its first answer."""
    request = REQUESTS.get(method, b"")
    described = METHODS[method]
    with grpc.insecure_channel(address, OWN) as channel:
        if described.client_streaming:
            call: Any = channel.stream_stream(method)(iter([request]), metadata=metadata)
        else:
            call = channel.unary_stream(method)(request, metadata=metadata)
        try:
            next(call, None)
            call.cancel()
        except grpc.RpcError:
            pass
        return call


def test_every_call_has_a_rule() -> None:
    assert set(METHODS) == set(ROLES) | OPEN
    assert not set(ROLES) & OPEN


@pytest.mark.parametrize("method", METHODS)
def test_each_call_needs_its_role(server: BackgroundServer, keys: Keyring, method: str) -> None:
    missing = ask(server.address, method, ())
    if method in OPEN:
        assert missing.code() not in SHUT
        return
    code, message, said = status_of(missing)
    assert (code, said["reason"]) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
    assert "kineseg token new" in message
    for role in Role:
        call = ask(server.address, method, bearer(keys.make("lab", role)))
        if role in ROLES[method]:
            assert call.code() not in SHUT, (role, call.details())
        else:
            code, message, said = status_of(call)
            assert (code, said["reason"]) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
            assert f"has the roles {role}" in message


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer ",
        "Bearer kineseg_000000000000_secret",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {id}",
        "Bearer ___",
    ],
)
def test_what_is_no_token_is_refused(server: BackgroundServer, keys: Keyring, shown: str) -> None:
    token = keys.make("lab")
    text = shown.format(token=token, id=token.rpartition("_")[0])
    call = ask(server.address, "/kineseg.v1.SegmentationService/ListModels", (("authorization", text),))
    code, message, said = status_of(call)
    assert (code, said["reason"]) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    assert token not in message


def test_a_token_ends_when_it_says_so(server: BackgroundServer, keys: Keyring) -> None:
    over = keys.make("lab", Role.STREAM, expires=datetime.now(UTC) - timedelta(seconds=1))
    call = ask(server.address, "/kineseg.v1.SegmentationService/ListModels", bearer(over))
    code, message, said = status_of(call)
    assert (code, said["reason"]) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
    assert over.split("_")[1] in message
    assert over not in message


def test_revoking_a_token_ends_its_calls_and_no_others(server: BackgroundServer, keys: Keyring) -> None:
    token, other = keys.make("lab", Role.STREAM), keys.make("lab", Role.STREAM)
    with stub_with(server.address, token) as stub, stub_with(server.address, other) as unharmed:
        call, goes_on = Call(stub, config()), Call(unharmed, config())
        call.opened(), goes_on.opened()
        keys.revoke(token)
        code, message, said = _ended(call)
        assert (code, said["reason"]) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
        assert "revoked" in message
        goes_on.send(*cut(motion(60)))
        assert goes_on.failure().code() == grpc.StatusCode.OK


def _ended(call: Call) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """How a call ended that its client has not ended."""
    with pytest.raises(grpc.RpcError):
        list(call.call)
    return status_of(call.call)


def test_a_token_file_that_is_broken_leaves_the_tokens_as_they_were(server: BackgroundServer, keys: Keyring) -> None:
    token = keys.make("lab")
    with stub_with(server.address, token) as stub:
        stub.ListModels(pb.ListModelsRequest())
        keys.path.write_text("{", encoding="utf-8")
        with pytest.raises(grpc.RpcError), stub_with(server.address, "no token") as stranger:
            stranger.ListModels(pb.ListModelsRequest())  # which makes the server look at the file
        stub.ListModels(pb.ListModelsRequest())
        keys.tokens.save(keys.path)


def scrape(
    server: BackgroundServer, token: str = ""
) -> tuple[int, dict[tuple[str, tuple[tuple[str, str], ...]], float]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{server.metrics_port}/metrics", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            text = response.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, {}
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return 200, {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def test_metrics_are_behind_the_same_door(server: BackgroundServer, keys: Keyring) -> None:
    assert scrape(server)[0] == 401
    assert scrape(server, "kineseg_1_2")[0] == 401
    assert scrape(server, keys.make("default", Role.STREAM, Role.WATCH, Role.NAMES))[0] == 403
    status, values = scrape(server, keys.make("default", Role.ADMIN))
    assert status == 200
    before = values["kineseg_refused_total", (("reason", "TOKEN_MISSING"),)]
    ask(server.address, "/kineseg.v1.SegmentationService/ListModels", ())
    after = scrape(server, keys.make("default", Role.ADMIN))[1]
    assert after["kineseg_refused_total", (("reason", "TOKEN_MISSING"),)] == before + 1
    assert after["kineseg_refused_total", (("reason", "ROLE_MISSING"),)] >= 1


def test_a_tenant_reads_its_own_metrics_and_no_others(server: BackgroundServer, keys: Keyring) -> None:
    for tenant in ("seen", "hidden"):
        with stub_with(server.address, keys.make(tenant, Role.STREAM)) as stub:
            segment(stub, cut(motion(60)))
    own = scrape(server, keys.make("seen", Role.ADMIN))[1]
    assert own["kineseg_tenant_frames_received_total", (("tenant", "seen"),)] == 60
    assert {dict(labels).get("tenant") for _, labels in own} == {"seen"}
    everything = scrape(server, keys.make("default", Role.ADMIN))[1]
    assert everything["kineseg_tenant_frames_received_total", (("tenant", "hidden"),)] == 60
    assert ("kineseg_streams_open", ()) in everything


def test_a_connection_that_says_nothing_keeps_no_one_from_the_metrics(server: BackgroundServer, keys: Keyring) -> None:
    assert server.metrics_port is not None
    with socket.create_connection(("127.0.0.1", server.metrics_port)):
        assert scrape(server, keys.make("default", Role.ADMIN))[0] == 200


def test_refusals_are_logged_and_no_token_is(
    serve: Serve, tmp_path: Path, set_logs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Keyring(tmp_path / "tokens.json")
    good, weak = keys.make("lab"), keys.make("lab", Role.WATCH)
    over = keys.make("lab", expires=datetime.now(UTC))
    wrong = new_token("lab", [Role.STREAM])[0]
    set_logs("debug", "json")
    with serve(tokens=keys.path) as (server, _):
        for token in (weak, over, wrong):
            ask(server.address, "/kineseg.v1.SegmentationService/Segment", bearer(token))
        with stub_with(server.address, good) as stub:
            segment(stub, cut(motion(60)))
    log = capsys.readouterr().err
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line["event"] == "refused"]
    assert [line["reason"] for line in refused] == ["ROLE_MISSING", "TOKEN_EXPIRED", "TOKEN_INVALID"]
    assert {line["peer"] for line in refused} == {"127.0.0.1"}
    assert {line["method"] for line in refused} == {"/kineseg.v1.SegmentationService/Segment"}
    for token in (good, weak, over, wrong):
        secret = token.split("_", 2)[2]
        assert secret not in log
        assert base64.b64encode(token.encode()).decode() not in log


def test_who_knocks_all_day_does_not_fill_the_log(
    serve: Serve, tmp_path: Path, set_logs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    set_logs("debug", "json")
    with serve(tokens=Keyring(tmp_path / "tokens.json").path) as (_, stub):
        started = time.monotonic()
        for _ in range(300):
            with pytest.raises(grpc.RpcError):
                stub.ListModels(pb.ListModelsRequest())
        took = time.monotonic() - started
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line["event"] == "refused"]
    assert 1 <= len(refused) <= 11 + 5 * took
    assert sum(1 + line["others_before"] for line in refused) <= 300


def test_no_tenant_takes_the_calls_and_openings_of_others(serve: Serve, tmp_path: Path) -> None:
    keys = Keyring(tmp_path / "tokens.json")
    with (
        serve(tokens=keys.path, max_opening=8) as (server, _),
        stub_with(server.address, keys.make("greedy", Role.STREAM)) as greedy,
        stub_with(server.address, keys.make("other", Role.STREAM)) as other,
    ):
        silent = [Call(greedy, None) for _ in range(8)]  # which never say what they are
        until(lambda: sum(not call.call.is_active() for call in silent) == 3, "one more than half may wait")
        assert segment(other, cut(motion(60)))
        assert sum(not call.call.is_active() for call in silent) == 3
        for call in silent:
            call.cancel()


def test_the_file_holds_no_token(keys: Keyring) -> None:
    token = keys.make("lab")
    text = keys.path.read_text(encoding="utf-8")
    assert token.split("_")[1] in text
    assert token.split("_", 2)[2] not in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ("[]", "schema_version 1"),
        ('{"schema_version": 1, "tokens": [3]}', r"tokens\[0\] must be an object"),
        ('{"schema_version": 1, "tokens": [{"id": "x"}]}', r"tokens\[0\].id"),
        ('{"schema_version": 1, "tokens": [{"expire": null}]}', "there is no 'expire'"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_none_of_tokens_keeps_the_server_from_starting(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadTokens, match=says):
        BackgroundServer(Settings(port=0, metrics_port=None, packaged_bundle=False, tokens=path)).start()


@pytest.mark.parametrize("field", ["roles", "tenant", "sha256", "expires"])
def test_an_entry_that_cannot_be_read_is_named(tmp_path: Path, field: str) -> None:
    path = tmp_path / "tokens.json"
    Tokens().with_token(new_token("lab", [Role.STREAM])[1]).save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["tokens"][0][field] = ["king"] if field == "roles" else "!"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BadTokens, match=rf"tokens\[0\].{field} must be"):
        Tokens.load(path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "motion.example.org"])
def test_an_open_address_without_tls_has_to_be_meant(host: str) -> None:
    with pytest.raises(ValidationError, match=r"tls_cert and tls_key .* insecure \(--insecure\)"):
        Settings(host=host)
    assert Settings(host=host, insecure=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_needs_no_tls(host: str) -> None:
    assert Settings(host=host).tls_cert is None


def test_half_a_lock_is_none() -> None:
    with pytest.raises(ValidationError, match="tls_key is missing"):
        Settings(tls_cert=Path("a.pem"))
    with pytest.raises(ValidationError, match="needs TLS"):
        Settings(tls_client_ca=Path("a.pem"))
