"""What one browser has been sent, and what comes next. A slow one misses poses, never events."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kineseg.page.feed import Feed
from kineseg.page.hub import Hub

Message = dict[str, Any]

# A browser that has so many messages to read yet is sent nothing but events.
_MOST_UNREAD = 4
_HEALTH_EVERY_S = 1.0
_MOST_FRAMES = 60


@dataclass(slots=True)
class _Place:
    """How far a browser has come in one stream."""

    feed: Feed
    events: int = 0
    ended: str = ""
    new: bool = True


class Viewer:
    """One browser. What it is sent is taken when it can take it, so nothing waits for it anywhere.

    Args:
        hub: What there is.
        tenant: It sees only the streams of this one; None: all.
        clock: Seconds of a clock that only rises.
    """

    def __init__(self, hub: Hub, tenant: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.tenant = tenant
        self._hub = hub
        self._clock = clock
        self._places: dict[str, _Place] = {}
        self._selected = ""
        self._frames = self._results = self._plane = 0
        self._fresh = False  # the selected stream has been shown from its beginning
        self._sent = self._read = 0
        self._health_at = -1e9
        self._notice = ""

    def select(self, stream: str) -> None:
        """From now on it is shown this stream's frames, from the oldest that are kept."""
        self._selected = stream
        self._frames = self._results = self._plane = 0
        self._fresh = False

    def has_read(self, number: int) -> None:
        """It has come so far, see `batch`."""
        self._read = max(self._read, min(number, self._sent))

    @property
    def behind(self) -> bool:
        """It has more to read than it can."""
        return self._sent - self._read >= _MOST_UNREAD

    def batch(self) -> list[Any] | None:
        """What there is for it: a number, which it sends back once it has read this, and messages; None: nothing."""
        messages = self._streams()
        notice = "\n".join(filter(None, self._hub.notices.values()))
        if notice != self._notice:
            self._notice = notice
            messages.append({"type": "notice", "text": notice})
        if not self.behind:
            messages += self._health()
            messages += self._of_selected()
        if not messages:
            return None
        self._sent += 1
        return [self._sent, messages]

    def _streams(self) -> list[Message]:
        messages: list[Message] = []
        feeds = {feed.info.stream: feed for feed in self._hub.feeds(self.tenant)}
        for stream in [stream for stream, place in self._places.items() if feeds.get(stream) is not place.feed]:
            del self._places[stream]
            messages.append({"type": "gone", "stream": stream})
        for stream, feed in feeds.items():
            place = self._places.setdefault(stream, _Place(feed))
            with feed.lock:
                if place.new or place.ended != feed.ended:
                    place.new, place.ended = False, feed.ended
                    messages.append({"type": "stream", **feed.describe()})
                read = feed.events.since(place.events)
            place.events = read.next
            if read.entries:
                messages.append({"type": "events", "stream": stream, "events": read.entries, "lost": read.lost})
        return messages

    def _health(self) -> list[Message]:
        now = self._clock()
        if now - self._health_at < _HEALTH_EVERY_S or not self._places:
            return []
        self._health_at = now
        reports = {}
        for stream, place in self._places.items():
            with place.feed.lock:
                reports[stream] = place.feed.health.report()
        return [{"type": "health", "streams": reports}]

    def _of_selected(self) -> list[Message]:
        place = self._places.get(self._selected)
        if place is None:
            return []
        feed, stream = place.feed, self._selected
        messages: list[Message] = []
        with feed.lock:
            frames = feed.frames.since(self._frames)
            results = feed.results.since(self._results)
            plane = _plane(feed, stream) if feed.plane.version != self._plane else None
            self._plane = feed.plane.version
        self._frames, self._results = frames.next, results.next
        rows, first = frames.entries, not self._fresh
        self._fresh = True
        # Whoever has fallen behind is shown where things are now, and every so many of the frames between.
        step = 1 if first else -(-len(rows) // _MOST_FRAMES)
        if rows or first:
            shown = rows[::-1][:: max(1, step)][::-1]
            skipped = 0 if first else frames.lost + len(rows) - len(shown)
            messages.append({"type": "frames", "stream": stream, "rows": shown, "skipped": skipped, "first": first})
        if results.entries or first:
            messages.append({"type": "results", "stream": stream, "rows": results.entries, "first": first})
        if plane is not None:
            messages.append(plane)
        return messages


def _plane(feed: Feed, stream: str) -> Message:
    """Where all that is kept lies in the plane as it is now."""
    points = feed.plane.all()
    times = [row[0] for row in feed.results.since(feed.results.end - len(points)).entries]
    return {"type": "plane", "stream": stream, "times": times, "points": points, "share": round(feed.plane.share, 3)}
