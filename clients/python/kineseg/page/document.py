"""The page of a recording: one HTML file that needs nothing else, neither a server nor a network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from kineseg.page.feed import Feed
from kineseg.page.hub import Hub
from kineseg.page.viewer import Viewer

_IMPORT = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def static_file(name: str) -> str:
    """A file of the page."""
    return (files("kineseg.page") / "static" / name).read_text(encoding="utf-8")


def recording_page(
    hub: Hub,
    *,
    title: str,
    badge: str = "",
    subtitle: str = "",
    facts: Sequence[tuple[str, str]] = (),
    truth: Sequence[dict[str, Any]] = (),
    footer: str = "",
) -> str:
    """The whole page as HTML.

    Args:
        hub: The streams that it shows; what their feeds keep is what it has.
        title: Name of the recording.
        badge: What has to be said beside the title.
        subtitle: What it is.
        facts: Figures, each with what it counts.
        truth: What is known of the recording: ``name``, ``start``, ``end`` in seconds, and the ``label`` whose colour
            it is to have.
        footer: What else there is to say.
    """
    about = {"title": title, "badge": badge, "subtitle": subtitle, "facts": facts, "truth": truth, "footer": footer}
    script, style = bundled_script("app.js"), static_file("page.css")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = static_file("index.html")
    for mark, inserted in (
        ("<title>kineseg</title>", f"<title>{escape(title)} - kineseg</title>"),
        ("<!-- policy -->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        ('<link rel="stylesheet" href="static/page.css">', f"<style>{style}</style>"),
        ("<!-- data -->", f'<script id="data" type="application/json">{_json(about, hub)}</script>'),
        ('<script type="module" src="static/app.js"></script>', f'<script type="module">{script}</script>'),
    ):
        before, found, after = page.partition(mark)
        assert found, f"index.html lacks {mark}"
        page = before + inserted + after
    return page


def bundled_script(name: str) -> str:
    """A module and all that it imports, as one script: browsers load no modules from files."""
    parts: list[str] = []
    seen: set[str] = set()

    def add(module: str) -> None:
        if module in seen:
            return
        seen.add(module)
        source = static_file(module)
        for imported in _IMPORT.findall(source):
            add(imported)
        parts.append(_EXPORT.sub("", _IMPORT.sub("", source)))

    add(name)
    return "\n".join(parts)


def _json(about: dict[str, Any], hub: Hub) -> str:
    messages: list[Any] = []
    for feed in hub.feeds():
        messages += _messages(hub, feed)
    values = {"about": about, "messages": messages}
    # A "<" within a script element could end it.
    return json.dumps(values, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _messages(hub: Hub, feed: Feed) -> list[Any]:
    """What a browser would be sent that looks at this stream."""
    viewer = Viewer(hub)
    viewer.select(feed.info.stream)
    batch = viewer.batch()
    assert batch is not None  # there is this stream, at least
    return [one for one in batch[1] if one.get("stream") == feed.info.stream]


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
