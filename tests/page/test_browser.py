"""The page in a real browser: it plays a recording, and shows live streams, also after its server was away."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kineseg import AnomalyKind, AnomalyRaised, FrameResult, SegmentClosed, SegmentStarted
from kineseg.motion import CANONICAL_CHANNELS, Annotation
from kineseg.page import Feed, Hub, StreamInfo
from kineseg.page.server import PageServer
from kineseg_cli.show import page

pytest.importorskip("playwright", reason="needs playwright (kineseg[dev])")
from playwright.async_api import expect

from tests.cli.provisional_stream import Change, Mistake, emitted, history

PATIENCE_MS = 300_000.0
TOKENS: dict[str, str | None] = {"token": None}


@contextlib.asynccontextmanager
async def opened(browser: Any, url: str, **options: Any) -> AsyncIterator[Any]:
    """A page in a tab; what its scripts throw fails the test."""
    context = await browser.new_context(**options)
    tab = await context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    thrown: list[str] = []
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    await tab.goto(url)
    yield tab
    await context.close()
    assert thrown == []


async def says(tab: Any, selector: str, words: str | re.Pattern[str]) -> None:
    await expect(tab.locator(selector)).to_contain_text(words, timeout=PATIENCE_MS)


async def test_a_recording_shows_what_was_known_at_any_moment_and_plays(browser: Any, tmp_path: Path) -> None:
    changes = (
        Change(10, 13.5, 1, reported=11, first_time=10.4, first_label=2, confidence=0.7),
        Change(20, 23.5, 0, 21),
    )
    truth = Annotation((0, 100, 200), (0, 1, 0), ("rest", "load", "rest"))
    made = history(emitted(changes, (Mistake(14, reported=14.5, retracted=15.5),), end=40), truth=truth)
    path = tmp_path / "index.html"
    page.save(made, path)
    async with opened(browser, f"{path.as_uri()}#t=10.9") as tab:
        for t, known in (
            (10.9, "0:00.0 action 0"),
            (12, "0:00.0 action 0; 0:10.4 action 2, provisional, 70%"),
            (15.6, "0:00.0 action 0; 0:10.0 action 1"),
            (39, "0:00.0 action 0; 0:10.0 action 1; 0:20.0 action 0"),
        ):
            await tab.goto("about:blank")
            await tab.goto(f"{path.as_uri()}#t={t}")
            await expect(tab.locator("#known")).to_have_text(known, timeout=PATIENCE_MS)
        assert await tab.text_content("#play") == "Play"
        await tab.keyboard.press("Home")
        await tab.keyboard.press("Space")
        await says(tab, "#play", "Pause")
        await says(tab, "#clock", re.compile("^0:0[1-9]"))
        assert await tab.locator("#segments tbody tr").count() == 3
        assert await tab.locator("#layout.alone").count() == 1


def live(hub: Hub, stream: str = "one") -> Feed:
    """A feed of a body with two segments, the second open, and an alert."""
    feed = hub.open(StreamInfo(stream=stream, name=f"stage {stream}", rate_hz=30, channels=CANONICAL_CHANNELS))
    fill(feed, 0, 10)
    seen = {"frame": 0, "time_s": 0.0, "decided_frame": 150, "decided_time_s": 5.0}
    feed.event(SegmentStarted(seq=1, **seen, segment_id=0, label=0))
    times = {"start_frame": 0, "end_frame": 150, "start_time_s": 0.0, "end_time_s": 5.0}
    feed.event(SegmentClosed(seq=2, **seen, **times, segment_id=0, label=0))
    then = seen | {"frame": 150, "time_s": 5.0, "decided_frame": 180, "decided_time_s": 6.0}
    feed.event(SegmentStarted(seq=3, **then, segment_id=1, label=1, confidence=0.7, confirmed=False))
    what = {"anomaly_kind": AnomalyKind.FROZEN, "severity": 30.0, "text": "left wrist frozen <b>"}
    feed.event(AnomalyRaised(seq=4, **then, anomaly_id=1, **what))
    return feed


def fill(feed: Feed, from_s: float, to_s: float) -> None:
    times = np.arange(from_s, to_s, 1 / 30)
    feed.poses(np.tile(0.5 * np.sin(times)[:, None], (1, len(CANONICAL_CHANNELS))), times.tolist())
    for i, time_s in enumerate(times.tolist()):
        point = np.array([np.sin(time_s), np.cos(time_s), 0.1], np.float32)
        feed.result(FrameResult(frame=i, time_s=time_s, surprise=0.1, anomaly_score=1.0, embedding=point, label=0))


async def test_live_streams_are_shown_named_and_found_again_after_a_restart(browser: Any) -> None:
    taught: list[tuple[str, int, str]] = []

    async def teach(*what: Any) -> None:
        taught.append(what)

    hub = Hub(teach=teach)
    feed = live(hub)
    second = live(hub, "two")
    server = PageServer(hub, tokens=TOKENS)
    await server.start()
    async with opened(browser, server.url) as tab:
        assert "token" not in tab.url
        await says(tab, "#link", "connected")
        await says(tab, "#stream-list", "stage two")
        await says(tab, "#alerts", "left wrist frozen <b>")
        await says(tab, "#known", "0:05.0 action 1, provisional, 70%")

        # A click on a finished segment opens the form; the name goes to whoever teaches, and is shown at once.
        box = await tab.locator("#timeline").bounding_box()
        assert box is not None
        await tab.locator("#segments tbody tr").nth(1).click()
        await tab.fill("#name", "waving")
        await tab.keyboard.press("Enter")
        await says(tab, "#naming-answer", "Named")
        assert taught == [("one", 0, "waving")]
        await says(tab, "#segments", "waving")

        # Frames go on coming while one looks back; End is where they are.
        fill(feed, 10, 12)
        await says(tab, "#clock", "/ 0:11.9")
        assert not (await tab.text_content("#clock")).startswith("0:12")
        await tab.locator("#timeline").focus()
        await tab.keyboard.press("End")
        await says(tab, "#clock", "0:11.9 / 0:11.9")

        await tab.fill("#filter", "two")
        await says(tab, "#how-many", "1 of 2")
        await tab.fill("#filter", "")

        await tab.locator("#stream-list button").nth(1).click()
        await says(tab, "#title", "stage two")
        await server.stop()
        await says(tab, "#link", "ended")
        again = PageServer(hub, tokens=TOKENS, port=server.port)
        await again.start()
        await says(tab, "#link", "connected")
        fill(second, 10, 13)
        await says(tab, "#clock", "0:12.9 / 0:12.9")
        await says(tab, "#title", "stage two")
        second.end()
        await says(tab, "#play", "Play")
        await tab.locator("#timeline").focus()
        await tab.keyboard.press("Space")  # from the beginning: what has ended is played again
        await says(tab, "#clock", re.compile("^0:0"))
        await again.stop()

        other = PageServer(hub, tokens={"another": None}, port=server.port)
        await other.start()
        await says(tab, "#link", "token")
        await other.stop()


@pytest.mark.parametrize("width", [390, 1400])
async def test_nothing_is_wider_than_the_screen(browser: Any, width: int) -> None:
    hub = Hub()
    live(hub)
    live(hub, "two")
    async with (
        PageServer(hub, tokens=TOKENS) as server,
        opened(browser, server.url, viewport={"width": width, "height": 800}) as tab,
    ):
        await says(tab, "#alerts", "frozen")
        await asyncio.sleep(0)
        assert await tab.evaluate("document.documentElement.scrollWidth") <= width
