"""Who hears what happens to a live source: the terminal, files, a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from kineseg import Event, FrameResult, Opened, Reconnected
from kineseg.sources import Frames, Health, SourceInfo


@dataclass(frozen=True, eq=False)
class LiveStream:
    """One stream that is segmented: the frames of one performer, until what is sent changes.

    Attributes:
        info: What is known about its frames.
        stream_id: Its id; empty where it is segmented in this process.
        model: Name of the model.
        model_rate_hz: Frames a second of the model; 0: those of the source.
        opened: What the server said of it; None where it is segmented in this process.
    """

    info: SourceInfo
    stream_id: str
    model: str
    model_rate_hz: float
    opened: Opened | None = None

    @property
    def performer(self) -> str:
        """Whose frames they are; empty where a sender has one only."""
        return self.info.performer


class Listener(Protocol):
    """Hears things in the order in which they happen, in the event loop's thread; must not wait."""

    def opened(self, stream: LiveStream) -> None:
        """A stream began; one before of the same performer has ended."""

    def refused(self, info: SourceInfo, why: str) -> None:
        """What one of several performers sends cannot be segmented; the others go on."""

    def frames(self, stream: LiveStream, frames: Frames) -> None:
        """Frames came, and are sent to be segmented."""

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """Something has been decided; the summary is the last of a stream."""

    def away(self, seconds: float) -> None:
        """What segments has not been there for so long, about once a second, and is waited for; 0: it is back."""

    def reconnected(self, stream: LiveStream, how: Reconnected) -> None:
        """A stream goes on where it was."""

    def health(self, health: Health, silence: str) -> None:
        """How the source is, about once a second; `silence` says what is wrong where nothing has come for seconds."""


class Silent:
    """A listener that minds nothing, to begin with."""

    def opened(self, stream: LiveStream) -> None:
        """See `Listener`."""

    def refused(self, info: SourceInfo, why: str) -> None:
        """See `Listener`."""

    def frames(self, stream: LiveStream, frames: Frames) -> None:
        """See `Listener`."""

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """See `Listener`."""

    def away(self, seconds: float) -> None:
        """See `Listener`."""

    def reconnected(self, stream: LiveStream, how: Reconnected) -> None:
        """See `Listener`."""

    def health(self, health: Health, silence: str) -> None:
        """See `Listener`."""


class Listeners:
    """Tells several."""

    def __init__(self, each: Iterable[Listener]) -> None:
        self._each = tuple(each)

    def opened(self, stream: LiveStream) -> None:
        """See `Listener`."""
        for one in self._each:
            one.opened(stream)

    def refused(self, info: SourceInfo, why: str) -> None:
        """See `Listener`."""
        for one in self._each:
            one.refused(info, why)

    def frames(self, stream: LiveStream, frames: Frames) -> None:
        """See `Listener`."""
        for one in self._each:
            one.frames(stream, frames)

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """See `Listener`."""
        for one in self._each:
            one.item(stream, item)

    def away(self, seconds: float) -> None:
        """See `Listener`."""
        for one in self._each:
            one.away(seconds)

    def reconnected(self, stream: LiveStream, how: Reconnected) -> None:
        """See `Listener`."""
        for one in self._each:
            one.reconnected(stream, how)

    def health(self, health: Health, silence: str) -> None:
        """See `Listener`."""
        for one in self._each:
            one.health(health, silence)
