"""Train a task: steps, validations, checkpoints, until it is done, good enough or interrupted."""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from kineseg_training.errors import CheckpointError, SettingsError, TrainingError
from kineseg_training.files import write_atomically
from kineseg_training.loop.course import Board, Course, CourseFiles, CourseRow, best_row
from kineseg_training.loop.processes import Processes, joined
from kineseg_training.loop.saved import LAST, Saved, load_saved
from kineseg_training.loop.settings import LoopSettings
from kineseg_training.loop.task import Task, Update

RECIPE = "recipe.json"

logger = logging.getLogger(__name__)


def train(
    task: Task,
    settings: LoopSettings,
    out: Path | None,
    *,
    resume: bool = False,
    progress: bool = True,
    on_validation: Callable[[CourseRow], None] | None = None,
) -> Saved:
    """Train `task`, leave ``last.pt``, ``recipe.json``, ``course.csv`` and ``course.png`` in `out`, and put the best
    parameters into its network, or the last ones where no figure is monitored.

    On one kind of machine, equal recipe, seed and number of threads give equal parameters, whether or not the run was
    interrupted and resumed; so do several processes, up to rounding, where the network has no batch statistics.

    Args:
        task: What to train.
        settings: How long, where, and when to stop.
        out: Run folder, made if need be. None: nothing is written, and there is nothing to resume.
        resume: Go on from the checkpoint in `out` if there is one.
        progress: Show a bar.
        on_validation: Called after each validation, the one before any training included, with the network in eval
            mode.

    Raises:
        CheckpointError: `out` holds a run and `resume` is off; or that run had another recipe or monitored another
            figure.
        SettingsError: The task has no figure of the monitored name.
        TrainingError: Interrupted (the message says how to go on), or the loss is not a number any more.
    """
    with joined(settings.device) as processes, _stop_asked() as asked:
        task.network.to(processes.device)
        saved = _start(task, settings, out, processes, resume=resume)
        update = Update(processes, settings.precision)
        course = saved.course if saved else ()
        best = dict(saved.best) if saved else {}
        first = saved.iteration + 1 if saved else 1
        if saved is not None:
            _restore(task, saved)
        processes.from_first(task.network.state_dict().values())
        last = settings.iterations
        if saved is not None and _exhausted(course, settings):
            last = saved.iteration  # it had stopped early

        losses: dict[str, list[float]] = defaultdict(list)
        with (
            tqdm(total=settings.iterations, initial=first - 1, disable=not (progress and processes.first)) as bar,
            Board(out, wanted=settings.tensorboard and processes.first) as board,
            CourseFiles(out if processes.first else None) as files,
        ):
            for iteration in range(first - 1, last + 1):
                if iteration >= first:
                    torch.manual_seed(_torch_seed(settings.seed, iteration))
                    rng = np.random.default_rng((settings.seed, iteration))
                    task.network.train()
                    for name, value in task.step(iteration, rng, update).items():
                        losses[name].append(value)
                    bar.update()
                elif course:
                    continue  # resumed: this iteration was validated before
                due = iteration % settings.validate_every == 0 or iteration == settings.iterations
                if not due and not asked.is_set():
                    continue
                if due:
                    row = _validate(task, iteration, losses, processes, settings.monitor)
                    losses.clear()
                    course = (*course, row)
                    if settings.monitor is None or best_row(course, settings.monitor) is row:
                        best = _copy(task.network.state_dict())
                    if "validation_loss" in row.figures:
                        bar.set_postfix(validation=f"{row.figures['validation_loss']:.4f}")
                    board.add(row)
                    if on_validation is not None and processes.first:
                        on_validation(row)
                saved = Saved(
                    task.recipe,
                    iteration,
                    _copy(task.network.state_dict()),
                    best,
                    {name: optimiser.state_dict() for name, optimiser in task.optimisers.items()},
                    course,
                    settings.monitor,
                    task.notes,
                )
                # Between two validations nothing is saved: a resumed run does those steps again, and its course is
                # that of a run that was never interrupted.
                if out is not None and due and processes.first:
                    saved.write(out / LAST)
                    files.write(course)
                if asked.is_set():
                    if out is None:
                        raise TrainingError(f"interrupted after iteration {iteration}")
                    raise TrainingError(f"{out}: interrupted after iteration {iteration}; go on with --resume")
                if _exhausted(course, settings):
                    break
        assert saved is not None  # iterations is at least 1
        task.network.load_state_dict(dict(saved.best))
        task.network.eval()
        return saved


def _start(task: Task, settings: LoopSettings, out: Path | None, processes: Processes, *, resume: bool) -> Saved | None:
    """The run to go on with, if any."""
    if out is None:
        return None
    path = out / LAST
    if path.exists():
        if not resume:
            raise CheckpointError(f"{out}: holds a run already; add --resume to go on with it, or name another folder")
        saved = load_saved(path)
        for name in sorted(task.recipe.keys() | saved.recipe.keys()):
            if task.recipe.get(name) != saved.recipe.get(name):
                raise CheckpointError(
                    f"{out}: was trained with {name} = {saved.recipe.get(name)}, not {task.recipe.get(name)}; resume "
                    "with the same settings and data, or start in another folder"
                )
        if saved.monitor != settings.monitor:
            raise CheckpointError(
                f"{out}: its best parameters are the best by {saved.monitor}, not by {settings.monitor}; resume with "
                "the same, or start in another folder"
            )
        return saved
    if processes.first:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / RECIPE, (json.dumps(dict(task.recipe), indent=1) + "\n").encode())
    return None


def _restore(task: Task, saved: Saved) -> None:
    task.network.load_state_dict(dict(saved.network))
    for name, optimiser in task.optimisers.items():
        optimiser.load_state_dict(dict(saved.optimisers[name]))


def _validate(
    task: Task, iteration: int, losses: Mapping[str, list[float]], processes: Processes, monitor: str | None
) -> CourseRow:
    # Batch statistics differ between processes; validated and saved is their mean.
    processes.average(buffer for buffer in task.network.buffers() if buffer.is_floating_point())
    task.network.eval()
    with torch.no_grad():
        found = dict(task.validate())
    if monitor is not None and monitor not in found:
        raise SettingsError(f"monitor: there is no figure {monitor!r}; this task has {', '.join(found) or 'none'}")
    figures = {name: float(np.mean(values)) for name, values in losses.items()} | found
    # All processes have to agree on when to stop.
    values = torch.tensor(list(figures.values()), dtype=torch.float64, device=processes.device)
    processes.from_first([values])
    if not torch.isfinite(values).all():
        bad = next(name for name, value in zip(figures, values, strict=True) if not torch.isfinite(value))
        raise TrainingError(f"{bad} is not a number any more after iteration {iteration}; lower the learning rate")
    return CourseRow(iteration, dict(zip(figures, values.tolist(), strict=True)))


def _exhausted(course: Course, settings: LoopSettings) -> bool:
    """Whether it is time to stop early."""
    if settings.monitor is None or not settings.patience:
        return False
    if len(course) - 1 - course.index(best_row(course, settings.monitor)) < settings.patience:
        return False
    logger.info("no better %s in %d validations: stopping", settings.monitor.replace("_", " "), settings.patience)
    return True


def _copy(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in state.items()}


def _torch_seed(seed: int, iteration: int) -> int:
    return int(np.random.SeedSequence((seed, iteration)).generate_state(1)[0])


@contextmanager
def _stop_asked() -> Iterator[threading.Event]:
    """Set by Ctrl-C, so that a run stops after a whole step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # signals are the main thread's
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
