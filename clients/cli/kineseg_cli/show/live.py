"""The terminal view of a running stream: bars, surprise, the present and the latest events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from kineseg import (
    AnomalyCleared,
    AnomalyRaised,
    AnomalyUpdated,
    Event,
    FrameResult,
    SegmentRetracted,
    Summary,
)
from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kineseg_cli.show.agreement import naming
from kineseg_cli.show.colors import ALARM, color_of, color_of_class, ink_on
from kineseg_cli.show.segment_versions import Bar, Boundary, ProvisionalReport
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import brief, clock, count, describe

_REFRESH_S = 1 / 12
_NAMES = 15
_PROVISIONAL = "╱"
_LEVELS = " ▁▂▃▄▅▆▇█"
_FIXED_LINES = 22
_FULL_SCORE = 10.0
_WIDE = 105


class LiveView:
    """Shows the history of a stream on a terminal while it grows.

    Args:
        history: What has come of the stream so far; `add` puts more into it.
        console: The terminal.
        speed: How many times faster than it was captured the stream runs, for showing.
    """

    def __init__(self, history: StreamHistory, console: Console, speed: float) -> None:
        self._history = history
        self._console = console
        self._speed = speed
        self._drawn_at = 0.0
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw()
        self._live.stop()

    def add(self, item: Event | FrameResult) -> None:
        """Adds the next event or result of a frame, and draws if it is time to."""
        self._history.add(item)
        if time.monotonic() - self._drawn_at >= _REFRESH_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        size = self._console.size
        self._live.update(picture(self._history, size.width, size.height, speed=self._speed), refresh=True)


def picture(history: StreamHistory, width: int, height: int, *, speed: float = 1.0) -> RenderableType:
    """The view of a stream for a terminal of `width` columns and `height` lines."""
    inner = max(30, width - 4 - _NAMES)
    end = max(history.duration_s, history.position_s, 1e-3)
    bars = history.bars()
    rows: list[Text] = [Text()]
    found = _bars(bars, [color_of(bar.label) for bar in bars], inner, end)
    blank = _bars(bars, [color_of(bar.label) for bar in bars], inner, end, written=False)
    rows += [_row("segments found", found), _row("", blank, soft=True)]
    if history.truth:
        names = naming(history)
        seen = [bar for bar in history.truth if bar.start_s < history.position_s]
        truth = [Bar(b.start_s, min(b.end_s, history.position_s), b.label, b.name) for b in seen]
        rows += [
            Text(),
            _row("known truth", _bars(truth, [color_of(names.get(bar.label, -1)) for bar in truth], inner, end)),
            _row("(never sent)", Text(), soft=True),
        ]
    rows.append(Text())
    for i, hill in enumerate(_hills(history, inner, end)):
        rows.append(_row("surprise" if i == 0 else "", hill))
    rows.append(_row("", _axis(inner, end, history.position_s), soft=True))

    table = Table.grid(expand=True, padding=(0, 2))
    table.add_column(width=38)
    table.add_column(ratio=1)
    lines = max(4, min(12, height - _FIXED_LINES - (0 if history.truth else -3)))
    table.add_row(_present(history, speed), _latest(history, lines, short=width < _WIDE))

    title = Text.assemble(("kineseg  ", "bold"), (history.title, "bold"))
    if history.synthetic:
        title.append("  synthetic motion, made by a program", style="yellow")
    panel = Panel(
        Group(*rows, Text(), table),
        title=title,
        title_align="left",
        subtitle=Text(f"{clock(history.position_s)} of {clock(end)} at {speed:.3g}x", style="bright_black"),
        subtitle_align="right",
        border_style="bright_black",
    )
    hint = "Ctrl-C ends the stream and keeps what there is" if history.summary is None else ""
    # The cursor rests on a short line: what Ctrl-C echoes must not wrap, or the next picture would be one line off.
    return Group(panel, Text(hint, style="bright_black"))


def _row(name: str, content: Text, *, soft: bool = False) -> Text:
    return Text.assemble((f"{name:<{_NAMES}}", "bright_black" if soft else "bold"), content, no_wrap=True, end="\n")


def _bars(bars: Sequence[Bar], colors: Sequence[str], width: int, end_s: float, *, written: bool = True) -> Text:
    """Stretches of a line, each with its name where it fits: coloured in, or hatched where they are provisional."""
    cells = [(" ", "")] * width
    for bar, color in zip(bars, colors, strict=True):
        first, last = (min(width, round(seconds / end_s * width)) for seconds in (bar.start_s, bar.end_s))
        style = f"bold {ink_on(color)} on {color}" if bar.confirmed else color
        for column in range(first, last):
            # A thin edge keeps neighbours of one colour apart.
            cells[column] = ("▏" if column == first and first > 0 else " " if bar.confirmed else _PROVISIONAL, style)
        room = last - first - 2
        name = _name(bar, room)
        start = first + max(1, (last - first - len(name) + 1) // 2)
        for i, letter in enumerate(name if written else ""):
            cells[start + i] = (letter, style if bar.confirmed else f"bold {color}")
    line = Text()
    for letter, style in cells:
        line.append(letter, style=style)
    return line


def _name(bar: Bar, room: int) -> str:
    """What fits of a bar's name into so many columns and the one beside them."""
    name = bar.name.replace("_", " ")
    if not bar.confirmed:
        shown = (f" {name}? {bar.confidence:.0%} ", f" {name}? ", f"{name}?", "?")
        return next((text for text in shown if len(text) <= room), "")
    if len(name) <= room:
        return name
    return name[: room - 1] + "…" if room >= 4 else name if len(name) <= room + 1 else ""


def _hills(history: StreamHistory, width: int, end_s: float, lines: int = 2) -> list[Text]:
    """The score over time as columns of blocks, `lines` high, the topmost line first; alarms in red."""
    times, scores = np.array(history.outputs.times_s), np.array(history.outputs.anomaly_scores)
    tops = np.zeros(width)
    columns = np.clip((times / end_s * width).astype(int), 0, width - 1)
    np.maximum.at(tops, columns, np.clip(scores, 0.0, _FULL_SCORE))
    seen = round(min(1.0, history.position_s / end_s) * width)
    alarmed = np.zeros(width, dtype=np.bool_)
    for anomaly in history.anomalies:
        if color_of_class(anomaly.about) != ALARM:
            continue
        until_s = history.position_s if anomaly.end_s is None else anomaly.end_s
        first, last = (int(s / end_s * width) for s in (anomaly.start_s, until_s))
        alarmed[first : last + 1] = True
    hills = []
    for line in range(lines - 1, -1, -1):
        text = Text()
        for column, (top, alarm) in enumerate(zip(tops, alarmed, strict=True)):
            filled = np.clip(top / _FULL_SCORE * lines - line, 0.0, 1.0)
            # Past frames always show a line on the floor, so that one sees how far the stream is.
            block = _LEVELS[max(int(np.ceil(filled * 8)), 1 if line == 0 and column < seen else 0)]
            text.append(block, style=ALARM if alarm else "bright_black")
        hills.append(text)
    return hills


def _axis(width: int, end_s: float, position_s: float) -> Text:
    cells = [" "] * width
    step = next((s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600) if end_s / s <= width / 9), end_s)
    for seconds in np.arange(0, end_s, step):
        start = round(seconds / end_s * width)
        for i, letter in enumerate(f"{seconds:g} s"):
            if start + i < width:
                cells[start + i] = letter
    here = min(width - 1, round(position_s / end_s * width))
    line = Text("".join(cells), style="bright_black")
    line.stylize("bold reverse", here, here + 1)
    return line


def _present(history: StreamHistory, speed: float) -> RenderableType:
    bars = history.bars()
    now = Text()
    if bars:
        last, color = bars[-1], color_of(bars[-1].label)
        if last.confirmed:
            now.append(f"  {last.name}  ", style=f"bold {ink_on(color)} on {color}")
            now.append(f"  for {last.duration_s:.1f} s")
        else:
            now.append(f"{_PROVISIONAL} {last.name}? {_PROVISIONAL}", style=f"bold {color}")
            now.append(f"  {last.confidence:.0%}, for {last.duration_s:.1f} s")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bright_black", width=11)
    grid.add_column()
    grid.add_row("action", now)
    grid.add_row("surprise", _meter(history))
    grid.add_row("found", f"{count(len(bars), 'segment')}, {count(len(history.labels), 'action')}")
    if provisional := history.provisional:
        retracted = sum(one.outcome == "retracted" for one in provisional)
        grid.add_row("provisional", _delay(provisional))
        grid.add_row("retracted", f"{retracted} of {len(provisional)}")
    grid.add_row("confirmed", _delay(history.boundaries))
    grid.add_row("stream", f"{history.recording.rate * speed:.0f} frames/s")
    if history.model:
        grid.add_row("model", f"{history.model}, {history.model_rate_hz:g} Hz")
    return grid


def _delay(reported: Sequence[ProvisionalReport | Boundary]) -> str:
    return f"{np.median([one.delay_s for one in reported]):.1f} s later (median)" if reported else "none yet"


def _meter(history: StreamHistory, width: int = 12) -> Text:
    """The score now as a bar."""
    filled = int(np.clip(history.anomaly_score / _FULL_SCORE, 0.0, 1.0) * width)
    going = any(anomaly.end_s is None and color_of_class(anomaly.about) == ALARM for anomaly in history.anomalies)
    meter = Text("█" * filled, style=ALARM if going else "cyan")
    meter.append("░" * (width - filled), style="bright_black")
    return meter.append(f" {max(0.0, history.anomaly_score):4.1f}")


def _latest(history: StreamHistory, lines: int, *, short: bool) -> RenderableType:
    """The last events, the newest at the bottom."""
    if not history.events:
        return Align.left(Text("waiting for the first frames", style="bright_black"))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bright_black", justify="right", min_width=6, no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for event in history.events[-lines:]:
        label = getattr(event, "label", None)
        color = (
            color_of_class(event.anomaly_class)
            if isinstance(event, AnomalyRaised | AnomalyUpdated | AnomalyCleared)
            else "yellow"
            if label is None
            else color_of(label)
        )
        text = Text(f"{_mark(event)} ", style=color)
        words = brief(event) if short or isinstance(event, Summary) else describe(event, history.before(event))
        text.append(words, style="default" if getattr(event, "confirmed", True) else "bright_black")
        grid.add_row(clock(event.decided_time_s), text)
    return grid


def _mark(event: Event) -> str:
    """Hollow for what may be retracted, a cross for what was."""
    if isinstance(event, SegmentRetracted):
        return "×"
    return "●" if getattr(event, "confirmed", True) else "○"
