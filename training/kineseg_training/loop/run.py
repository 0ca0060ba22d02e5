"""Train a task: steps, validations, checkpoints, until it is done, good enough or interrupted."""

from __future__ import annotations

import io
import logging
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from kineseg_training.errors import CheckpointError, SettingsError, TrainingError
from kineseg_training.files import write_atomically
from kineseg_training.loop.course import Board, Course, Row, best_row, write_course
from kineseg_training.loop.processes import Processes, joined
from kineseg_training.loop.settings import LoopSettings
from kineseg_training.loop.task import Task
from kineseg_training.loop.update import Update

LAST = "last.pt"
FORMAT = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Saved:
    """A run as it was saved.

    Attributes:
        recipe: What the run is made of.
        iteration: Steps done.
        network: Parameters and buffers after the last of them.
        best: The same after the best validation.
        optimisers: State of each.
        course: One row a validation.
        judge: The figure that the best validation is the best by.
    """

    recipe: Mapping[str, object]
    iteration: int
    network: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    optimisers: Mapping[str, Mapping[str, object]]
    course: Course
    judge: str = "validation_loss"


def train(
    task: Task,
    settings: LoopSettings,
    out: Path,
    *,
    resume: bool = False,
    progress: bool = True,
    on_validation: Callable[[Row], None] | None = None,
) -> Saved:
    """Train `task`, leave ``last.pt``, ``course.csv`` and ``course.png`` in `out`, and put the best parameters into
    its network.

    On one kind of machine, equal recipe, seed and number of threads give equal parameters, whether or not the run was
    interrupted and resumed; so do several processes, up to rounding, where the network has no batch statistics.

    Args:
        task: What to train.
        settings: How long, where, and when to stop.
        out: Run folder, made if need be.
        resume: Go on from the checkpoint in `out` if there is one.
        progress: Show a bar.
        on_validation: Called after each validation, the one before any training included, with the network in eval
            mode.

    Raises:
        CheckpointError: `out` holds a run and `resume` is off; or that run had another recipe or another judge.
        SettingsError: The task tells no figure of the judge's name.
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

        losses: dict[str, list[float]] = defaultdict(list)
        with (
            tqdm(total=settings.iterations, initial=first - 1, disable=not (progress and processes.first)) as bar,
            Board(out, wanted=settings.tensorboard and processes.first) as board,
        ):
            for iteration in range(first - 1, settings.iterations + 1):
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
                    row = _validate(task, iteration, losses, processes, settings.judge)
                    losses.clear()
                    course = (*course, row)
                    if best_row(course, settings.judge) is row:
                        best = _copy(task.network.state_dict())
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
                    settings.judge,
                )
                # Between two validations nothing is saved: a resumed run does those steps again, and its course is
                # that of a run that was never interrupted.
                if due and processes.first:
                    _save(out / LAST, saved)
                    write_course(out, course)
                if asked.is_set():
                    raise TrainingError(f"{out}: interrupted after iteration {iteration}; go on with --resume")
                if settings.patience and _exhausted(course, settings.patience, settings.judge):
                    named = settings.judge.replace("_", " ")
                    logger.info("no better %s in %d validations: stopping", named, settings.patience)
                    break
        assert saved is not None  # iterations is at least 1
        task.network.load_state_dict(dict(saved.best))
        task.network.eval()
        return saved


def load_saved(path: Path) -> Saved:
    """Read a checkpoint of `train`; tensors come to the CPU.

    Raises:
        CheckpointError: There is none, or it is not one of ours.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; train first")
    try:
        # Plain values and tensors only, so that a checkpoint from elsewhere cannot run code.
        raw = torch.load(path, map_location="cpu", weights_only=True)
        if raw["format"] != FORMAT:
            raise CheckpointError(f"{path}: checkpoint format {raw['format']}, expected {FORMAT}; train again")
        course = tuple(Row(row["iteration"], row["figures"]) for row in raw["course"])
        return Saved(
            raw["recipe"],
            raw["iteration"],
            raw["network"],
            raw["best"],
            raw["optimisers"],
            course,
            raw.get("judge", "validation_loss"),
        )
    except CheckpointError:
        raise
    except Exception as error:  # torch.load raises whatever unpickling raises
        raise CheckpointError(f"{path}: not a checkpoint of kineseg-train ({error})") from error


def _start(task: Task, settings: LoopSettings, out: Path, processes: Processes, *, resume: bool) -> Saved | None:
    """The run to go on with, if any."""
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
        if saved.judge != settings.judge:
            raise CheckpointError(
                f"{out}: its best parameters are the best by {saved.judge}, not by {settings.judge}; resume with the "
                "same, or start in another folder"
            )
        return saved
    if processes.first:
        out.mkdir(parents=True, exist_ok=True)
    return None


def _restore(task: Task, saved: Saved) -> None:
    task.network.load_state_dict(dict(saved.network))
    for name, optimiser in task.optimisers.items():
        optimiser.load_state_dict(dict(saved.optimisers[name]))


def _validate(task: Task, iteration: int, losses: Mapping[str, list[float]], processes: Processes, judge: str) -> Row:
    # Batch statistics differ between processes; judged and saved is their mean.
    processes.average(buffer for buffer in task.network.buffers() if buffer.is_floating_point())
    task.network.eval()
    with torch.no_grad():
        judged = dict(task.validate())
    if judge not in judged:
        raise SettingsError(f"judge: there is no figure {judge!r}; this task tells {', '.join(judged)}")
    figures = {name: float(np.mean(values)) for name, values in losses.items()} | judged
    # All processes have to agree on when to stop.
    values = torch.tensor(list(figures.values()), dtype=torch.float64, device=processes.device)
    processes.from_first([values])
    if not torch.isfinite(values).all():
        bad = next(name for name, value in zip(figures, values, strict=True) if not torch.isfinite(value))
        raise TrainingError(f"{bad} is not a number any more after iteration {iteration}; lower the learning rate")
    return Row(iteration, dict(zip(figures, values.tolist(), strict=True)))


def _exhausted(course: Course, patience: int, judge: str) -> bool:
    return len(course) - 1 - course.index(best_row(course, judge)) >= patience


def _save(path: Path, saved: Saved) -> None:
    content = io.BytesIO()
    torch.save(
        {
            "format": FORMAT,
            "recipe": dict(saved.recipe),
            "iteration": saved.iteration,
            "network": dict(saved.network),
            "best": dict(saved.best),
            "optimisers": dict(saved.optimisers),
            "course": [{"iteration": row.iteration, "figures": dict(row.figures)} for row in saved.course],
            "judge": saved.judge,
        },
        content,
    )
    write_atomically(path, content.getvalue())


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
