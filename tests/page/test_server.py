"""The page's server: who is let in, what it hands out, and what it makes of nonsense."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from kineseg import NotFound
from kineseg.page import Hub, StreamInfo
from kineseg.page.access import Access, Guest, new_token
from kineseg.page.document import bundled_script, static_file
from kineseg.page.server import PageServer

TOKEN, OTHER = "a-token", "another-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def teach(stream: str, segment_id: int, name: str) -> None:
    if segment_id != 3:
        raise NotFound(f"no finished segment {segment_id}", code="NOT_FOUND")


@pytest_asyncio.fixture(loop_scope="function")
async def served() -> AsyncIterator[tuple[Hub, PageServer, aiohttp.ClientSession]]:
    hub = Hub(teach=teach)
    hub.open(StreamInfo(stream="s1", name="stage <1>", tenant="a", rate_hz=60))
    hub.open(StreamInfo(stream="s2", name="stage 2", tenant="b", rate_hz=60))
    async with (
        PageServer(hub, tokens={TOKEN: None, OTHER: "b"}, origins=["https://stage.example"]) as page,
        aiohttp.ClientSession(f"http://127.0.0.1:{page.port}") as client,
    ):
        yield hub, page, client


async def heard(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(300):
        while True:
            _, messages = json.loads(await socket.receive_str())
            for message in messages:
                if message["type"] == kind:
                    return message


async def test_the_address_with_the_token_opens_the_page_and_no_other(
    served: tuple[Hub, PageServer, aiohttp.ClientSession],
) -> None:
    _, page, client = served
    for path in ("/", "/?token=wrong", "/alive", "/live"):
        async with client.get(path) as answer:
            assert answer.status == 401, path
            assert TOKEN not in await answer.text()
    async with client.get(page.url, allow_redirects=False) as answer:
        assert answer.status == 303  # the token leaves the address
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
    async with client.get("/", headers={"Cookie": cookie.partition(";")[0]}) as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    async with client.get("/alive", headers=BEARER) as answer:
        assert answer.status == 204


async def test_pages_of_other_origins_cannot_connect(served: tuple[Hub, PageServer, aiohttp.ClientSession]) -> None:
    _, page, client = served
    for origin in ("http://evil.example", f"http://evil.example:{page.port}", "null"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/live", headers={**BEARER, "Origin": origin})
        assert refused.value.status == 403
    for origin in (f"http://127.0.0.1:{page.port}", "https://stage.example"):
        async with client.ws_connect("/live", headers={**BEARER, "Origin": origin}) as socket:
            assert (await heard(socket, "hello"))["can_name"]


async def test_a_token_shows_its_tenants_streams(served: tuple[Hub, PageServer, aiohttp.ClientSession]) -> None:
    _, _, client = served
    async with client.ws_connect("/live", headers={"Authorization": f"Bearer {OTHER}"}) as socket:
        assert (await heard(socket, "stream"))["name"] == "stage 2"
        await socket.send_json({"type": "name", "id": 1, "stream": "s1", "segment_id": 3, "name": "walking"})
        assert (await heard(socket, "answer"))["error"] == "there is no such stream"


async def test_names_are_taught_and_shown_to_all(served: tuple[Hub, PageServer, aiohttp.ClientSession]) -> None:
    _, _, client = served
    async with (
        client.ws_connect("/live", headers=BEARER) as one,
        client.ws_connect("/live", headers=BEARER) as two,
    ):
        await one.send_json({"type": "name", "id": 1, "stream": "s1", "segment_id": 4, "name": "walking"})
        assert "no finished segment 4" in (await heard(one, "answer"))["error"]
        await one.send_json({"type": "name", "id": 2, "stream": "s1", "segment_id": 3, "name": " walking "})
        assert (await heard(one, "answer"))["name"] == "walking"
        events = (await heard(two, "events"))["events"]
        assert events == [{"kind": "named_here", "segment_id": 3, "name": "walking"}]


async def test_nonsense_is_passed_over(served: tuple[Hub, PageServer, aiohttp.ClientSession]) -> None:
    _, _, client = served
    async with client.ws_connect("/live", headers=BEARER) as socket:
        for nonsense in ("", "[]", "{", '{"type":"name"}', '{"type":"got","number":"x"}', "1" * 9000):
            await socket.send_str(nonsense)
        await socket.send_json({"type": "select", "stream": "s1"})
        assert (await heard(socket, "frames"))["first"]


async def test_static_files_and_nothing_else(served: tuple[Hub, PageServer, aiohttp.ClientSession]) -> None:
    _, _, client = served
    async with client.get("/static/app.js") as answer:
        assert answer.content_type == "text/javascript"
        assert await answer.text() == static_file("app.js")
    for name in ("index.html", "none.js", "..%2f__init__.py", "%2e%2e%2fserver.js"):
        async with client.get(f"/static/{name}") as answer:
            assert answer.status == 404, name


def test_tokens_differ_and_are_needed() -> None:
    assert new_token() != new_token()
    access = Access({"x": None, "y": "tenant"})
    assert (access.guest("x"), access.guest("y"), access.guest("")) == (Guest(None), Guest("tenant"), None)
    more = Access({"x": None}, known=lambda token: Guest("lab", may_name=False) if token == "z" else None)
    assert (more.guest("x"), more.guest("z"), more.guest("")) == (Guest(None), Guest("lab", may_name=False), None)
    for tokens in ({}, {"": None}):
        with pytest.raises(ValueError, match="token"):
            Access(tokens)


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    files = [static_file(name) for name in ("index.html", "denied.html", "page.css")] + [bundled_script("app.js")]
    for text in files:
        assert not re.search(r"https?://|@import|url\(", text)
    script = bundled_script("app.js")
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert script.index("class Sheet") < script.index("class Timeline") < script.index("new Timeline(")
