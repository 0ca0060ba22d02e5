"""Fits the boundary network to its examples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from kineseg_core.boundary_network import layout
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.default.boundary_network.examples import ExamplePool, Examples
from kineseg_training.default.boundary_network.network import BoundaryNetwork, NetworkSize
from kineseg_training.errors import SettingsError
from kineseg_training.loop.run import train
from kineseg_training.loop.settings import LoopSettings
from kineseg_training.loop.task import Task, Update

_STRETCHES = 20
_MORE_STRETCHES = 3  # as many times as there are, so that all of them are shown in two of three cases
_LOWEST = 0.04  # of the learning rate, at the first step

Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FitSettings:
    """How the network is fitted.

    Attributes:
        size: Of the network.
        steps: Batches.
        batch: Examples in each.
        learning_rate: The highest, reached at `warm_up` of the steps (Smith and Topin 2019, one cycle).
        warm_up: Share of the steps.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient.
        view_dropout: How often a view other than the whole is hidden.
        truncation: How often more of the past is hidden than is missing, all of the farther past included.
        taught: Share of a teacher in the loss, where there is one (Hinton, Vinyals and Dean 2015).
        seed: Of weights, order and what is hidden.
    """

    size: NetworkSize
    steps: int
    batch: int = 256
    learning_rate: float = 2e-3
    warm_up: float = 0.15
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    view_dropout: float = 0.15
    truncation: float = 0.15
    taught: float = 0.7
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise SettingsError(f"steps must be at least 2, got {self.steps}")
        if self.batch < 1:
            raise SettingsError(f"batch must be at least 1, got {self.batch}")
        if not 0.0 <= self.taught <= 1.0:
            raise SettingsError(f"taught must be 0 to 1, got {self.taught}")


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network and how it came about.

    Attributes:
        network: In evaluation mode.
        loss: Mean of the batches, twentieth by twentieth of the steps.
    """

    network: BoundaryNetwork
    loss: tuple[float, ...]


class FitTask(Task):
    """Minimises the cross-entropy with the soft targets, weighted by their certainty, and with what a teacher says.

    Args:
        examples: What to fit to.
        settings: How.
        teacher: ``(N,)`` how likely each example is a boundary, as a teacher says who sees all of it; None: there is
            none.
    """

    def __init__(self, examples: ExamplePool, settings: FitSettings, teacher: Floats | None = None) -> None:
        torch.manual_seed(settings.seed)
        self._examples, self._settings, self._teacher = examples, settings, teacher
        self.network = self._network = BoundaryNetwork(settings.size)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.optimisers = {"network": self._optimiser}
        self.recipe = asdict(settings) | {"examples": len(examples)}

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """See `Task.step`."""
        settings = self._settings
        for group in self._optimiser.param_groups:
            group["lr"] = _learning_rate(iteration, settings)
        rows = np.sort(rng.integers(len(self._examples), size=settings.batch)[update.processes.share(settings.batch)])
        batch = self._examples.batch(rows)
        given = tuple(each.to(update.device) for each in _with_less(inputs(batch), settings))
        weight = torch.from_numpy(batch.weight).to(update.device)
        target = torch.from_numpy(batch.target).to(update.device)
        with update.precision():
            logits = self._network(*given)
            errors = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
            error = loss = (errors * weight).sum() / weight.sum()
            if self._teacher is not None:
                said = torch.from_numpy(self._teacher[rows]).to(update.device)
                apart = nn.functional.binary_cross_entropy_with_logits(logits, said)
                loss = (1 - settings.taught) * error + settings.taught * apart
        update(loss, self._optimiser, settings.clip_norm)
        return {"train_loss": float(error.detach())}


def fit(
    examples: ExamplePool, settings: FitSettings, teacher: Floats | None = None, *, progress: bool = False
) -> Fitted:
    """Fit a network, see `FitTask`; equal examples and settings give equal weights on one kind of machine and one
    thread."""
    task = FitTask(examples, settings, teacher)
    every = max(1, settings.steps // _STRETCHES)
    loop = LoopSettings(iterations=settings.steps, validate_every=every, seed=settings.seed, monitor=None)
    saved = train(task, loop, None, progress=progress)
    return Fitted(task._network, tuple(row.figures["train_loss"] for row in saved.course if row.iteration))


def _learning_rate(step: int, settings: FitSettings) -> float:
    """Up along a half cosine, and down along another to next to nothing."""
    rising = settings.warm_up * settings.steps
    if step <= rising:
        share = _LOWEST + (1.0 - _LOWEST) * 0.5 * (1.0 - math.cos(math.pi * step / rising))
    else:
        share = 0.5 * (1.0 + math.cos(math.pi * (step - rising) / (settings.steps - rising + 1)))
    return settings.learning_rate * share


def inputs(examples: Examples) -> Inputs:
    """The network's inputs: patches, units, known pieces, lag, farther past."""
    patches, far = (torch.from_numpy(each).float() for each in (examples.patches, examples.far))
    units, known, lag = (torch.from_numpy(each) for each in (examples.units, examples.known, examples.lag))
    return patches, units, known, lag, far


def _with_less(given: Inputs, settings: FitSettings) -> Inputs:
    """With some views hidden, and some of the past: the network must not rely on any of them."""
    patches, units, known, lag, far = given
    count, views = len(patches), layout.VIEWS
    shown = (torch.rand(count, views, 1, 1) >= settings.view_dropout).float()
    shown[:, 0] = 1.0
    shorter = torch.rand(count) < settings.truncation
    first = torch.maximum(known[:, 0], torch.randint(0, layout.PIECES_BEFORE - 4, (count,)) * shorter)
    stretches = torch.randint(0, _MORE_STRETCHES * layout.STRETCHES, (count,)) * ~shorter
    far = far * (torch.arange(layout.STRETCHES) < stretches[:, None])[:, None, None]
    return patches * shown.repeat_interleave(2, dim=1), units, torch.stack([first, known[:, 1]], dim=1), lag, far
