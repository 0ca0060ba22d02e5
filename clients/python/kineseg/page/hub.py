"""All streams that pages show."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

from kineseg.page.feed import Feed, Limits
from kineseg.page.stream_info import StreamInfo

Teach = Callable[[str, int, str], Awaitable[None]]
"""Teaches a name by a segment: the id of its stream, its number, the name. Raises `KinesegError` if it cannot."""


class Hub:
    """What pages show, and who wants to know when it changes. May be used in any thread.

    Args:
        limits: How much of each stream is kept.
        most_ended: So many streams that have ended are kept; then the oldest of them goes.
        most_streams: So many are kept in all.
        most_open: There is room for so many that have not ended.
        teach: How a segment is given a name; none: it cannot be.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        most_ended: int = 8,
        most_streams: int = 64,
        most_open: int = 32,
        teach: Teach | None = None,
    ) -> None:
        self.teach = teach
        self.notices: dict[str, str] = {}
        self._limits = limits or Limits()
        self._most_ended, self._most_streams, self._most_open = most_ended, most_streams, most_open
        self._feeds: dict[str, Feed] = {}
        self._watching: set[Callable[[], None]] = set()
        self._lock = threading.Lock()

    @property
    def has_room(self) -> bool:
        """Whether one more stream should be opened: what is shown of one takes some twenty megabytes."""
        return sum(not feed.ended for feed in self.feeds()) < self._most_open

    def pass_over(self, count: int) -> None:
        """Says that so many streams are not shown."""
        self.notice(f"{count} more streams are open than are shown" if count else "", "more")

    def open(self, info: StreamInfo) -> Feed:
        """A stream has begun."""
        feed = Feed(info, self._limits, self._changed)
        with self._lock:
            self._feeds.pop(info.stream, None)
            self._feeds[info.stream] = feed
            self._drop()
        self._changed()
        return feed

    def feeds(self, tenant: str | None = None) -> list[Feed]:
        """The streams of a tenant, or of all, in the order of their beginning."""
        with self._lock:
            return [feed for feed in self._feeds.values() if tenant is None or feed.info.tenant == tenant]

    def get(self, stream: str, tenant: str | None = None) -> Feed | None:
        """One of them; None if there is none."""
        with self._lock:
            feed = self._feeds.get(stream)
        return feed if feed is not None and (tenant is None or feed.info.tenant == tenant) else None

    def notice(self, words: str, about: str = "source") -> None:
        """Says something that is about no stream, such as why none comes; empty: it is over."""
        if self.notices.get(about, "") != words:
            self.notices = {**self.notices, about: words}
            self._changed()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Calls `changed`, in any thread, when there is something new; what this returns ends that."""
        with self._lock:
            self._watching.add(changed)
        return lambda: self._watching.discard(changed)

    def _changed(self) -> None:
        with self._lock:
            watching = list(self._watching)
        for changed in watching:
            changed()

    def _drop(self) -> None:
        ended = [name for name, feed in self._feeds.items() if feed.ended]
        too_many = max(len(ended) - self._most_ended, len(self._feeds) - self._most_streams)
        for name in ended[: max(0, too_many)]:
            del self._feeds[name]
