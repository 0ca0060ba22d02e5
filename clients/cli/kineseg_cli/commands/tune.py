"""`kineseg tune`: from a few annotated minutes, how likely a boundary must be to become final."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from kineseg import Client, ModelInput
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.failures import CommandError
from kineseg_cli.interrupt import Stop, interruptible
from kineseg_cli.local import choose_model, connect
from kineseg_cli.options import (
    Axis,
    Bundle,
    Columns,
    JointFile,
    Latency,
    Layout,
    ModelName,
    Provider,
    Rate,
    ServerAddress,
    Up,
    Where,
)
from kineseg_cli.outputs import check_apart, check_writable, writing
from kineseg_cli.reading import FileReading
from kineseg_cli.source import model_input
from kineseg_cli.standard_output import STANDARD_OUTPUT, print_line
from kineseg_cli.tuning.annotation_file import read_segments
from kineseg_cli.tuning.choice import choose
from kineseg_cli.tuning.counts import count
from kineseg_cli.tuning.known import KnownBoundaries, known_boundaries
from kineseg_cli.tuning.report import settings_file, threshold_table, verdict
from kineseg_cli.tuning.trials import Trial, Trials

_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_NEAR = 0.02  # a threshold so near to the default is not tried beside it
_LEAST_BOUNDARIES = 8


class Prefer(enum.StrEnum):
    """Which errors are worse."""

    NEITHER = "neither"
    CUTS = "cuts"
    FEWER = "fewer"


_BETA = {Prefer.NEITHER: 1.0, Prefer.CUTS: 2.0, Prefer.FEWER: 0.5}


def tune(
    files: Annotated[
        list[Path], typer.Argument(metavar="RECORDING...", help="Annotated recordings, see docs/files.md.")
    ],
    labels: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Annotation of each recording, in their order: a table of start,end,name in seconds, or what "
            "`segment` writes with --out or --labels, corrected.",
        ),
    ],
    server: ServerAddress = None,
    tolerance: Annotated[
        float, typer.Option(min=0.05, max=10, help="Seconds by which a boundary may be off and count as found.")
    ] = 0.5,
    prefer: Annotated[
        Prefer, typer.Option(help="What to err on: cuts rather misses none, fewer rather invents none.")
    ] = Prefer.NEITHER,
    out: Annotated[Path | None, typer.Option(help="TOML file for the threshold, for `kineseg serve --config`.")] = None,
    model: ModelName = "",
    rate: Rate = None,
    latency: Latency = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    bundle: Bundle = None,
    provider: Where = Provider.AUTO,
) -> None:
    """Find out from annotated recordings how likely a boundary must be to become final; the model stays as it is."""
    check_writable(out, "--out")
    if len(labels) != len(files):
        raise CommandError(
            f"--labels: {len(labels)} given for {len(files)} recordings: give one --labels for each, in their order"
        )
    read = {f"recording {at}": path for at, path in enumerate(files, 1)}
    read |= {f"--labels {path}": path for path in labels}
    check_apart({"--out": out}, read | {"--mapping": mapping})
    reading = FileReading(rate, up.value, mapping, layout.value)
    recordings = [reading.read(file) for file in files]
    known = [
        known_boundaries(path, read_segments(path, recording), recording.duration_s)
        for path, recording in zip(labels, recordings, strict=True)
    ]
    _check_enough(known)
    errors = ErrorConsole()
    with ExitStack() as stack:
        client = stack.enter_context(connect(server, bundles=tuple(bundle or ()), provider=provider.value))
        chosen = choose_model(client, model)
        given = [model_input(recording, chosen) for recording in recordings]
        for one in given:
            errors.print_notes(one.recording.name, one.recording.notes)
        stop = stack.enter_context(interruptible())
        trials = _trials(client, chosen.name, given, latency, stop, errors)
        if stop.interrupted:
            errors.print_line("interrupted: nothing was picked")
            raise typer.Exit(stop.status)
    thresholds = [row[0].threshold for row in trials]
    counts = count(known, trials, tolerance)
    beta = _BETA[prefer]
    choice = choose(thresholds, counts, 0, beta)
    measure = f"F{beta:g}"
    lines = verdict(thresholds, choice, measure)
    if out is not None:
        with writing(out):
            out.write_text(settings_file(chosen.name, thresholds, choice, lines), encoding="utf-8")
    with writing(STANDARD_OUTPUT):
        print_line(
            f"recordings: {len(known)}, annotated: {counts.minutes:.1f} minutes, {counts.known.sum()} boundaries; "
            f"found: within {tolerance:g} s; delay: median until final"
        )
        Console().print(threshold_table(thresholds, counts, choice, measure))
        for line in lines:
            print_line(line)


def _check_enough(known: Sequence[KnownBoundaries]) -> None:
    boundaries = sum(len(one.times_s) for one in known)
    if boundaries < _LEAST_BOUNDARIES:
        raise CommandError(
            f"--labels: {boundaries} boundaries are annotated, at least {_LEAST_BOUNDARIES} are needed to tell one "
            "threshold from another by more than chance: annotate more, or give further recordings"
        )


def _trials(
    client: Client, model: str, given: Sequence[ModelInput], latency: float | None, stop: Stop, errors: ErrorConsole
) -> list[list[Trial]]:
    """The trials of each threshold, the default first."""
    progress = Progress(
        TextColumn("segmenting"), BarColumn(), TaskProgressColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    )  # fmt: skip
    with progress:
        task = progress.add_task("", total=len(given) * (len(_THRESHOLDS) + 1))
        trials = Trials(client, model, latency, stop, lambda: progress.advance(task))
        own = trials.run(given, [None])
        if own[0][0].threshold == 0.0:
            raise CommandError(
                f"model {model!r} has no probability of a boundary in streams like these (too few channels), so there "
                "is nothing to tune"
            )
        others = [each for each in _THRESHOLDS if abs(each - own[0][0].threshold) > _NEAR]
        return own + trials.run(given, others)
