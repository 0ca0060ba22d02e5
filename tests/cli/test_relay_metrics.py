"""What becomes of a relay's events, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence

import pytest
import typer
from kineseg.sinks import Relay, Retry, SinkEvent, Terms
from kineseg_cli.relay_metrics import shown_to_prometheus
from prometheus_client.parser import text_string_to_metric_families

from evaluation.ports import free_port
from tests.sinks.made_events import events


class Receiver:
    """Takes all, or nothing."""

    linger_s = 0.0

    def __init__(self, name: str, *, works: bool) -> None:
        self.terms = Terms(name=name)
        self.where = name
        self._works = works

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        if not self._works:
            raise Retry("out of order", 60.0)

    async def close(self) -> None:
        pass


def scraped(port: int) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        found = text_string_to_metric_families(response.read().decode())
        return {(each.name, each.labels["sink"]): each.value for family in found for each in family.samples}


async def test_each_sink_is_counted_and_one_that_fails_is_seen() -> None:
    relay = Relay([Receiver("good", works=True), Receiver("bad", works=False)], None, print, grace_s=0.0)
    port = free_port()
    with shown_to_prometheus(relay, f"127.0.0.1:{port}"):
        assert set((await asyncio.to_thread(scraped, port)).values()) == {0.0}
        async with relay, asyncio.timeout(300):
            relay.take(events(10))
            # What is waited for happens in two tasks.
            while not (found := await asyncio.to_thread(scraped, port))["kineseg_sink_failing", "bad"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while found["kineseg_sink_waiting", "good"]:
                await asyncio.sleep(0.01)
                found = await asyncio.to_thread(scraped, port)
    assert {sink: found["kineseg_sink_delivered_total", sink] for sink in ("good", "bad")} == {"good": 10, "bad": 0}
    assert {sink: found["kineseg_sink_failing", sink] for sink in ("good", "bad")} == {"good": 0, "bad": 1}
    assert found["kineseg_sink_waiting", "bad"] == 10


def test_there_is_nothing_else() -> None:
    port = free_port()
    with shown_to_prometheus(Relay([], None, print), f"127.0.0.1:{port}"):
        for path in ("", "metrics/", "favicon.ico"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}")
            caught.value.close()
            assert caught.value.code == 404


@pytest.mark.parametrize("address", ["somewhere", "127.0.0.1:none"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(typer.BadParameter, match="HOST:PORT"), shown_to_prometheus(Relay([], None, print), address):
        pass


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(typer.BadParameter, match=address), shown_to_prometheus(Relay([], None, print), address):
            pass
