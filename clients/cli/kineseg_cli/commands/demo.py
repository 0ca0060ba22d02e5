"""`kineseg demo`: the real server, a stream through the SDK, a view of it while it runs, and files to keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kineseg import Client, SegmentClosed
from kineseg.motion.tables import TableLayout
from kineseg.motion.upright import UpChoice
from rich.console import Console

from kineseg_cli.commands.label.teach import existing_bank
from kineseg_cli.failures import CommandError
from kineseg_cli.interrupt import interruptible
from kineseg_cli.local import Provider, choose_model, local_server
from kineseg_cli.notes import Notes
from kineseg_cli.outputs import event_file, writing
from kineseg_cli.replay import Replay
from kineseg_cli.show.live import LiveView
from kineseg_cli.show.plain import PlainView
from kineseg_cli.show.scores import score
from kineseg_cli.show.story import Story
from kineseg_cli.show.wording import describe, early
from kineseg_cli.source import embedded, model_input, open_recording
from kineseg_cli.tables import score_table, segment_table

_WHOLE_S = 35.0


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What to show; see the options of the command."""

    file: Path | None = None
    out: Path = Path("demo-output")
    seed: int = 0
    speed: float | None = None
    model: str = ""
    rate: float | None = None
    up: UpChoice = "auto"
    mapping: Path | None = None
    layout: TableLayout = "auto"
    bank: Path | None = None
    bundles: tuple[Path, ...] = ()
    provider: Provider = "auto"


def demo(request: DemoRequest, console: Console) -> int:
    """Run the demo; returns the exit status: 0, or that of the signal that ended it early.

    Raises:
        CommandError: What was asked for cannot be done.
        MotionError: The file cannot be read.
        KinesegError: The server refused or failed.
    """
    if request.out.exists() and not request.out.is_dir():
        raise CommandError(f"--out {request.out}: that is a file; name a folder")
    bank = existing_bank(request.bank)
    if request.file is None:
        recording = embedded(request.seed)
        names = recording.truth.names if recording.truth else ()
        _say(
            console,
            f"Source: {recording.duration_s:.0f} s of synthetic motion (made by a program, seed {request.seed}): "
            f"{len(names)} segments of {len(set(names))} actions, with a gap and a moment of lost tracking put in.",
        )
    else:
        recording = open_recording(
            request.file, rate=request.rate, up=request.up, mapping=request.mapping, layout=request.layout
        )
        _say(console, f"Source: {request.file}, {recording.duration_s:.1f} s at {recording.rate:g} frames a second.")
        Notes().say_of(recording.name, recording.notes)
    speed = request.speed if request.speed is not None else max(1.0, recording.duration_s / _WHOLE_S)

    with (
        local_server(bundles=request.bundles, provider=request.provider, metrics=True, bank=bank) as server,
        Client(server.address) as client,
        interruptible() as stop,
    ):
        model = choose_model(client, request.model)
        _say(
            console,
            f"Server: {server.address}, metrics at http://127.0.0.1:{server.metrics_port}/metrics; model {model.name} "
            f"{model.version} on {model.provider.removesuffix('ExecutionProvider')}.",
        )
        given = model_input(recording, model)
        story = Story(given.pose, model=model.name, model_rate_hz=model.rate)
        view = LiveView(story, console, speed) if console.is_terminal else PlainView(story, console)
        told = Replay(client, given, model=model.name, frame_results=True, speed=speed, stop=stop)
        with view:
            for item in told:
                view.add(item)
    _keep(story, request.out)
    _conclude(story, request.out, console, finished=not stop.interrupted)
    return stop.status


def _keep(story: Story, out: Path) -> None:
    """Write the picture, the events and the page."""
    from kineseg_cli.show import page, timeline

    out.mkdir(parents=True, exist_ok=True)
    with event_file(out / "events.jsonl") as write:
        for event in story.events:
            write(event)
    with writing(out / "timeline.png"):
        timeline.save(story, out / "timeline.png")
    with writing(out / "index.html"):
        page.save(story, out / "index.html")


def _conclude(story: Story, out: Path, console: Console, *, finished: bool) -> None:
    console.print()
    if not finished:
        _say(console, "Interrupted: what follows is what there was until then.")
    console.print(segment_table([event for event in story.events if isinstance(event, SegmentClosed)]))
    if story.summary is not None:
        _say(console, describe(story.summary))
    if story.announced:
        _say(console, f"Before they were certain: {early(story.announced)}.")
    scores = score(story)
    if scores is not None:
        console.print(score_table(scores))
    for name, what in (
        ("index.html", "the whole stream as a page, to open in a browser"),
        ("timeline.png", "the same as a picture"),
        ("events.jsonl", "every event, one a line"),
    ):
        _say(console, f"{out / name}: {what}")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
