"""The view of a running stream where there is no terminal: one line an event."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from kineseg import Event, FrameResult
from rich.console import Console

from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import clock, describe


class PlainView:
    """Prints every event as it comes; takes the same calls as `LiveView`."""

    def __init__(self, history: StreamHistory, console: Console) -> None:
        self._history = history
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def add(self, item: Event | FrameResult) -> None:
        """Adds the next event or result of a frame, and prints the event."""
        self._history.add(item)
        if isinstance(item, Event):
            line = f"{clock(item.decided_time_s):>7}  {item.kind:<17}  {describe(item, self._history.before(item))}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
