"""The pictures of the page in the docs: `python -m tests.page.picture demo-output/index.html docs/page/page.png`."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.page.chromium import CHROMIUM


def main() -> None:
    """Opens a page at a moment and saves what is seen, in few colours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--at", type=float, default=56.5, help="second of the stream")
    parser.add_argument("--scheme", choices=("dark", "light"), default="dark")
    parser.add_argument("--size", default="1280x960", help="of the window, in pixels")
    chosen = parser.parse_args()
    width, height = map(int, chosen.size.split("x"))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=chosen.scheme)
        tab.goto(f"{chosen.page.resolve().as_uri()}#t={chosen.at}")
        tab.wait_for_timeout(1000)
        seen = tab.screenshot()
        browser.close()
    chosen.picture.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(seen)).convert("RGB").quantize(128).save(chosen.picture, optimize=True)


if __name__ == "__main__":
    main()
