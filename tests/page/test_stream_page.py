"""`kineseg stream --page`: what a live source gives is shown, also that it gives nothing."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from kineseg import FrameResult, SegmentStarted
from kineseg.motion import generate
from kineseg.page import Hub, Viewer
from kineseg.sources import open_source
from kineseg_cli.failures import CommandError
from kineseg_cli.live.engines import Choices
from kineseg_cli.live.listener import LiveStream
from kineseg_cli.live.page import PageView
from kineseg_cli.page_address import page_address

from tests.cli.command import start


@pytest.fixture
def take(tmp_path: Path) -> Path:
    recording = generate(1, rate=60.0, actions=("walk",), n_segments=1)
    path = tmp_path / "take.npz"
    np.savez(path, positions=recording.positions, rate=recording.rate, joints=np.array(recording.joints))
    return path


async def test_frames_of_a_source_are_shown_as_a_body_and_timed_as_events_are(take: Path) -> None:
    hub = Hub()
    view = PageView(hub, "a file", Choices(alarms_per_hour=4.0))
    stream: LiveStream | None = None
    async with open_source(f"file:{take}?speed=0") as source:
        async for frames in source:
            if stream is None:
                stream = LiveStream(frames.info, "", "motion", 30.0)
                view.opened(stream)
            view.frames(stream, frames)
    assert stream is not None
    about = {"frame": 30, "time_s": 0.5, "decided_frame": 60, "decided_time_s": 1.0}
    view.item(stream, SegmentStarted(seq=1, **about, segment_id=0, label=0))
    result = {"frame": 60, "time_s": 1.0, "surprise": 0.1, "anomaly_score": 0.0, "label": 0}
    view.item(stream, FrameResult(**result, embedding=np.zeros(3, np.float32)))
    (feed,) = hub.feeds()
    described = feed.describe()
    assert described["alarms_per_hour"] == 4.0
    assert described["body"]["joints"][0] == "hips"
    times = [row[0] for row in feed.frames.since(0).entries]
    assert times[0] == 0.0
    assert np.diff(times) == pytest.approx(0.05, abs=0.02)
    assert feed.health.report()["delay_ms"] >= 0
    view.opened(stream := LiveStream(stream.info, "", "motion", 30.0))
    assert [bool(feed.ended) for feed in hub.feeds()] == [True, False]
    viewer = Viewer(hub)
    hub.notice("nothing arrives")
    assert {"type": "notice", "text": "nothing arrives"} in viewer.batch()[1]


@pytest.mark.parametrize(
    ("address", "said"),
    [("8765", ""), (":0", ""), ("[::1]:80", ""), ("here", "write HOST:PORT"), ("0.0.0.0:80", "without TLS")],
)
def test_where_a_page_may_be_shown(address: str, said: str) -> None:
    if not said:
        assert page_address(address, "--page", closed=False)[1] in (8765, 0, 80)
        return
    with pytest.raises(CommandError, match=said):
        page_address(address, "--page", closed=False)


async def test_the_command_prints_the_address_and_the_page_says_that_nothing_comes() -> None:
    process = start(["stream", "ndjson+udp://127.0.0.1:0", "--page", "--page-at", "127.0.0.1:0"])
    try:
        assert process.stderr is not None
        url = None
        while url is None:
            line = await asyncio.to_thread(process.stderr.readline)
            assert line, "it ended before it said where the page is"
            url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client, asyncio.timeout(120):
            async with client.get(url[0]) as answer:
                assert answer.status == 200
            async with client.ws_connect(url[0].partition("?")[0] + "live") as socket:
                said = ""
                while not said:
                    _, messages = json.loads(await socket.receive_str())
                    said = next((one["text"] for one in messages if one["type"] == "notice"), "")
        assert "127.0.0.1" in said
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.communicate)
