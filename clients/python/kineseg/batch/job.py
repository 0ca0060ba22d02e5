"""A job over an archive: what is done already, the rest in processes, and all of it in one file."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kineseg._errors import InvalidRequest, UsageError
from kineseg._segmenter import Segmenter
from kineseg.batch.choices import Choices
from kineseg.batch.on_ray import RayWorkers
from kineseg.batch.pool import Outcome, Processes
from kineseg.batch.segments import model_of


@dataclass(frozen=True, slots=True)
class Report:
    """What a job has done.

    Attributes:
        files: How many files there are.
        kept: How many of them had been segmented before, and have not changed.
        failed: Those that could not be segmented, and why.
        left: How many were not begun, because the job was stopped.
        segments: How many segments the output has; None: it was not written, as the job was stopped.
    """

    files: int
    kept: int
    failed: tuple[Outcome, ...]
    left: int
    segments: int | None


def run(
    files: Iterable[str | Path],
    out: str | Path,
    choices: Choices | None = None,
    *,
    workers: int | None = None,
    on_ray: bool = False,
    on_done: Callable[[Outcome | None], None] | None = None,
    on_compiling: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> Report:
    """Segment files into one Parquet file, a row for each segment.

    Results are kept file by file in the folder ``<out>.parts`` until all are done: a job that was cut, however, goes on
    where it was when it is started again. Where `out` is there from an earlier job, what has not changed is taken from
    it. Files that failed are in the report and in ``<out>.failed.jsonl``, and are tried again by the next job.

    Args:
        files: Paths of recordings.
        out: The Parquet file.
        choices: How they are read and segmented.
        workers: How many processes; None: as many as this one may use cores, or as Ray has.
        on_ray: Whether the processes are those of a Ray cluster: the one that is connected to, that ``RAY_ADDRESS``
            names, or that runs here; else a Ray is started. All its machines must find the files by the same paths.
        on_done: Is called with what became of each file, one after the other; with None for one that was done before.
        on_compiling: See `kineseg.Segmenter.prepare`; kernels are compiled once, before the processes start.
        stop: Set it to end early: files that have been begun are finished and kept.

    Raises:
        UsageError: ``kineseg[batch]``, without a server ``kineseg[local]``, or with `on_ray` ``kineseg[ray]``, is not
            installed.
        InvalidRequest: A choice cannot be used, or `out` is there and no job has written it.
        KinesegError: The server is gone; what was done is kept.
        OSError: A result cannot be written.
    """
    try:
        from kineseg.batch.table import Finished, Parts, write_output
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a job writes Parquet, which needs more than the client has ({error.name} is missing): "
            "pip install 'kineseg[batch]'"
        ) from error
    out, choices = Path(out), choices or Choices()
    if workers is not None and workers < 1:
        raise InvalidRequest(f"workers must be 1 or more, got {workers}", field="workers")
    tell, stop = on_done or (lambda outcome: None), stop or threading.Event()
    parts, finished = Parts(out), Finished(out)
    model = model_of(choices)
    named, failed = list(dict.fromkeys(map(str, files))), list[Outcome]()
    keys = _keys(named, choices, f"{model.name} {model.version} {model.sha256}", failed)
    for outcome in failed:
        tell(outcome)
    todo = [file for file, key in keys.items() if not (finished.has(key) or parts.has(key))]
    kept = len(keys) - len(todo)
    for _ in range(kept):
        tell(None)
    done = 0
    if todo:
        if choices.server is None:
            Segmenter.prepare(on_compiling)
        pool = RayWorkers(choices, workers) if on_ray else Processes(choices, min(workers or _cores(), len(todo)))
        for outcome in pool.outcomes(todo, stop):
            done += 1
            if outcome.error:
                failed.append(outcome)
                del keys[outcome.file]
            else:
                parts.keep(keys[outcome.file], outcome.rows)
            tell(outcome)
    left, segments = len(todo) - done, None
    if not left:
        tables = ((parts if parts.has(key) else finished).read(key) for key in keys.values())
        segments = write_output(out, tables, keys)
        _write_failed(out.with_name(f"{out.name}.failed.jsonl"), failed)
        parts.clear()
    return Report(len(named), kept, tuple(failed), left, segments)


def _keys(files: Iterable[str], choices: Choices, model: str, failed: list[Outcome]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for file in files:
        try:
            keys[file] = choices.key(file, model)
        except OSError as error:
            failed.append(Outcome(file, error=f"{file}: {error.strerror}"))
    return keys


def _write_failed(path: Path, failed: Iterable[Outcome]) -> None:
    lines = [json.dumps({"file": outcome.file, "error": outcome.error}) + "\n" for outcome in failed]
    if lines:
        path.write_text("".join(lines), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
