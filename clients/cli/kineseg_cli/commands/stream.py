"""`kineseg stream`: segments what a live source sends, until it ends or is stopped."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from kineseg import AsyncClient, KinesegError, Segmenter
from kineseg.page import Hub
from kineseg.sources import Source, SourceAddress, open_source
from kineseg.sources.file import FileSource

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.failures import CommandError
from kineseg_cli.interrupt import Stop, interruptible
from kineseg_cli.joint_file import read_mapping
from kineseg_cli.live.check import check_source
from kineseg_cli.live.engines import Choices, Engine, LocalEngine, ServerEngine
from kineseg_cli.live.listener import Listener, Listeners
from kineseg_cli.live.outputs import EventFile, EventLines, Notices
from kineseg_cli.live.page import PageView
from kineseg_cli.live.recording import FrameFiles
from kineseg_cli.live.run import Backlog, LiveRun
from kineseg_cli.options import (
    AlarmsPerHour,
    JointFile,
    Latency,
    ModelName,
    Names,
    ReportsPerHour,
    RulesFile,
    SinkURLs,
    Spool,
    Threshold,
)
from kineseg_cli.outputs import check_apart, check_writable, event_file, writing
from kineseg_cli.page_address import USUAL_PAGE, page_address, shown_page
from kineseg_cli.rules_file import check_rules
from kineseg_cli.sinks import Sinks
from kineseg_cli.standard_output import STANDARD_OUTPUT, print_line

_USUAL_SERVER = "localhost:50051"
_IS_THERE_S = 2.0
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)  # before a server that is gone is tried again
_LOOK_S = 0.1
_LOADING_S = 0.5
_ENGINE = "engine"  # what notices of the page are about


def stream(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="Source, such as ndjson+udp://0.0.0.0:9000, file:take.bvh or -; see docs/sources."
        ),
    ],
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="HOST:PORT",
            help=f"Server that segments. Default: {_USUAL_SERVER} if one answers there, else this process.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the events, one JSON object on each line; - for standard output.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Keep the frames that come, for file:FILE.npz.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.1, max=1e6, metavar="SECONDS", help="End so long after the first frame.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look at what comes: joints, rate, jitter, loss, axes, height.")
    ] = False,
    model: ModelName = "",
    latency: Latency = None,
    threshold: Threshold = None,
    alarms: AlarmsPerHour = None,
    reports: ReportsPerHour = None,
    rules: RulesFile = None,
    mapping: JointFile = None,
    bank: Names = None,
    sinks: SinkURLs = None,
    cursor: Spool = None,
    page: Annotated[
        bool, typer.Option("--page", help="Show it in a browser, provisional segments too; prints the address.")
    ] = False,
    page_at: Annotated[
        str, typer.Option("--page-at", metavar="HOST:PORT", help="Where the page is shown; port 0: any free one.")
    ] = USUAL_PAGE,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Show the page without TLS where other machines can reach it.")
    ] = False,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Also report provisional segments, and what became of them.")
    ] = False,
) -> None:
    """Segment what a live source sends, until it ends, or Ctrl-C."""
    check_writable(out, "--out", or_standard_output=True)
    check_writable(record, "--record", (".npz",))
    read = {"the source": SourceAddress.parse(url).file, "--mapping": mapping, "--rules": rules, "--bank": bank}
    check_apart({"--out": out, "--record": record}, read)
    check_rules(rules)
    shown_at = page_address(page_at, "--page-at", closed=insecure) if page else None
    source = open_source(url, mapping=read_mapping(mapping))
    errors = ErrorConsole()
    with interruptible() as stop:
        if check:
            with writing(STANDARD_OUTPUT):
                good = asyncio.run(check_source(source, errors, stop=stop, duration_s=duration))
            raise typer.Exit(stop.status or (0 if good else 1))
        choices = Choices(
            model=model,
            latency_s=latency,
            boundary_threshold=threshold,
            alarms_per_hour=alarms,
            reports_per_hour=reports,
            decisions="all" if provisional or page else "final",
            frame_results=page,
            rules=rules or "",
            name_bank=bank,
        )
        with ExitStack() as stack:
            write = stack.enter_context(event_file(out))
            listeners: list[Listener] = [Notices(errors, summaries=out is not None), EventFile(write)]
            if sinks:
                listeners.append(stack.enter_context(Sinks(sinks, cursor, errors.print_line)))
            if out is None:
                listeners.append(EventLines(_print))
            kept = None if record is None else FrameFiles(record)
            if kept is not None:
                listeners.append(kept)
                stack.callback(_save, kept, errors)
            asyncio.run(_run(source, server, choices, listeners, errors, stop, duration, shown_at))
    # Ctrl-C is how a live stream ends: all that came until then has been segmented.
    raise typer.Exit(0)


async def _run(
    source: Source,
    server: str | None,
    choices: Choices,
    listeners: list[Listener],
    errors: ErrorConsole,
    stop: Stop,
    duration_s: float | None,
    shown_at: tuple[str, int] | None,
) -> None:
    async with AsyncExitStack() as stack:
        in_use: list[Engine] = []
        hub = Hub(teach=lambda *what: in_use[0].teach(*what))
        if shown_at is not None:  # at once: it says what is waited for, too
            shown = await stack.enter_async_context(shown_page(hub, *shown_at))
            errors.print_line(f"the page: {shown.url}")
        engine = await _engine(server, choices, errors, hub, stop)
        in_use.append(engine)
        await stack.enter_async_context(source)
        if shown_at is not None:
            listeners.append(PageView(hub, source.where, choices))
        failures, backlog = 0, Backlog()
        while True:
            try:
                async with engine:
                    errors.print_line(f"listening to {source.where}; segmented by {engine.where}; Ctrl-C ends it")
                    run = LiveRun(
                        source, engine, Listeners(listeners), stop=stop, duration_s=duration_s, backlog=backlog
                    )
                    await run.run()
                return
            except KinesegError as error:
                if not error.retryable or stop.is_set() or isinstance(source, FileSource):
                    raise
                errors.print_line(f"{error}; trying again, with a new stream")
            await _pause(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)], stop)
            if stop.is_set():
                return
            failures += 1
            engine = ServerEngine(server or _USUAL_SERVER, choices)
            in_use[0] = engine


async def _pause(seconds: float, stop: Stop) -> None:
    for _ in range(round(seconds / _LOOK_S)):
        if stop.is_set():
            return
        await asyncio.sleep(_LOOK_S)


async def _engine(server: str | None, choices: Choices, errors: ErrorConsole, hub: Hub, stop: Stop) -> Engine:
    """The server, if it is there; otherwise this process, if it can.

    Raises:
        CommandError: Neither can segment.
    """
    address = server or _USUAL_SERVER
    if choices.name_bank is not None and server is None:
        return await _this_process(choices, errors, hub)
    try:
        await _answers(address, errors, hub, stop)
    except KinesegError as error:
        if not error.retryable:
            raise
        if find_spec("onnxruntime") is None or find_spec("numba") is None:
            raise CommandError(
                f"no server answers at {address}: start one with `kineseg serve` and name it with --server, or "
                'segment in this process: pip install "kineseg[local]"'
            ) from error
        if server is not None:
            errors.print_line(f"no server answers at {address}: this process segments instead ({error})")
        return await _this_process(choices, errors, hub)
    if choices.name_bank is not None:
        raise CommandError("--bank is for this process; a server has its own (serve --label-bank)")
    return ServerEngine(address, choices)


async def _answers(address: str, errors: ErrorConsole, hub: Hub, stop: Stop) -> None:
    """Returns once a server answers; waits for one that is loading, and raises what stands in the way."""
    is_loading = False
    while True:
        try:
            async with AsyncClient(address, timeout=_IS_THERE_S, retries=0) as client:
                await client.models()
            hub.notice("", _ENGINE)
            return
        except KinesegError as error:
            if error.reason != "SERVER_LOADING" or stop.is_set():
                raise
        if not is_loading:
            is_loading = True
            errors.print_line(f"the server at {address} is loading: waiting for it")
            hub.notice(f"the server at {address} is loading", _ENGINE)
        await _pause(_LOADING_S, stop)


async def _this_process(choices: Choices, errors: ErrorConsole, hub: Hub) -> LocalEngine:
    def said(done: int, of: int) -> None:
        hub.notice(f"compiling kernels, once after an installation or an update: {done} of {of}", _ENGINE)
        if not done:
            errors.print_line("compiling kernels, once after an installation or an update: a minute or two")

    # Before anything is listened to: what came meanwhile would be lost.
    await asyncio.to_thread(Segmenter.prepare, said)
    hub.notice("", _ENGINE)
    return LocalEngine(choices)


def _print(line: str) -> None:
    with writing(STANDARD_OUTPUT):
        print_line(line)


def _save(kept: FrameFiles, errors: ErrorConsole) -> None:
    for path, frames in kept.save():
        errors.print_line(f"{path}: {frames} frames")
