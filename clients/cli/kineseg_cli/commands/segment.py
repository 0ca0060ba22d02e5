"""`kineseg segment`: streams a recording through a server, and writes what it found to files or a table."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from kineseg import Event, Segmentation, SegmentClosed, provisional_segments
from kineseg.motion import Recording
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.extras import needed
from kineseg_cli.interrupt import interruptible
from kineseg_cli.local import choose_model, connect
from kineseg_cli.name_store import existing_bank
from kineseg_cli.options import (
    AlarmsPerHour,
    Axis,
    Bundle,
    Columns,
    JointFile,
    Latency,
    Layout,
    ModelName,
    Names,
    ProfileFile,
    Provider,
    Rate,
    ReportsPerHour,
    RulesFile,
    ServerAddress,
    SinkURLs,
    Spool,
    Threshold,
    Up,
    Where,
)
from kineseg_cli.outputs import PICTURES, check_apart, check_writable, event_file, writing
from kineseg_cli.profile_file import read_profile, refusals_of, write_profile
from kineseg_cli.reading import FileReading
from kineseg_cli.replay import Replay
from kineseg_cli.rules_file import check_rules, unknown_names
from kineseg_cli.show.stream_history import StreamHistory
from kineseg_cli.show.wording import clock, describe
from kineseg_cli.sinks import Sinks
from kineseg_cli.source import model_input
from kineseg_cli.standard_output import STANDARD_OUTPUT
from kineseg_cli.tables import anomaly_table, provisional_table, segment_table


def segment(
    file: Annotated[
        Path, typer.Argument(help="Recording: BVH, CSV and its like, NPZ, NPY, TRC ..., see docs/files.md.")
    ],
    server: ServerAddress = None,
    out: Annotated[
        Path | None, typer.Option(help="File for the events, one JSON object on each line; - for standard output.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV file for the segment_id and label of every frame.")] = None,
    plot: Annotated[Path | None, typer.Option(help="File for a picture of the timeline: .png, .svg or .pdf.")] = None,
    model: ModelName = "",
    rate: Rate = None,
    latency: Latency = None,
    threshold: Threshold = None,
    alarms: AlarmsPerHour = None,
    reports: ReportsPerHour = None,
    profile: ProfileFile = None,
    rules: RulesFile = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Also report provisional segments, and what became of them.")
    ] = False,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Stream it at the speed at which it was captured.")
    ] = False,
    resume: Annotated[
        bool, typer.Option(help="Go on where it was after the connection to the server broke, without losing anything.")
    ] = True,
    bank: Names = None,
    sinks: SinkURLs = None,
    cursor: Spool = None,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Segment a recording; the result is the same as that of a live stream."""
    files = _ResultFiles(out, labels, plot)
    files.check()
    read = {"the recording": file, "--mapping": mapping, "--rules": rules, "--bank": bank}
    check_apart({"--out": out, "--labels": labels, "--plot": plot, "--profile": profile}, read)
    known = None if profile is None else read_profile(profile)
    check_rules(rules)
    recording = FileReading(rate, up.value, mapping, layout.value).read(file)
    bank = existing_bank(bank)
    errors = ErrorConsole()
    with ExitStack() as stack:
        client = stack.enter_context(connect(server, bundles=tuple(bundle or ()), provider=provider.value, bank=bank))
        chosen = choose_model(client, model)
        given = model_input(recording, chosen)
        sent = given.recording
        errors.print_notes(recording.name, sent.notes)
        errors.print_notes("rules", unknown_names(rules, client, chosen))
        history = StreamHistory(given.pose, model=chosen.name, model_rate_hz=chosen.rate)
        stack.enter_context(refusals_of(profile))
        write = stack.enter_context(event_file(out))
        to_sinks = stack.enter_context(Sinks(sinks, cursor, errors.print_line)) if sinks else None
        stop = stack.enter_context(interruptible())
        progress = stack.enter_context(_progress(errors))
        task = progress.add_task(recording.name, total=sent.n_frames)
        replay = Replay(
            client,
            given,
            model=chosen.name,
            latency_s=latency,
            boundary_threshold=threshold,
            alarms_per_hour=alarms,
            reports_per_hour=reports,
            profile=known,
            return_profile=profile is not None,
            rules=rules or "",
            frame_results=plot is not None,
            decisions="all" if provisional else "final",
            speed=1.0 if realtime else None,
            stop=stop,
            resume=resume,
            on_reconnected=lambda how: errors.print_line(
                f"the connection broke ({how.reason}); went on after {how.away_s:.1f} s, nothing is lost"
            ),
            on_sent=lambda frames: progress.update(task, completed=frames),
        )
        try:
            for item in replay:
                history.add(item)
                if isinstance(item, Event):
                    write(item)
                    if to_sinks is not None:
                        to_sinks.add(item, recording.name)
        except Exception:
            progress.stop()
            files.keep(history, sent)
            errors.print_line(f"{_reach(sent, replay.processed)}: what was written is incomplete")
            raise
    files.keep(history, sent)
    if profile is not None:
        if replay.profile is None:
            errors.print_line(f"--profile {profile}: the server knows no profiles; the file is as it was")
        else:
            with writing(profile):
                write_profile(profile, replay.profile)
    if out is None:
        with writing(STANDARD_OUTPUT):
            _show(history, sent.rate, provisional=provisional)
    if history.summary is not None:
        errors.print_line(describe(history.summary))
    if stop.interrupted:
        errors.print_line(f"interrupted; {_reach(sent, replay.processed)}: what was written covers that part")
    raise typer.Exit(stop.status)


@dataclass(frozen=True, slots=True)
class _ResultFiles:
    """The files to write; see the options of the command."""

    out: Path | None
    labels: Path | None
    plot: Path | None

    def check(self) -> None:
        """Raises CommandError if one of them cannot be written."""
        check_writable(self.out, "--out", or_standard_output=True)
        check_writable(self.labels, "--labels")
        check_writable(self.plot, "--plot", PICTURES)
        if self.plot is not None:
            with needed("plot", "--plot"):
                import scipy.optimize  # noqa: F401 - for the agreement with the truth

                from kineseg_cli.show import timeline  # noqa: F401

    def keep(self, history: StreamHistory, sent: Recording) -> None:
        """Write those that are made at the end, if the stream has ended properly, early or not."""
        if history.summary is None:
            return
        if self.labels is not None:
            found = Segmentation.from_items(history.events, rate=sent.rate, n_frames=sent.n_frames)
            with writing(self.labels):
                found.to_csv(self.labels)
        if self.plot is not None:
            from kineseg_cli.show import timeline

            with writing(self.plot):
                timeline.save(history, self.plot)


def _show(history: StreamHistory, rate: float, *, provisional: bool) -> None:
    tables = Console()
    if provisional:
        tables.print(provisional_table(provisional_segments(history.events), rate))
    tables.print(segment_table([event for event in history.events if isinstance(event, SegmentClosed)]))
    if history.anomalies:
        tables.print(anomaly_table(history.anomalies))


def _reach(sent: Recording, frames: int) -> str:
    """How far a stream came."""
    times = sent.times() - sent.times()[0]
    reached_s = float(times[frames - 1]) + 1.0 / sent.rate if frames else 0.0
    return f"{frames} of {sent.n_frames} frames were segmented, {clock(reached_s)} of {clock(sent.duration_s)}"


def _progress(console: Console) -> Progress:
    """A bar on standard error, which goes away when it is done; nothing where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
