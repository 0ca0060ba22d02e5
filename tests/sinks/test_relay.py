"""The way to sinks: none delays another, what is dropped is counted, what is refused holds up nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from kineseg.sinks import Refused, Relay, Retry, SinkError, SinkEvent, Terms
from kineseg.sinks.backoff import Backoff

from tests.sinks.made_events import events
from tests.sinks.relay_process import PATIENCE_S


class Receiver:
    """Takes what it is allowed to."""

    linger_s = 0.0

    def __init__(self, name: str = "receiver", **terms: int) -> None:
        self.terms = Terms(name=name, **terms)  # type: ignore[arg-type]
        self.where = name
        self.open = asyncio.Event()
        self.open.set()
        self.trouble: list[Exception] = []
        self.refuses: set[str] = set()
        self.batches: list[int] = []
        self.taken: list[str] = []

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        self.batches.append(len(events))
        await self.open.wait()
        if self.trouble:
            raise self.trouble.pop(0)
        if self.refuses & {event.id for event in events}:
            raise Refused("that is none")
        self.taken += [event.id for event in events]

    async def close(self) -> None:
        pass


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - several things at once
            await asyncio.sleep(0.005)


async def test_a_dead_sink_delays_no_other(tmp_path: Path) -> None:
    dead, alive = Receiver("dead"), Receiver("alive")
    dead.open.clear()
    sent = events(50)
    async with Relay([dead, alive], tmp_path / "spool", print, grace_s=0.0) as relay:
        relay.take(sent)
        await until(lambda: len(alive.taken) == 50)
        assert relay.counts["dead"].waiting == 50
        assert alive.taken == [event.id for event in sent]


async def test_a_full_spool_gives_up_provisional_events_first_and_says_so(tmp_path: Path) -> None:
    slow, said = Receiver("slow", spool=50, batch=5), list[str]()
    slow.open.clear()
    sent = events(100)
    provisional = [event.id for event in sent[5:] if event.is_provisional]
    async with Relay([slow], tmp_path / "spool", said.append) as relay:
        relay.take(sent[:5])
        await until(lambda: bool(slow.batches))  # these are on their way, and make no room
        for event in sent[5:]:
            relay.take([event])
        counts = relay.counts["slow"]
        assert counts.dropped == 100 - counts.waiting
        assert counts.dropped_provisional == len(provisional)
        slow.open.set()
    kept = [event.id for event in sent[:5]] + [event.id for event in sent[5:] if not event.is_provisional]
    assert slow.taken == kept[:5] + kept[5 + counts.dropped - len(provisional) :]
    assert len([line for line in said if "were dropped" in line]) == 1


async def test_a_disk_that_is_full_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    receiver, sent, taken = Receiver(batch=7), events(3000), list[str]()
    receiver.open.clear()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with Relay([receiver], tmp_path / "spool", print, grace_s=PATIENCE_S) as relay:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, usual[1]))
        try:
            with contextlib.suppress(sqlite3.Error):
                for event in sent:
                    relay.take([event], event.id)
                    taken.append(event.id)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        assert 0 < len(taken) < 3000
        assert relay.cursor == taken[-1]
        assert relay.counts["receiver"].waiting == len(taken)
        receiver.open.set()
        relay.take(sent[len(taken) : len(taken) + 1])
    assert receiver.taken == [event.id for event in sent[: len(taken) + 1]]


async def test_what_is_refused_is_left_out_and_what_came_with_it_is_delivered() -> None:
    receiver, said, sent = Receiver(batch=10), list[str](), events(30)
    receiver.refuses = {sent[13].id}
    async with Relay([receiver], None, said.append) as relay:
        relay.take(sent)
    assert receiver.taken == [event.id for event in sent if event is not sent[13]]
    assert relay.counts["receiver"].refused == 1
    assert sent[13].id in said[0]


async def test_trouble_is_reported_once_and_so_is_its_end() -> None:
    receiver, said = Receiver(), list[str]()
    receiver.trouble = [Retry("no one is there"), ValueError("?")]
    async with Relay([receiver], None, said.append, grace_s=PATIENCE_S) as relay:
        relay.take(events(3))
        await until(lambda: len(receiver.taken) == 3)
        assert relay.counts["receiver"].failed == 2
    assert [line.split(";")[0] for line in said] == ["receiver: no one is there", "receiver: takes events again"]


def test_waits_grow_up_to_a_minute_and_a_receiver_may_ask_for_more() -> None:
    backoff = Backoff()
    waits = [backoff.next_s() for _ in range(12)]
    assert 0.25 <= waits[0] <= 0.5
    assert all(30 <= wait <= 60 for wait in waits[-3:])
    assert backoff.next_s(120.0) == 120.0
    backoff.reset()
    assert backoff.next_s() <= 0.5


async def test_a_spool_is_of_one_process_and_no_other_file(tmp_path: Path) -> None:
    async with Relay([Receiver()], tmp_path / "spool", print):
        with pytest.raises(SinkError, match="another process uses it"):
            Relay([Receiver()], tmp_path / "spool", print)
    (tmp_path / "text").write_text("a letter to my mother " * 100)
    with pytest.raises(SinkError, match="no file of waiting events"):
        Relay([Receiver()], tmp_path / "text", print)
    with pytest.raises(SinkError, match="name another file"):
        Relay([Receiver()], tmp_path, print)  # a folder
    with pytest.raises(SinkError, match="two sinks are called receiver"):
        Relay([Receiver(), Receiver()], None, print)


async def test_what_waits_for_a_sink_that_is_none_now_stays(tmp_path: Path) -> None:
    dead = Receiver("dead")
    dead.open.clear()
    async with Relay([dead], tmp_path / "spool", print, grace_s=0.0) as relay:
        relay.take(events(7), "here")
    said: list[str] = []
    async with Relay([Receiver()], tmp_path / "spool", said.append) as relay:
        assert relay.cursor == "here"
    assert "7 events wait" in said[0]
    dead.open.set()
    async with Relay([dead], tmp_path / "spool", said.append):
        pass
    assert len(dead.taken) == 7
