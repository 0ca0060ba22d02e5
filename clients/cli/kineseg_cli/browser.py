"""A browser that can show a page beside the terminal, if there is one."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from pathlib import PurePath

# They would take the terminal.
_IN_THE_TERMINAL = {"elinks", "links", "links2", "lynx", "w3m", "www-browser"}


def browser_at_hand() -> bool:
    """Whether somebody sits at a terminal who has a browser with windows."""
    return sys.stdout.isatty() and not os.environ.get("CI") and _browser() is not None


def open_in_browser(url: str) -> None:
    """Open an address there, if there is such a browser; returns at once."""
    browser = _browser()
    if browser is not None:  # some wait until it is closed
        threading.Thread(target=browser.open, args=(url,), name="kineseg-browser", daemon=True).start()


def _browser() -> webbrowser.BaseBrowser | None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return None
    return None if PurePath(browser.name).name in _IN_THE_TERMINAL else browser
