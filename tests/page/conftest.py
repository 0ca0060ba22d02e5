"""A browser for the page's tests: the system's own Chromium; nothing is downloaded."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.page.chromium import CHROMIUM


@pytest_asyncio.fixture(loop_scope="function")
async def browser() -> AsyncIterator[object]:
    """A Chromium that the test drives; what its pages' scripts throw is collected by `open_page`."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium or Chrome (apt-get install chromium)")
    api = pytest.importorskip("playwright.async_api", reason="needs playwright (kineseg[dev])")
    async with api.async_playwright() as driver:
        started = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        await started.close()
