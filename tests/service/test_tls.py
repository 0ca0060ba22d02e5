"""TLS: only who trusts the server's certificate, and shows one where that is asked, gets through; files may change."""

from __future__ import annotations

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import trustme
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.access.caller import Role
from kineseg_service.access.certificates import BadCertificate, Certificates
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.service.conftest import Serve
from tests.service.locked import OWN, Keyring, bearer, write_pair
from tests.service.talk import PATIENCE_S, Call, Stub, config, cut, motion

CA, STRANGER = trustme.CA(), trustme.CA()


@contextmanager
def safe(server: BackgroundServer, ca: trustme.CA = CA, mine: trustme.LeafCert | None = None) -> Iterator[Stub]:
    """Talks by TLS, trusting this authority, and showing a certificate if there is one."""
    shown = (mine.private_key_pem.bytes(), mine.cert_chain_pems[0].bytes()) if mine is not None else (None, None)
    credentials = grpc.ssl_channel_credentials(ca.cert_pem.bytes(), *shown)
    with grpc.secure_channel(f"localhost:{server.port}", credentials, OWN) as channel:
        yield Stub(channel)


def is_refused(stub: Stub) -> bool:
    with pytest.raises(grpc.RpcError) as caught:
        stub.ListModels(pb.ListModelsRequest(), timeout=PATIENCE_S)
    return caught.value.code() == grpc.StatusCode.UNAVAILABLE


def shown_by(port: int) -> bytes:
    """The certificate that the server shows to a new connection, DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    CA.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        found = connection.getpeercert(binary_form=True)
    assert found is not None
    return found


def der(cert: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(cert.cert_chain_pems[0].bytes().decode())


def test_only_those_who_trust_the_certificate_get_through(serve: Serve, tmp_path: Path) -> None:
    chain, key = write_pair(CA.issue_cert("localhost"), tmp_path)
    with serve(tls_cert=chain, tls_key=key, metrics_port=0) as (server, plain):
        with safe(server) as stub:
            assert stub.ListModels(pb.ListModelsRequest()).models
        with safe(server, STRANGER) as stub:
            assert is_refused(stub)
        assert is_refused(plain)
        context = ssl.create_default_context()
        CA.configure_trust(context)
        with urllib.request.urlopen(f"https://localhost:{server.metrics_port}/metrics", context=context) as response:
            assert b"kineseg_streams_open" in response.read()
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics")


def test_certificates_are_renewed_while_streams_run(serve: Serve, tmp_path: Path) -> None:
    first, second = CA.issue_cert("localhost"), CA.issue_cert("localhost")
    chain, key = write_pair(first, tmp_path)
    with serve(tls_cert=chain, tls_key=key, metrics_port=0) as (server, _), safe(server) as stub:
        call = Call(stub, config())
        call.opened()
        assert shown_by(server.port) == der(first)
        key.write_bytes(second.private_key_pem.bytes())
        assert shown_by(server.port) == der(first), "the key does not fit yet"
        write_pair(second, tmp_path)
        assert shown_by(server.port) == der(second)
        assert server.metrics_port is not None
        assert shown_by(server.metrics_port) == der(second)
        call.send(*cut(motion(60)))
        assert call.failure().code() == grpc.StatusCode.OK


def test_where_clients_must_show_certificates_others_are_refused(serve: Serve, tmp_path: Path) -> None:
    chain, key = write_pair(CA.issue_cert("localhost"), tmp_path)
    clients = trustme.CA()
    authority = tmp_path / "clients.pem"
    clients.cert_pem.write_to_path(authority)
    keys = Keyring(tmp_path / "tokens.json")
    token = keys.make("lab", Role.STREAM)
    settings = {"tls_cert": chain, "tls_key": key, "tls_client_ca": authority, "tokens": keys.path, "metrics_port": 0}
    with serve(**settings) as (server, _):
        with safe(server, mine=clients.issue_cert("rig@example.org")) as stub:
            assert stub.ListModels(pb.ListModelsRequest(), metadata=bearer(token)).models
            with pytest.raises(grpc.RpcError) as caught:
                stub.ListModels(pb.ListModelsRequest())
            assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED, "the token is asked for as well"
        with safe(server) as stub:
            assert is_refused(stub)
        with safe(server, mine=STRANGER.issue_cert("rig@example.org")) as stub:
            assert is_refused(stub)
        context = ssl.create_default_context()
        CA.configure_trust(context)
        with pytest.raises(OSError):
            urllib.request.urlopen(f"https://localhost:{server.metrics_port}/metrics", context=context)


async def test_a_page_follows_the_certificates_as_well(tmp_path: Path) -> None:
    first, second = CA.issue_cert("localhost"), CA.issue_cert("localhost")
    certificates = Certificates(*write_pair(first, tmp_path))
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=certificates.following_context()
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await asyncio.to_thread(shown_by, port) == der(first)
        write_pair(second, tmp_path)
        assert await asyncio.to_thread(shown_by, port) == der(second)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda chain, key: chain.unlink(), "server.pem: it cannot be read"),
        (lambda chain, key: key.write_text("no key"), "server.pem: it does not fit its key"),
        (lambda chain, key: STRANGER.issue_cert("x").private_key_pem.write_to_path(key), "does not fit its key"),
    ],
)
def test_files_that_do_not_fit_keep_the_server_from_starting(tmp_path: Path, spoil: object, says: str) -> None:
    chain, key = write_pair(CA.issue_cert("localhost"), tmp_path)
    spoil(chain, key)  # type: ignore[operator]
    settings = Settings(port=0, metrics_port=None, packaged_bundle=False, tls_cert=chain, tls_key=key)
    with pytest.raises(BadCertificate, match=says):
        BackgroundServer(settings).start()


def test_a_key_with_a_password_is_refused_and_asks_for_none(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    chain, key = write_pair(CA.issue_cert("localhost"), tmp_path)
    open_key = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        open_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(BadCertificate, match="without a password"):
        Certificates(chain, key)
