"""The metrics port answers what it is said to answer, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from kineseg_service.server import BackgroundServer
from prometheus_client.parser import text_string_to_metric_families

from tests.service.conftest import Serve
from tests.service.locked import Keyring

PATHS = ["/metrics", "/readyz", "/livez"]


@pytest.fixture(scope="module")
def port(serve: Serve) -> Iterator[int]:
    with serve(metrics_port=0) as (server, _):
        yield port_of(server)


def port_of(server: BackgroundServer) -> int:
    assert server.metrics_port
    return server.metrics_port


def asked(port: int, method: str, path: str) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/metrics", "/metrics?name[]=kineseg_streams_open"])
def test_metrics_are_at_their_path(port: int, path: str) -> None:
    status, headers, body = asked(port, "GET", path)
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    assert "kineseg_streams_open" in {family.name for family in text_string_to_metric_families(body)}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/metrics/", "/Metrics", "/metrics/..", "/readyz/", "/favicon.ico", "/debug"])
def test_other_paths_are_not_found(port: int, method: str, path: str) -> None:
    status, _, body = asked(port, method, path)
    assert status == 404
    assert method == "HEAD" or all(known in body for known in PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_what_only_asks_for_the_head_gets_that(port: int, path: str) -> None:
    status, headers, body = asked(port, "HEAD", path)
    assert (status, body) == (200, "")
    assert headers["Content-Type"] == asked(port, "GET", path)[1]["Content-Type"]
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_nothing_can_be_done_but_to_read(port: int, path: str, method: str) -> None:
    status, headers, _ = asked(port, method, path)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_no_method_gets_around_the_door(serve: Serve, tmp_path: Path) -> None:
    with serve(tokens=Keyring(tmp_path / "tokens.json").path, metrics_port=0) as (server, _):
        for method in ("GET", "HEAD"):
            assert asked(port_of(server), method, "/metrics")[0] == 401
