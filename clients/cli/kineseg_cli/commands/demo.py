"""`kineseg demo`: a twin of capture software, a live source, a server, views of all that, and files to keep."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from kineseg import Event, FrameResult, ModelInput, SegmentClosed
from kineseg.motion import Recording
from kineseg.page import Hub
from kineseg.sources.file import recorded_of
from rich.console import Console

from kineseg_cli.browser import browser_at_hand, open_in_browser
from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.extras import needed
from kineseg_cli.failures import CommandError
from kineseg_cli.interrupt import Stop, interruptible
from kineseg_cli.live.engines import Choices, ServerEngine
from kineseg_cli.live.listener import Listeners, LiveStream, Silent
from kineseg_cli.live.page import PageView
from kineseg_cli.live.twin import LOOPBACK, stream_as_live
from kineseg_cli.local import choose_model, local_server, own_client
from kineseg_cli.name_store import existing_bank
from kineseg_cli.options import (
    Axis,
    Bundle,
    Columns,
    JointFile,
    Layout,
    ModelName,
    Names,
    Provider,
    Rate,
    Up,
    Where,
)
from kineseg_cli.outputs import event_file, writing
from kineseg_cli.page_address import shown_page
from kineseg_cli.reading import FileReading
from kineseg_cli.show.agreement import compare_with_truth
from kineseg_cli.show.live import LiveView
from kineseg_cli.show.plain import PlainView
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import describe, outcomes
from kineseg_cli.source import embedded, model_input
from kineseg_cli.standard_output import print_line
from kineseg_cli.tables import agreement_table, segment_table

# How long the demo takes where someone looks at it as it goes on, and where no one does.
_WATCHED_S, _UNWATCHED_S = 35.0, 15.0
_SENT_AS = "lines of JSON over loopback"


def demo(
    file: Annotated[
        Path | None, typer.Argument(metavar="[INPUT]", help="Recording to stream. Default: embedded synthetic motion.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for timeline.png, events.jsonl and index.html.")] = Path(
        "demo-output"
    ),
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=1000,
            help="How many times faster than real time. Default: so that it takes about 35 s (15 where it is shown "
            "nowhere), at least 1.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the embedded motion.")] = 0,
    page: Annotated[
        bool | None,
        typer.Option(
            "--page/--no-page", help="Show it in a browser, live. Default: on a terminal that has a browser beside it."
        ),
    ] = None,
    model: ModelName = "",
    rate: Rate = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    bank: Names = None,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Play motion as capture software would, segment it live by a server, and show what happens."""
    with needed("service,plot", "the demo"):
        import kineseg_service.server  # noqa: F401
        import scipy.optimize  # noqa: F401 - for the agreement with the truth

        import kineseg_cli.show.timeline  # noqa: F401
    console = Console()
    if out.exists() and not out.is_dir():
        raise CommandError(f"--out {out}: that is a file; name a folder")
    bank = existing_bank(bank)
    if file is None:
        recording = _embedded(seed, console)
    else:
        recording = _read(file, FileReading(rate, up.value, mapping, layout.value), console)
    if page is None:
        page = browser_at_hand() and find_spec("aiohttp") is not None
    if speed is None:
        speed = max(1.0, recording.duration_s / (_WATCHED_S if page or console.is_terminal else _UNWATCHED_S))

    with ExitStack() as stack:
        # What is named on the page is for this demo.
        spare = Path(stack.enter_context(TemporaryDirectory(prefix="kineseg-demo-"))) / "names.json" if page else None
        server = stack.enter_context(
            local_server(
                bundles=tuple(bundle or ()),
                provider=provider.value,
                metrics=True,
                bank=bank,
                spare_bank=spare,
                # The embedded motion has joints, and the packaged model takes them.
                joints_only=file is None and not bundle and not model,
            )
        )
        client = stack.enter_context(own_client(server))
        stop = stack.enter_context(interruptible())
        chosen = choose_model(client, model)
        print_line(
            f"Server: {server.address}, metrics at http://127.0.0.1:{server.metrics_port}/metrics; model {chosen.name} "
            f"{chosen.version} on {chosen.provider.removesuffix('ExecutionProvider')}.",
            console,
        )
        given = model_input(recording, chosen)
        history = StreamHistory(given.pose, model=chosen.name, model_rate_hz=chosen.rate)
        print_line(f"A twin of capture software sends it, as {_SENT_AS}, at {speed:.3g} times its speed.", console)
        engine = ServerEngine(server.address, Choices(model=chosen.name, frame_results=True), own=True)
        asyncio.run(_stream(given, engine, history, console, speed, stop, out if page else None))
    _keep(history, out)
    _conclude(history, out, console, finished=not stop.interrupted)
    raise typer.Exit(stop.status)


async def _stream(
    given: ModelInput,
    engine: ServerEngine,
    history: StreamHistory,
    console: Console,
    speed: float,
    stop: Stop,
    shown_until: Path | None,
) -> None:
    """Stream it; with `shown_until`, also to a page, which in the end says that this folder has all of it."""
    async with AsyncExitStack() as stack:
        hub = Hub(teach=engine.teach)
        shows = []
        if shown_until is not None:
            shown = await stack.enter_async_context(shown_page(hub, LOOPBACK, 0))
            print_line(f"The page: {shown.url}", console)
            open_in_browser(shown.url_once())
            about = f"{_SENT_AS}, {speed:.3g} times as fast as captured"
            shows.append(PageView(hub, about, Choices(), name=history.title, synthetic=history.synthetic, speed=speed))
        view = LiveView(history, console, speed) if console.is_terminal else PlainView(history, console)
        await stack.enter_async_context(engine)
        with view:
            recorded = recorded_of(given.recording, as_channels=given.joints is None)
            listeners = Listeners([_Shown(history, view), *shows])
            await stream_as_live(recorded, engine, listeners, speed=speed, stop=stop)
        hub.notice(f"The demo has ended; {shown_until}/index.html has all of it.")


class _Shown(Silent):
    """Gives what comes to a view, and to the history behind it."""

    def __init__(self, history: StreamHistory, view: LiveView | PlainView) -> None:
        self._history = history
        self._view = view

    def opened(self, stream: LiveStream) -> None:
        self._history.opened = stream.opened

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        self._view.add(item)


def _embedded(seed: int, console: Console) -> Recording:
    recording = embedded(seed)
    names = recording.truth.names if recording.truth else ()
    print_line(
        f"Source: {recording.duration_s:.0f} s of synthetic motion (made by a program, seed {seed}): "
        f"{len(names)} segments of {len(set(names))} actions, and three faults: left and right "
        "swapped for a moment, a gap, and a joint that freezes.",
        console,
    )
    return recording


def _read(file: Path, reading: FileReading, console: Console) -> Recording:
    recording = reading.read(file)
    print_line(f"Source: {file}, {recording.duration_s:.1f} s at {recording.rate:g} frames per second.", console)
    ErrorConsole().print_notes(recording.name, recording.notes)
    return recording


def _keep(history: StreamHistory, out: Path) -> None:
    """Write the picture, the events and the page."""
    from kineseg_cli.show import page, timeline

    out.mkdir(parents=True, exist_ok=True)
    with event_file(out / "events.jsonl") as write:
        for event in history.events:
            write(event)
    with writing(out / "timeline.png"):
        timeline.save(history, out / "timeline.png")
    with writing(out / "index.html"):
        page.save(history, out / "index.html")


def _conclude(history: StreamHistory, out: Path, console: Console, *, finished: bool) -> None:
    console.print()
    if not finished:
        print_line("Interrupted: what follows covers the stream until then.", console)
    console.print(segment_table([event for event in history.events if isinstance(event, SegmentClosed)]))
    if history.summary is not None:
        print_line(describe(history.summary), console)
    if history.provisional:
        print_line(f"Provisional segments: {outcomes(history.provisional)}.", console)
    agreement = compare_with_truth(history)
    if agreement is not None:
        console.print(agreement_table(agreement))
    for name, what in (
        ("index.html", "the whole stream as a page, to open in a browser"),
        ("timeline.png", "the same as a picture"),
        ("events.jsonl", "every event, one on each line"),
    ):
        print_line(f"{out / name}: {what}", console)
