"""Run the experiments of a report, several at a time; what is finished is not done again."""

from __future__ import annotations

import json
import logging
import multiprocessing
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Never

import torch
from tqdm import tqdm

from kineseg_training.errors import SettingsError, TrainingError
from kineseg_training.files import write_atomically
from kineseg_training.report.contents import Entry
from kineseg_training.studies.exhibit import EXHIBIT_FILE, Exhibit, RunContext
from kineseg_training.studies.families import FAMILIES, family_bundle

ASKED_FILE = "asked.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of an experiment.

    Attributes:
        entry: Which one.
        exhibit: What it found; None if it failed.
        seconds: How long that took when it was done.
        problem: Why it failed; empty if it did not.
    """

    entry: Entry
    exhibit: Exhibit | None
    seconds: float
    problem: str = ""


def run_all(entries: Sequence[Entry], context: RunContext, jobs: int) -> list[Outcome]:
    """Run experiments, each in a folder of its own within ``context.out``, `jobs` at a time with one thread each.

    An experiment that fails does not keep the others from running. One that was finished with the same preset and seed
    is read from its folder.

    Returns:
        In the order of `entries`.

    Raises:
        SettingsError: The folder holds a report of another preset or seed.
    """
    _check_folder(context)
    unfinished = [entry for entry in entries if not _finished(entry, context)]
    needed = sorted({family for entry in unfinished for family in entry.needs})
    bundles = any(entry.bundles for entry in unfinished)
    outcomes: dict[str, Outcome] = {}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool, _bar(len(needed) + len(entries), context) as bar:
        # The models that several experiments use come first; each is trained once.
        for family, made in [(family, pool.submit(_prepare, family, context, bundles)) for family in needed]:
            problem = made.result()
            if problem:
                logger.warning("%s: %s", family, problem)
            bar.update()
        running: dict[Future[Outcome], Entry] = {
            pool.submit(_run, entry, context): entry for entry in sorted(entries, key=lambda entry: not entry.long)
        }
        for done in as_completed(running):
            outcome = done.result()
            outcomes[outcome.entry.key] = outcome
            bar.set_postfix_str(f"{outcome.entry.key} {outcome.seconds:.0f} s")
            bar.update()
    return [outcomes[entry.key] for entry in entries]


def _bar(total: int, context: RunContext) -> tqdm[Never]:
    return tqdm(total=total, disable=not context.progress, unit="experiment", desc="report")


def _check_folder(context: RunContext) -> None:
    asked = {"preset": context.preset, "seed": context.seed}
    file = context.out / ASKED_FILE
    if file.is_file() and json.loads(file.read_text()) != asked:
        raise SettingsError(
            f"out: {context.out} holds a report made with {file.read_text().strip()}; name another folder"
        )
    write_atomically(file, (json.dumps(asked) + "\n").encode())


def _own(entry: Entry, context: RunContext) -> RunContext:
    out = context.out / entry.key
    out.mkdir(exist_ok=True)
    return replace(context, out=out, progress=False)


def _finished(entry: Entry, context: RunContext) -> bool:
    return (context.out / entry.key / EXHIBIT_FILE).is_file()


def _prepare(family: str, context: RunContext, bundles: bool) -> str:
    """Train a family's shared model, and export its bundle if wanted; what went wrong, or nothing."""
    torch.set_num_threads(1)
    where = _own(Entry("models", "", ""), context)
    try:
        FAMILIES[family][0](where)
        if bundles:
            family_bundle(where, family)
    except TrainingError as error:
        return str(error)
    return ""


def _run(entry: Entry, context: RunContext) -> Outcome:
    torch.set_num_threads(1)
    where = _own(entry, context)
    timing = where.out / "seconds.json"
    if _finished(entry, context):
        seconds = json.loads(timing.read_text()) if timing.is_file() else 0.0
        return Outcome(entry, Exhibit.load(where.out), seconds)
    began = time.monotonic()
    try:
        exhibit = entry.run(where)
        exhibit.save(where.out)
    except TrainingError as error:
        return Outcome(entry, None, time.monotonic() - began, str(error))
    except Exception:  # an experiment of many: the others are not to be lost
        return Outcome(entry, None, time.monotonic() - began, traceback.format_exc())
    seconds = time.monotonic() - began
    write_atomically(timing, json.dumps(round(seconds, 1)).encode())
    return Outcome(entry, exhibit, seconds)


def pictures_of(outcome: Outcome, context: RunContext) -> dict[str, Path]:
    """Files of an exhibit's pictures, by their names."""
    if outcome.exhibit is None:
        return {}
    return {picture.file: context.out / outcome.entry.key / picture.file for picture in outcome.exhibit.pictures}
