"""Where a live stream is reported: the terminal and files."""

from __future__ import annotations

from collections.abc import Callable

from kineseg import Event, FrameResult, Reconnected, SegmentClosed, SegmentRetracted, Summary
from kineseg.sources import Health, SourceInfo

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.live.listener import LiveStream, Silent
from kineseg_cli.show.wording import clock, describe

_AGAIN_S = 30.0  # the same silence is reported again after so long


class EventLines(Silent):
    """Prints every event as a line.

    Args:
        print_line: Prints.
    """

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print = print_line
        self._before: dict[tuple[LiveStream, int], Event] = {}  # of segments that are open

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """Prints it."""
        if not isinstance(item, Event):
            return
        segment = getattr(item, "segment_id", None)
        before = None
        if segment is not None:
            key = (stream, segment)
            before = self._before.pop(key, None)
            if not isinstance(item, SegmentClosed | SegmentRetracted):
                self._before[key] = item
        whose = f"{stream.performer}  " if stream.performer else ""
        self._print(f"{clock(item.decided_time_s):>7}  {whose}{item.kind:<17}  {describe(item, before)}")


class EventFile(Silent):
    """Writes every event to a file.

    Args:
        write: Writes.
    """

    def __init__(self, write: Callable[[Event], None]) -> None:
        self._write = write

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """Writes it."""
        if isinstance(item, Event):
            self._write(item)


class Notices(Silent):
    """Says on standard error what one should know: what a stream is, what looks wrong, and that nothing comes.

    Args:
        console: Standard error.
        summaries: Whether the end of a stream is reported here.
    """

    def __init__(self, console: ErrorConsole, *, summaries: bool) -> None:
        self._console = console
        self._summaries = summaries
        self._said_s = 0.0
        self._dropped = 0
        self._jumps = 0
        self._silent = False
        self._away = False

    def opened(self, stream: LiveStream) -> None:
        """Says what it is."""
        info = stream.info
        whose = info.performer or "the source"
        what = f"{len(info.joints.names)} joints" if info.joints is not None else f"{len(info.channels)} channels"
        again = " (it has changed: a new stream)" if info.part else ""
        self._console.print_line(
            f"{whose}: {what}, {info.rate:.5g} frames a second (measured {info.measured_rate:.4g}), times by "
            f"{'the sender' if info.clock == 'sender' else 'arrival'}; model {stream.model}{again}"
        )
        self._console.print_notes(whose, info.notes)

    def refused(self, info: SourceInfo, why: str) -> None:
        """Says why."""
        self._console.print_line(f"left out: {why}")

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """Says how it ended."""
        if self._summaries and isinstance(item, Summary):
            self._console.print_line(f"{stream.performer + ': ' if stream.performer else ''}{describe(item)}")

    def away(self, seconds: float) -> None:
        """Says it once."""
        if seconds and not self._away:
            self._console.print_line("no connection to the server: it is tried again, and frames are kept meanwhile")
        self._away = seconds > 0

    def reconnected(self, stream: LiveStream, how: Reconnected) -> None:
        """Says for how long it was gone."""
        whose = f"{stream.performer}: " if stream.performer else ""
        self._console.print_line(
            f"{whose}connected again after {how.away_s:.1f} s; {how.sent_again} frames were sent again, nothing is lost"
        )

    def health(self, health: Health, silence: str) -> None:
        """Says what looks wrong."""
        if silence and (not self._silent or health.silent_s - self._said_s >= _AGAIN_S):
            self._console.print_line(silence)
            self._said_s = health.silent_s
        if self._silent and not silence:
            self._console.print_line("frames arrive")
        self._silent = bool(silence)
        if health.dropped > self._dropped:
            self._console.print_line(
                f"{health.dropped - self._dropped} frames were dropped: they came faster than they could be segmented"
            )
            self._dropped = health.dropped
        if health.jumps > self._jumps:
            self._console.print_line("the sender's count or clock began anew: a loop, or it was started again")
            self._jumps = health.jumps
