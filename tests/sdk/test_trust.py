"""Whom a client trusts and who it says it is: arguments, environment and file; and what it says when TLS fails."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import kineseg
import pytest
import trustme
from kineseg._handshake import handshake_error

CA, STRANGER = trustme.CA(), trustme.CA()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SecureServer = Callable[..., Any]


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def secure(script: ModuleType) -> Iterator[SecureServer]:
    """Starts a scripted server with this certificate, at `localhost`."""
    servers = []

    def start(certificate: trustme.LeafCert, clients: trustme.CA | None = None) -> Any:
        pair = (certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())
        authority = None if clients is None else clients.cert_pem.bytes()
        service = script.Scripted()
        credentials = grpc.ssl_server_credentials([pair], authority, clients is not None)
        servers.append(script.serve_scripted(service, credentials))
        service.address = service.address.replace("127.0.0.1", "localhost")
        return service

    yield start
    for server in servers:
        server.stop(0).wait()


def test_a_token_is_sent_by_tls_with_every_call(connect: Any, secure: SecureServer, ca: Path) -> None:
    service = secure(CA.issue_cert("localhost"))
    for tls in (str(ca), ca, kineseg.TLS(ca=ca)):
        client = connect(service.address, tls=tls, token="kineseg_1_2")
        client.models()
        with client.stream(rate=30):
            pass
    assert [seen["authorization"] for seen in service.metadata] == ["Bearer kineseg_1_2"] * 6


def test_the_environment_and_the_file_say_what_arguments_do_not(
    connect: Any, secure: SecureServer, ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = secure(CA.issue_cert("localhost"))
    (tmp_path / "token").write_text("of_the_file\n", encoding="utf-8")
    config = tmp_path / "config" / "kineseg" / "client.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f"[\"{service.address}\"]\nca = '{ca}'\ntoken_file = '{tmp_path / 'token'}'\n[other]\ntoken = 'other'\n",
        encoding="utf-8",
    )
    connect(service.address).models()
    monkeypatch.setenv("KINESEG_TOKEN", "of_the_environment")
    connect(service.address).models()
    connect(service.address, token="of_the_argument").models()
    config.unlink()
    monkeypatch.setenv("KINESEG_CA", str(ca))
    connect(service.address).models()
    shown = [seen["authorization"].removeprefix("Bearer ") for seen in service.metadata]
    assert shown == ["of_the_file", "of_the_environment", "of_the_argument", "of_the_environment"]
    with pytest.raises(kineseg.Unavailable, match="if it has TLS"):
        connect(service.address, tls=False).models()


def test_what_the_server_did_is_not_hidden_by_an_address_where_no_one_is() -> None:
    unreached = kineseg.Unavailable(
        "failed to connect to all addresses; last error: ipv6:%5B::1%5D: Connection refused"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = handshake_error(unreached, f"localhost:{port}", is_safe=False)
        assert said is not None
        assert "if it has TLS" in said.message
        assert handshake_error(unreached, f"localhost:{port}", is_safe=True) is None
    assert handshake_error(unreached, f"localhost:{port}", is_safe=False) is None
    assert handshake_error(unreached, "example.org:443", is_safe=False) is None


def test_a_server_may_ask_for_a_certificate(connect: Any, secure: SecureServer, ca: Path, tmp_path: Path) -> None:
    service = secure(CA.issue_cert("localhost"), clients=CA)
    mine = CA.issue_cert("rig@example.org")
    cert, key = tmp_path / "mine.pem", tmp_path / "mine.key"
    mine.cert_chain_pems[0].write_to_path(cert)
    mine.private_key_pem.write_to_path(key)
    assert connect(service.address, tls=kineseg.TLS(ca=ca, cert=cert, key=key)).health() is kineseg.Health.SERVING
    with pytest.raises(kineseg.Unavailable, match=r"certificate.*tls=TLS\(cert="):
        connect(service.address, tls=ca).health()


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        (STRANGER.issue_cert("localhost"), r"not of an authority that is trusted here.*KINESEG_CA"),
        (CA.issue_cert("example.org"), r"of another name than the address.*server_name"),
        (CA.issue_cert("localhost", not_before=LONG_AGO, not_after=LONG_AGO.replace(year=2021)), r"has expired"),
    ],
)
def test_a_certificate_that_is_not_right_says_what_is_wrong(
    connect: Any, secure: SecureServer, ca: Path, certificate: trustme.LeafCert, says: str
) -> None:
    service = secure(certificate)
    client = connect(service.address, tls=ca, retries=3)
    for act in (client.models, client.health, lambda: client.stream(rate=30).__enter__()):
        with pytest.raises(kineseg.CertificateError, match=says) as caught:
            act()
        assert not caught.value.retryable
        assert service.address in str(caught.value)
    assert service.calls == []


def test_another_name_may_be_meant(connect: Any, secure: SecureServer, ca: Path) -> None:
    service = secure(CA.issue_cert("example.org"))
    named = kineseg.TLS(ca=ca, server_name="example.org")
    assert connect(service.address, tls=named).health() is kineseg.Health.SERVING


def test_tls_with_a_server_that_has_none(connect: Any, scripted: Any, ca: Path) -> None:
    with pytest.raises(kineseg.CertificateError, match="the server has no TLS"):
        connect(scripted.address, tls=ca).models()


@pytest.mark.parametrize("address", ["motion.example.org:443", "192.0.2.7", "[2001:db8::1]:50051", "dns:///far:443"])
def test_a_token_is_not_sent_for_everyone_to_read(address: str) -> None:
    with pytest.raises(kineseg.InvalidRequest, match="for everyone on the way to read") as caught:
        kineseg.Client(address, token="kineseg_1_2")
    assert caught.value.field == "token"
    assert "kineseg_1_2" not in str(caught.value)
    kineseg.Client(address, token="kineseg_1_2", tls=True).close()


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:443", "[::1]:443", "unix:/tmp/a.sock", "dns:localhost:4"])
def test_within_this_machine_a_token_needs_no_tls(address: str) -> None:
    kineseg.Client(address, token="kineseg_1_2").close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"tls": "nowhere.pem"}, "nowhere.pem: it cannot be read"),
        ({"tls": __file__}, "no PEM file of certificates"),
        ({"tls": kineseg.TLS(cert=__file__)}, "give both"),
        ({"tls": kineseg.TLS(cert=__file__, key=__file__)}, "does not fit"),
        ({"tls": True, "credentials": grpc.local_channel_credentials()}, "not both"),
        ({"token": "two words"}, "the token is not one"),
        ({"token": "line\nbreak"}, "the token is not one"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(kineseg.InvalidRequest, match=says):
        kineseg.Client("localhost", **arguments)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[", "is not TOML"),
        ('["localhost:50051"]\ntokens = "x"', "tokens: there are tls, ca"),
        ('["localhost:50051"]\ntls = "yes"', "tls: there are"),
        ('"localhost:50051" = 3', "must be a table"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    content: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.toml"
    monkeypatch.setenv("KINESEG_CLIENT_CONFIG", str(path))
    with pytest.raises(kineseg.InvalidRequest, match="there is no file"):
        kineseg.Client()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(kineseg.InvalidRequest, match=says):
        kineseg.Client()
