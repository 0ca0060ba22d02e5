"""`kineseg segment`: a recording through a server, and what it found into files or a table."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kineseg import Event, Segmentation, SegmentClosed, announcements
from kineseg.motion import Recording
from kineseg.motion.tables import TableLayout
from kineseg.motion.upright import UpChoice
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from kineseg_cli.commands.label.teach import existing_bank
from kineseg_cli.interrupt import interruptible
from kineseg_cli.local import Provider, choose_model, connect
from kineseg_cli.notes import Notes
from kineseg_cli.outputs import PICTURES, check_writable, event_file, writing
from kineseg_cli.replay import Replay
from kineseg_cli.show.story import Story
from kineseg_cli.show.wording import clock, describe
from kineseg_cli.source import model_input, open_recording
from kineseg_cli.standard_output import STANDARD_OUTPUT
from kineseg_cli.tables import announcement_table, segment_table


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
    up: UpChoice = "auto"
    mapping: Path | None = None
    layout: TableLayout = "auto"
    provisional: bool = False
    realtime: bool = False
    bank: Path | None = None
    bundles: tuple[Path, ...] = ()
    provider: Provider = "auto"


def segment(request: SegmentRequest) -> int:
    """Segment one file; returns the exit status: 0, or that of the signal that ended it early.

    Raises:
        CommandError: What was asked for cannot be done.
        MotionError: The file cannot be read.
        KinesegError: The server refused or failed, or ended the stream early.
        OSError: A file could not be written.
    """
    check_writable(request.out, "--out")
    check_writable(request.labels, "--labels")
    check_writable(request.plot, "--plot", PICTURES)
    recording = open_recording(
        request.file, rate=request.rate, up=request.up, mapping=request.mapping, layout=request.layout
    )
    notes = Notes()
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
        given = model_input(recording, model)
        sent = given.recording
        notes.say_of(recording.name, sent.notes)
        story = Story(given.pose, model=model.name, model_rate_hz=model.rate)
        write = stack.enter_context(event_file(request.out))
        stop = stack.enter_context(interruptible())
        progress = stack.enter_context(_progress(notes))
        task = progress.add_task(recording.name, total=sent.n_frames)
        told = Replay(
            client,
            given,
            model=model.name,
            latency_s=request.latency_s,
            frame_results=request.plot is not None,
            decisions="all" if request.provisional else "final",
            speed=1.0 if request.realtime else None,
            stop=stop,
            on_sent=lambda frames: progress.update(task, completed=frames),
        )
        try:
            for item in told:
                story.add(item)
                if isinstance(item, Event):
                    write(item)
        except Exception:
            progress.stop()
            _keep(request, story, sent)
            notes.say(f"{_reach(sent, told.processed)}: what was written is not whole")
            raise
    _keep(request, story, sent)
    if request.out is None:
        with writing(STANDARD_OUTPUT):
            _show(request, story, sent.rate)
    if story.summary is not None:
        notes.say(describe(story.summary))
    if stop.interrupted:
        notes.say(f"interrupted; {_reach(sent, told.processed)}: what was written is of that part")
    return stop.status


def _keep(request: SegmentRequest, story: Story, sent: Recording) -> None:
    """Write the files that are made at the end, if the stream has come to one, early or not."""
    if story.summary is None:
        return
    if request.labels is not None:
        found = Segmentation.from_items(story.events, rate=sent.rate, n_frames=sent.n_frames)
        with writing(request.labels):
            found.to_csv(request.labels)
    if request.plot is not None:
        from kineseg_cli.show import timeline

        with writing(request.plot):
            timeline.save(story, request.plot)


def _show(request: SegmentRequest, story: Story, rate: float) -> None:
    tables = Console()
    if request.provisional:
        tables.print(announcement_table(announcements(story.events), rate))
    tables.print(segment_table([event for event in story.events if isinstance(event, SegmentClosed)]))


def _reach(sent: Recording, frames: int) -> str:
    """How far a stream came."""
    times = sent.times() - sent.times()[0]
    reached_s = float(times[frames - 1]) + 1.0 / sent.rate if frames else 0.0
    return f"{frames} of {sent.n_frames} frames were segmented, {clock(reached_s)} of {clock(sent.duration_s)}"


def _progress(console: Console) -> Progress:
    """A bar on standard error, which goes away when it is done; nothing where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
