"""`kineseg batch`: segments an archive of recordings into one Parquet file."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from kineseg.batch import Choices, Outcome, Report, run
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kineseg_cli.error_console import ErrorConsole
from kineseg_cli.extras import needed
from kineseg_cli.failures import FAILED, CommandError
from kineseg_cli.interrupt import interruptible
from kineseg_cli.joint_file import read_mapping
from kineseg_cli.name_store import existing_bank
from kineseg_cli.options import (
    Axis,
    Columns,
    JointFile,
    Latency,
    Layout,
    Names,
    Rate,
    Threshold,
    Up,
)
from kineseg_cli.outputs import check_writable


def batch(
    files: Annotated[
        list[str],
        typer.Argument(help="Recordings, by name or by pattern: 'archive/**/*.bvh'. ** is any number of folders."),
    ],
    out: Annotated[Path, typer.Option(help="Parquet file for the segments, a row each.")],
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="HOST:PORT", help="Use this server, instead of segmenting in this machine."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="How many files at a time, each in a process. Default: one a core."),
    ] = None,
    on_ray: Annotated[
        bool,
        typer.Option("--ray", help="In the Ray cluster of RAY_ADDRESS, or one that runs here, instead of processes."),
    ] = False,
    model: Annotated[
        str, typer.Option("--model", help="Name of the model; without --server also a bundle's path.")
    ] = "",
    rate: Rate = None,
    latency: Latency = None,
    threshold: Threshold = None,
    up: Up = Axis.AUTO,
    mapping: JointFile = None,
    layout: Columns = Layout.AUTO,
    bank: Names = None,
) -> None:
    """Segment many recordings into one Parquet file. Cut short, or started again, it does only what is left to do."""
    check_writable(out, "--out")
    if server is not None and bank is not None:
        raise CommandError("--bank is for segmenting in this machine; a server has its own (serve --label-bank)")
    with needed("batch", "kineseg batch"):
        import kineseg.batch.table  # noqa: F401 - before any work
    bank = existing_bank(bank)
    found = _found(files, out)
    choices = Choices(
        server=server,
        model=model,
        rate=rate,
        up=up.value,
        mapping=read_mapping(mapping),
        layout=layout.value,
        latency_s=latency,
        boundary_threshold=threshold,
        name_bank=None if bank is None else str(bank),
    )
    errors = ErrorConsole()
    with ExitStack() as stack:
        stop = stack.enter_context(interruptible())
        done, compiling = stack.enter_context(_shown(errors, len(found)))
        report = run(
            found, out, choices, workers=workers, on_ray=on_ray, on_done=done, on_compiling=compiling, stop=stop
        )
    errors.print_line(_summary(report, out))
    raise typer.Exit(stop.status or (FAILED if report.failed else 0))


def _found(patterns: Sequence[str], out: Path) -> list[str]:
    """The files that are meant, sorted, each once.

    Raises:
        CommandError: A pattern fits nothing, or a folder is named.
    """
    found = set[str]()
    for pattern in patterns:
        fitting = glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else [pattern]  # noqa: PTH207 - absolute or not
        files = {os.path.normpath(path) for path in fitting if not Path(path).is_dir()}
        if not files:
            if Path(pattern).is_dir():
                inside = Path(pattern, "**", "*.bvh")
                raise CommandError(f"{pattern}: that is a folder; say which files in it, such as '{inside}'")
            raise CommandError(f"{pattern}: no file fits; quote a pattern, so that ** is not the shell's")
        found |= files
    ours = (os.path.normpath(out), os.path.normpath(f"{out}.failed.jsonl"))
    parts = os.path.normpath(f"{out}.parts") + os.sep
    return sorted(path for path in found if path not in ours and not path.startswith(parts))


def _summary(report: Report, out: Path) -> str:
    failed = f", {len(report.failed)} failed (why: {out}.failed.jsonl)" if report.failed else ""
    if report.segments is None:
        done = report.files - report.left
        return f"stopped: {done} of {report.files} files are done and kept; the same command goes on"
    kept = f", {report.kept} of them done before" if report.kept else ""
    return f"{out}: {report.segments} segments of {report.files - len(report.failed)} files{kept}{failed}"


@contextmanager
def _shown(
    errors: ErrorConsole, files: int
) -> Iterator[tuple[Callable[[Outcome | None], None], Callable[[int, int], None]]]:
    """What hears of every file, and of kernels that are compiled first."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("files", total=files)

        def done(outcome: Outcome | None) -> None:
            progress.advance(task)
            if outcome is not None and outcome.error:
                about = outcome.error if outcome.error.startswith(outcome.file) else f"{outcome.file}: {outcome.error}"
                errors.print_line(f"failed: {about}")

        def compiling(kernels: int, of: int) -> None:
            progress.update(task, description="files" if kernels == of else f"compiling kernels, {kernels} of {of}")

        yield done, compiling
