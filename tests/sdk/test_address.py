"""Where a server is: what people write is understood, or refused with what to write instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import kineseg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg._address import checked_address
from kineseg.v1 import segmentation_pb2 as pb


@pytest.mark.parametrize(
    ("given_", "meant"),
    [
        ("localhost", "localhost:50051"),
        (" localhost:7 ", "localhost:7"),
        ("10.0.0.7", "10.0.0.7:50051"),
        ("capture-pc.lab.example:65535", "capture-pc.lab.example:65535"),
        ("::1", "[::1]:50051"),
        ("[::1]", "[::1]:50051"),
        ("[fe80::1%eth0]:9", "[fe80::1%eth0]:9"),
        ("dns:///kineseg:50051", "dns:///kineseg:50051"),
        ("unix:/run/kineseg.sock", "unix:/run/kineseg.sock"),
        ("ipv4:127.0.0.1:50051", "ipv4:127.0.0.1:50051"),
    ],
)
def test_an_address_gets_the_default_port(given_: str, meant: str) -> None:
    assert kineseg.Client(given_).address == meant
    assert kineseg.AsyncClient(given_).address == meant


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://localhost:50051", "give 'localhost:50051'"),
        ("https://host", "give 'host', and tls=True"),
        ("grpc://host:1/path", "give 'host:1'"),
        ("tcp://", "host:port"),
        ("host:", "port"),
        ("host:abc", "port"),
        ("host:0", "port"),
        ("host:65536", "port"),
        ("host:²", "port"),
        (":50051", "host:port"),
        ("a host:1", "host:port"),
        ("user@host:1", "host:port"),
        ("host/path", "host:port"),
        ("[::1", "host:port"),
        ("", "host:port"),
        (None, "host:port"),
        (50051, "host:port"),
    ],
)
def test_what_is_no_address_is_refused_with_the_remedy(address: Any, says: str) -> None:
    for client in (kineseg.Client, kineseg.AsyncClient):
        with pytest.raises(kineseg.InvalidRequest, match=r"address|port") as caught:
            client(address)
        assert caught.value.field == "address"
        assert says in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(kineseg.InvalidRequest):
        address = checked_address(text)
        assert checked_address(address) == address


def test_a_host_without_a_port_reaches_the_server_that_listens_there(scripted: Any) -> None:
    port = scripted.address.rsplit(":", 1)[1]
    with kineseg.Client(f"localhost:{port}") as client:
        assert client.health() is kineseg.Health.SERVING
    # Nothing listens at the default port of an address of the loopback range that no one uses.
    with (
        kineseg.Client("127.99.99.99", retries=0, timeout=5) as client,
        pytest.raises(kineseg.Unavailable, match=r"127\.99\.99\.99:50051"),
    ):
        client.health()


def test_who_cannot_be_asked_here_is_asked_at_the_next_address(connect: Any, scripted: Any, script: ModuleType) -> None:
    def one(request: Any, context: Any) -> Iterator[pb.WatchEventsResponse]:
        yield pb.WatchEventsResponse(session_id="s", event=pb.Event(seq=1))

    scripted.segment, scripted.watch = script.acknowledge_all, one
    addresses = f"127.99.99.99,127.99.99.98,{scripted.address}"  # of the loopback range that no one uses
    client = connect(addresses, retries=2)
    assert [model.name for model in client.models()] == ["scripted"]
    assert client.address == scripted.address
    with connect(addresses, retries=2).stream(rate=30) as stream:
        assert stream.session_id == "scripted-1"
    with connect(addresses, retries=2).watch() as watch:
        assert next(watch).session_id == "s"
    assert scripted.calls == ["ListModels", "Segment", "WatchEvents"]
    with pytest.raises(kineseg.Unavailable, match=r"127\.99\.99\.98"):
        connect(addresses, retries=1).models()
