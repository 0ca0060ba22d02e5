"""`kineseg serve --page`: all streams of a server are shown, and nothing of them changes by that."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import grpc
import numpy as np
import psutil
import pytest
from kineseg import AsyncClient, KinesegError
from kineseg.page import Hub, Limits
from kineseg.page.access import Guest
from kineseg_service.access.caller import Role
from kineseg_service.access.guests import guests
from kineseg_service.access.token_file import Tokens, new_token
from kineseg_service.config import Settings
from kineseg_service.processes.supervisor import Supervisor
from kineseg_service.server import Server

from tests.service.talk import PATIENCE_S, Call, Stub, config, cut, until

T = TypeVar("T")

RATE = 30.0


def signal(seconds: int, seed: int) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    phases = np.arange(3) + seed
    return np.sin(times[:, None] * (1 + 4 * (times[:, None] > seconds / 2)) + phases).astype(np.float32)


async def test_streams_of_a_server_are_shown_as_their_clients_see_them(tiny: Path, tmp_path: Path) -> None:
    hub = Hub(limits=Limits(poses_per_s=10.0))
    settings = Settings(
        port=0, metrics_port=None, packaged_bundle=False, bundles=(tiny,), log_level="error",
        label_bank=tmp_path / "names.json",
    )  # fmt: skip
    server = Server(settings, page=hub)
    await server.start()
    try:
        async with AsyncClient(server.address) as client:
            alone = await client.segment(signal(20, 0), rate=RATE, session_id="alone", frame_results=True)
            async with client.streams() as streams:
                shared = await streams.open(rate=RATE, session_id="shared")
                await shared.send(signal(20, 1))
                await streams.end_input()
                seen = [item async for _, item in streams]
            feeds = {feed.info.name: feed for feed in hub.feeds()}
            for name, items in (("alone", alone.events), ("shared", seen)):
                events = [event for event in items if hasattr(event, "seq")]
                shown = feeds[name].events.since(0).entries
                assert [event["seq"] for event in shown] == [event.seq for event in events]
                assert [event["kind"] for event in shown] == [str(event.kind) for event in events]
                assert feeds[name].ended == "completed"
                assert len(feeds[name].frames) == pytest.approx(200, abs=30)
                assert feeds[name].health.report()["delay_ms"] >= 0
            assert len(feeds["alone"].results) > 100
            assert not len(feeds["shared"].results)  # its client did not ask for them

            open_one = await client.stream(rate=RATE, session_id="open").open()
            await open_one.send(signal(4, 2))
            await open_one.flush()
            feed = next(feed for feed in hub.feeds() if feed.info.name == "open")
            assert not feed.ended
            assert hub.teach is not None
            with pytest.raises(KinesegError, match="no finished segment 99"):
                await hub.teach(feed.info.stream, 99, "waving")
            open_one.cancel()
            async with asyncio.timeout(PATIENCE_S):
                while not feed.ended:  # noqa: ASYNC110 - it ends in another thread
                    await asyncio.sleep(0.01)
            assert feed.ended == "cancelled"
    finally:
        await server.stop(0)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system cannot share a port")
async def test_streams_of_all_processes_are_on_one_page(tiny: Path, tmp_path: Path) -> None:
    hub = Hub(most_open=20)
    settings = Settings(
        port=0, metrics_port=None, packaged_bundle=False, bundles=(tiny,), log_level="error", processes=2,
        label_bank=tmp_path / "names.json",
    )  # fmt: skip
    supervisor = Supervisor(settings, hub)
    running = asyncio.create_task(supervisor.run())
    try:
        calls = await asyncio.to_thread(opened_by_many, supervisor, 24)
        feeds = {feed.info.name: feed for feed in await seen(lambda: hub.feeds(), lambda feeds: len(feeds) == 20)}
        await seen(lambda: hub.notices.get("more", ""), lambda words: words == "4 more streams are open than are shown")
        frames = signal(14, 0)
        for name in feeds:
            calls[name].send(*cut(frames))
        for feed in feeds.values():
            await seen(lambda feed=feed: [one["kind"] for one in feed.events.since(0).entries], is_closed)  # type: ignore[misc]
            assert len(feed.frames) > 100
            assert feed.health.report()["rate_hz"] > 0
        assert hub.teach is not None
        for feed in feeds.values():  # of whichever process
            await hub.teach(feed.info.stream, 0, "waving")
            with pytest.raises(KinesegError, match="no finished segment 99"):
                await hub.teach(feed.info.stream, 99, "waving")

        alive = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
        workers = [one for one in alive if "kineseg_service.processes.worker" in one.cmdline()]
        [killed, _] = workers
        killed.kill()
        await seen(lambda: {feed.ended for feed in feeds.values()}, lambda ends: ends == {"", "gone with its process"})
        left = [name for name, feed in feeds.items() if not feed.ended]
        for name in left:
            calls[name].half_close()
        await seen(lambda: {feeds[name].ended for name in left}, lambda ends: ends == {"completed"})
    finally:
        for call in calls.values():
            call.cancel()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def is_closed(kinds: list[str]) -> bool:
    return "segment_closed" in kinds


def opened_by_many(supervisor: Supervisor, n: int) -> dict[str, Call]:
    """Streams on connections of their own, which the system spreads over the processes."""
    until(lambda: supervisor.port > 0, "the port is known")
    calls = {}
    for at in range(n):
        channel = grpc.insecure_channel(f"127.0.0.1:{supervisor.port}", [("grpc.use_local_subchannel_pool", 1)])
        grpc.channel_ready_future(channel).result(PATIENCE_S)
        calls[str(at)] = Call(Stub(channel), config(RATE, session_id=str(at), frame_results=True))
        calls[str(at)].opened()
    return calls


async def seen(look: Callable[[], T], enough: Callable[[T], bool]) -> T:
    async with asyncio.timeout(PATIENCE_S):
        while not enough(found := look()):  # noqa: ASYNC110 - it changes in other threads and processes
            await asyncio.sleep(0.02)
    return found


def test_the_servers_own_tokens_open_the_page_as_far_as_their_roles_go(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    made = {
        name: new_token("lab", roles)
        for name, roles in (("watch", [Role.WATCH]), ("both", [Role.WATCH, Role.NAMES]), ("stream", [Role.STREAM]))
    }
    Tokens(token for _, token in made.values()).save(path)
    known = guests(Settings(tokens=path))
    assert known is not None
    assert known(made["watch"][0]) == Guest("lab", may_name=False)
    assert known(made["both"][0]) == Guest("lab", may_name=True)
    assert known(made["stream"][0]) is None
    assert known("nonsense") is None
    Tokens([made["both"][1]]).save(path)  # the other is revoked
    assert known(made["watch"][0]) is None
    assert guests(Settings()) is None
