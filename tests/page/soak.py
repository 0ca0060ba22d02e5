"""What pages cost over time: `python -m tests.page.soak` streams ten bodies to one browser, faster than they would be.

Every two minutes of the streams it prints the memory of this process and of the browser's scripts: after the minutes
that are kept neither grows.
"""

from __future__ import annotations

import argparse
import asyncio
import time

import numpy as np
import psutil
from kineseg import FrameResult, SegmentClosed, SegmentStarted
from kineseg.motion import CANONICAL_CHANNELS
from kineseg.page import Feed, Hub, StreamInfo
from kineseg.page.server import PageServer
from playwright.async_api import async_playwright

from tests.page.chromium import CHROMIUM

RATE = 20.0


def minute_of(feed: Feed, minute: int) -> None:
    """A minute of frames, results and events: a segment every five seconds."""
    times = minute * 60 + np.arange(60 * RATE) / RATE
    feed.poses(np.tile(0.5 * np.sin(times)[:, None], (1, len(CANONICAL_CHANNELS))), times.tolist())
    for time_s in times[::2].tolist():
        point = np.array([np.sin(time_s), np.cos(time_s), 0.1], np.float32)
        feed.result(FrameResult(frame=0, time_s=time_s, surprise=0.1, anomaly_score=1.0, embedding=point, label=0))
    for n in range(12 * minute, 12 * (minute + 1)):
        at = {"frame": n * 100, "time_s": n * 5.0, "decided_frame": n * 100 + 12, "decided_time_s": n * 5.0 + 0.6}
        feed.event(SegmentStarted(seq=2 * n + 1, **at, segment_id=n, label=n % 7))
        span = {"start_frame": n * 100, "end_frame": n * 100 + 100, "start_time_s": n * 5.0, "end_time_s": n * 5.0 + 5}
        feed.event(SegmentClosed(seq=2 * n + 2, **at, **span, segment_id=n, label=n % 7))


async def soak(streams: int, minutes: int, pause_s: float) -> None:
    """Streams so long, and prints what it costs."""
    hub = Hub()
    feeds = [
        hub.open(StreamInfo(stream=str(i), name=f"performer {i}", rate_hz=RATE, channels=CANONICAL_CHANNELS))
        for i in range(streams)
    ]
    async with PageServer(hub, tokens={"token": None}) as server, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = await browser.new_page()
        await tab.goto(server.url)
        session = await tab.context.new_cdp_session(tab)
        print(f"{streams} streams, one browser\n\n minute   process, MB   scripts, MB   this process, s of CPU")
        for minute in range(minutes):
            began = time.process_time()
            for feed in feeds:
                minute_of(feed, minute)
                await asyncio.sleep(pause_s / streams)
            spent = time.process_time() - began
            if minute % 2:
                await session.send("HeapProfiler.collectGarbage")
                heap = (await session.send("Runtime.getHeapUsage"))["usedSize"] / 1e6
                memory = psutil.Process().memory_info().rss / 1e6
                print(f"{minute + 1:7}{memory:14.0f}{heap:14.1f}{spent:25.2f}", flush=True)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds that a minute takes at least")
    chosen = parser.parse_args()
    asyncio.run(soak(chosen.streams, chosen.minutes, chosen.pause))
