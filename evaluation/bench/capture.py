"""How long it takes from a datagram to what it decides: at whoever listens, and at a page."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import numpy as np
from kineseg import Event, FrameResult, SegmentStarted
from kineseg.motion import generate
from kineseg.page import Hub
from kineseg.page.server import PageServer
from kineseg.sources import Layout, open_source
from kineseg.sources.file import recorded_of
from kineseg.sources.ndjson import NdjsonEncoder
from kineseg_cli.interrupt import Stop
from kineseg_cli.live.engines import Choices, ServerEngine
from kineseg_cli.live.listener import Listeners, LiveStream, Silent
from kineseg_cli.live.page import PageView
from kineseg_cli.live.run import LiveRun
from rich.table import Table

from evaluation.bench.parts import Report
from evaluation.bench.servers import kineseg_server

BODIES = (1, 4)
RATE = 120.0
# The first second is measured before it is segmented.
_FIRST_S = 3.0
_ACTIONS = ("walk", "squat", "wave", "punch", "kick", "sit")


@dataclass(frozen=True)
class CaptureLatency:
    """Of bodies at 120 frames a second, a datagram a frame, by `kineseg stream --page` and a server beside it.

    Milliseconds after the datagram of the frame that something is about, or that decided it, was sent; by a browser is
    meant one that draws nothing.

    Attributes:
        bodies: How many there were.
        datagrams: How many were sent.
        lost: How many of them did not come to be segmented.
        provisional: How many events were provisional.
        result_p50_ms: A frame's result, median.
        result_p95_ms: And 95th percentile.
        event_p50_ms: Provisional events.
        event_p95_ms: And 95th percentile.
        page_pose_p50_ms: A frame's pose, at a browser.
        page_pose_p95_ms: And 95th percentile.
        page_event_p50_ms: Provisional events, at a browser.
        page_event_p95_ms: And 95th percentile.
    """

    bodies: int
    datagrams: int
    lost: int
    provisional: int
    result_p50_ms: float | None
    result_p95_ms: float | None
    event_p50_ms: float | None
    event_p95_ms: float | None
    page_pose_p50_ms: float | None
    page_pose_p95_ms: float | None
    page_event_p50_ms: float | None
    page_event_p95_ms: float | None


@dataclass
class _Arrived:
    """What arrived: whose it is, the frame, and when."""

    results: list[tuple[str, int, int]] = field(default_factory=list)
    events: list[tuple[str, int, int]] = field(default_factory=list)
    page_poses: list[tuple[str, int, int]] = field(default_factory=list)
    page_events: list[tuple[str, int, int]] = field(default_factory=list)


def measure(seconds: float, bodies: int) -> CaptureLatency:
    """Sends for so long, from a process of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    arrived = _Arrived()
    with kineseg_server() as server, _sender(bodies, seconds, port) as sender:
        frames = asyncio.run(_listen(server.address, port, sender, arrived))
        sent: dict[str, list[int]] = sender.recv()
    datagrams = sum(map(len, sent.values()))

    def late_ms(what: list[tuple[str, int, int]]) -> tuple[float | None, float | None]:
        known = [(at - sent[who][frame]) / 1e6 for who, frame, at in what if _FIRST_S * RATE <= frame < len(sent[who])]
        if not known:
            return None, None
        return float(np.percentile(known, 50)), float(np.percentile(known, 95))

    return CaptureLatency(
        bodies,
        datagrams,
        datagrams - frames,
        len(arrived.events),
        *late_ms(arrived.results),
        *late_ms(arrived.events),
        *late_ms(arrived.page_poses),
        *late_ms(arrived.page_events),
    )


class _Noted(Silent):
    """Notes when results and provisional events came."""

    def __init__(self, arrived: _Arrived) -> None:
        self._arrived = arrived

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """Notes it."""
        now = time.monotonic_ns()
        if isinstance(item, FrameResult):
            self._arrived.results.append((stream.performer, item.frame, now))
        elif isinstance(item, SegmentStarted) and not item.confirmed:
            self._arrived.events.append((stream.performer, item.decided_frame, now))


async def _listen(address: str, port: int, sender: Connection, arrived: _Arrived) -> int:
    """Segments what comes, for as long as it is sent; how many frames that were."""
    choices, stop, hub = Choices(frame_results=True), Stop(), Hub()
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(PageServer(hub, tokens={"bench": None}))
        source = await stack.enter_async_context(open_source(f"ndjson+udp://127.0.0.1:{port}"))
        engine = await stack.enter_async_context(ServerEngine(address, choices, own=True))
        looking = asyncio.create_task(_look(page.url.partition("?")[0] + "live", arrived))
        run = LiveRun(source, engine, Listeners([_Noted(arrived), PageView(hub, "bench", choices)]), stop=stop)
        running = asyncio.create_task(run.run())
        sender.send("begin")
        while not await asyncio.to_thread(sender.poll, 1.0) and not running.done():
            pass
        await asyncio.sleep(0.5)  # what is on its way arrives
        stop.set()
        await running
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        return run.frames


async def _look(url: str, arrived: _Arrived) -> None:
    """A browser that notes when it gets something, of the stream that it looks at and the events of all."""
    names: dict[str, str] = {}
    headers = {"Authorization": "Bearer bench"}
    async with aiohttp.ClientSession(headers=headers) as client, client.ws_connect(url, max_msg_size=0) as connection:
        async for message in connection:
            now = time.monotonic_ns()
            number, said = json.loads(message.data)
            for one in said:
                if one["type"] == "stream" and one["stream"] not in names:
                    names[one["stream"]] = one["name"]
                    if len(names) == 1:
                        await connection.send_json({"type": "select", "stream": one["stream"]})
                elif one["type"] == "frames" and not one["first"]:
                    who = names[one["stream"]]
                    arrived.page_poses += [(who, round(row[0] * RATE), now) for row in one["rows"]]
                elif one["type"] == "events":
                    arrived.page_events += [
                        (names[one["stream"]], event["decided_frame"], now)
                        for event in one["events"]
                        if event["kind"] == "segment_started" and not event["confirmed"]
                    ]
            await connection.send_json({"type": "got", "number": number})


@contextmanager
def _sender(bodies: int, seconds: float, port: int) -> Iterator[Connection]:
    """Sends once it may; in the end it says when each datagram went out."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send, args=(theirs, bodies, seconds, port), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()
        yield ours
    finally:
        process.join(10)
        if process.is_alive():
            process.terminate()


def _send(connection: Connection, bodies: int, seconds: float, port: int) -> None:
    lines: dict[str, list[bytes]] = {}
    headers: list[bytes] = []
    for body in range(bodies):
        made = recorded_of(generate(body, rate=RATE, actions=_ACTIONS, duration_s=seconds))
        encoder = NdjsonEncoder(Layout(made.info.joints, rate=RATE), f"body {body}")
        headers.append(encoder.header())
        lines[f"body {body}"] = [encoder.frame(row, at, at / RATE) for at, row in enumerate(made.values)]
    sent: dict[str, list[int]] = {name: [] for name in lines}
    connection.send("ready")
    connection.recv()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to:
        to.connect(("127.0.0.1", port))
        for header in headers:
            to.send(header)
        began = time.monotonic()
        for at in range(min(map(len, lines.values()))):
            time.sleep(max(0.0, began + at / RATE - time.monotonic()))
            for name, each in lines.items():
                sent[name].append(time.monotonic_ns())
                to.send(each[at])
    connection.send(sent)


def report(seconds: float) -> Report:
    """Measures every number of bodies, as rows and as a table."""
    found = [measure(seconds, bodies) for bodies in BODIES]
    table = Table(
        *("bodies", "datagrams", "lost", "a frame's result", "provisional events", "pose at a page"),
        "provisional event at a page",
        title="from a datagram at 120 frames a second, median and 95 % within, ms",
    )
    for each in found:
        values: dict[str, Any] = asdict(each)
        times = [
            "-"
            if values[f"{what}_p50_ms"] is None
            else f"{values[f'{what}_p50_ms']:.0f}, {values[f'{what}_p95_ms']:.0f}"
            for what in ("result", "event", "page_pose", "page_event")
        ]
        times[1] += f" ({each.provisional})"
        table.add_row(str(each.bodies), str(each.datagrams), str(each.lost), *times)
    return [asdict(each) for each in found], table
