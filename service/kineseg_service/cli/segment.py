"""`kineseg segment`: a recording through a server, and what it found into files or a table."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from kineseg import Event, Segmentation, SegmentClosed, announcements
from kineseg.motion.recording import Up
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from kineseg_service.cli.label import existing_bank
from kineseg_service.cli.local import Provider, choose_model, connect
from kineseg_service.cli.outputs import PICTURES, check_writable, write_event
from kineseg_service.cli.replay import replay
from kineseg_service.cli.source import fitted, open_recording
from kineseg_service.cli.tables import announcement_table, segment_table
from kineseg_service.show.story import Story
from kineseg_service.show.wording import describe


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """What to do with a recording; see the options of the command."""

    file: Path
    server: str | None = None
    out: Path | None = None
    labels: Path | None = None
    plot: Path | None = None
    model: str = ""
    rate: float | None = None
    latency_s: float | None = None
    up: Up = "y"
    provisional: bool = False
    realtime: bool = False
    bank: Path | None = None
    bundles: tuple[Path, ...] = ()
    provider: Provider = "auto"


def segment(request: SegmentRequest) -> None:
    """Segment one file.

    Raises:
        CommandError: What was asked for cannot be done.
        MotionError: The file cannot be read.
        KinesegError: The server refused or failed.
    """
    check_writable(request.out, "--out")
    check_writable(request.labels, "--labels")
    check_writable(request.plot, "--plot", PICTURES)
    recording = open_recording(request.file, rate=request.rate, up=request.up)
    notes = Console(stderr=True)
    with ExitStack() as stack:
        client = stack.enter_context(
            connect(
                request.server,
                bundles=request.bundles,
                provider=request.provider,
                bank=existing_bank(request.bank),
            )
        )
        model = choose_model(client, request.model)
        sent = fitted(recording, model)
        story = Story(sent, model=model.name, model_rate_hz=model.rate)
        out = _opened(request.out, stack)
        progress = stack.enter_context(_progress(notes))
        task = progress.add_task(recording.name, total=sent.n_frames)
        told = replay(
            client,
            sent,
            model=model.name,
            latency_s=request.latency_s,
            frame_results=request.plot is not None,
            decisions="all" if request.provisional else "final",
            speed=1.0 if request.realtime else None,
            on_sent=lambda frames: progress.update(task, completed=frames),
        )
        for item in told:
            story.add(item)
            if out is not None and isinstance(item, Event):
                write_event(out, item)
    if request.labels is not None:
        found = Segmentation.from_items(story.events, rate=sent.rate, n_frames=sent.n_frames)
        found.to_csv(request.labels)
    if request.plot is not None:
        from kineseg_service.show import timeline

        timeline.save(story, request.plot)
    if request.out is None:
        tables = Console()
        if request.provisional:
            tables.print(announcement_table(announcements(story.events), sent.rate))
        tables.print(segment_table([event for event in story.events if isinstance(event, SegmentClosed)]))
    if story.summary is not None:
        notes.print(describe(story.summary), highlight=False, soft_wrap=True)


def _opened(out: Path | None, stack: ExitStack) -> TextIO | None:
    if out is None:
        return None
    return sys.stdout if str(out) == "-" else stack.enter_context(out.open("w", encoding="utf-8"))


def _progress(console: Console) -> Progress:
    """A bar on standard error, which goes away when it is done; nothing where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
