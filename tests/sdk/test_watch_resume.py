"""A watch survives its connection: every event comes once, in order, whatever happens in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import kineseg
import numpy as np
import pytest

from evaluation.chaos.proxy import Proxy
from tests.sdk.conftest import PATIENCE_S
from tests.sdk.test_dead_connections import KEEPALIVE_S


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server) as proxy:
        yield proxy


def test_a_watch_goes_on_after_the_network_was_gone(
    connect: Any, server: str, proxy: Proxy, motion: np.ndarray[Any, Any]
) -> None:
    client = connect(proxy.address)
    watch = client.watch("watched-again")
    with watch:
        seen: list[kineseg.WatchedEvent] = []
        with kineseg.Client(server) as sender, sender.stream(rate=30, session_id="watched-again") as stream:
            sent: list[Any] = []
            for start in range(0, 1800, 300):
                with proxy.away():  # what is decided meanwhile is in the log
                    stream.send(motion[start : start + 300])
                    stream.flush()
                sent += stream.poll()
            stream.end_input()
            sent += stream
        for watched in watch:
            seen.append(watched)
            if watched.event.kind == "summary":
                break
        assert [watched.event for watched in seen] == sent
        assert not any(watched.dropped or watched.log_changed for watched in seen)
        assert proxy.connections > 1
        # And so does another one, from where this one was in between.
        cursor = seen[len(seen) // 2].cursor
    with client.watch("watched-again", cursor=cursor) as other:
        rest = [next(iter(other)) for _ in seen[len(seen) // 2 + 1 :]]
    assert [watched.event for watched in rest] == sent[len(seen) // 2 + 1 :]


def test_a_watch_on_a_dead_connection_goes_on_over_another(
    connect: Any, server: str, proxy: Proxy, motion: np.ndarray[Any, Any]
) -> None:
    watch = connect(proxy.address, keepalive_s=1).watch("watched-in-vain")
    with watch:
        proxy.strand()
        with kineseg.Client(server) as sender, sender.stream(rate=30, session_id="watched-in-vain") as stream:
            stream.send(motion)
            stream.end_input()
            sent = list(stream)
        stranded_at = time.monotonic()
        assert [next(watch).event for _ in sent] == sent
        assert time.monotonic() - stranded_at < KEEPALIVE_S


def test_a_watch_that_is_not_to_resume_ends_with_the_connection(connect: Any, proxy: Proxy) -> None:
    watch = connect(proxy.address).watch(resume=False)
    with watch:
        proxy.cut()
        with pytest.raises(kineseg.Unavailable):
            next(watch)


def test_a_watch_whose_server_stays_away_ends_with_the_error(connect: Any, proxy: Proxy) -> None:
    watch = connect(proxy.address, limits=kineseg.Limits(reconnect_s=0.5)).watch()
    with watch, proxy.away(), pytest.raises(kineseg.Unavailable):
        next(watch)


def test_a_watch_that_is_being_connected_again_can_be_closed(connect: Any, proxy: Proxy) -> None:
    watch = connect(proxy.address).watch()
    ended = threading.Event()

    def read() -> None:
        list(watch)
        ended.set()

    with proxy.away():
        reader = threading.Thread(target=read)
        reader.start()
        assert not ended.wait(0.3)
        watch.close()
        assert ended.wait(PATIENCE_S)
        reader.join()
