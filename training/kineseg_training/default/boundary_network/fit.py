"""Fits the boundary network to its examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from kineseg_core.boundary_network import layout
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from kineseg_training.default.boundary_network.examples import ExamplePool, Examples
from kineseg_training.default.boundary_network.network import BoundaryNetwork
from kineseg_training.errors import SettingsError

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class FitSettings:
    """How the network is fitted.

    Attributes:
        steps: Batches.
        batch: Examples in each.
        learning_rate: The highest, reached at `warm_up` of the steps (Smith and Topin 2019, one cycle).
        warm_up: Share of the steps.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient.
        view_dropout: How often a view other than the whole is hidden.
        truncation: How often more of the past is hidden than is missing.
        width: Of the network.
        seed: Of weights, order and what is hidden.
    """

    steps: int
    batch: int = 256
    learning_rate: float = 2e-3
    warm_up: float = 0.15
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    view_dropout: float = 0.15
    truncation: float = 0.15
    width: float = 1.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise SettingsError(f"steps must be at least 2, got {self.steps}")
        if self.batch < 1:
            raise SettingsError(f"batch must be at least 1, got {self.batch}")


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network and how it came about.

    Attributes:
        network: In evaluation mode.
        loss: ``(steps,)`` of each batch.
    """

    network: BoundaryNetwork
    loss: NDArray[np.float64]


def fit(examples: ExamplePool, settings: FitSettings, *, progress: bool = False) -> Fitted:
    """Minimise the cross-entropy with the soft targets, weighted by their certainty.

    Equal examples and settings give equal weights on one kind of machine and one thread.
    """
    torch.manual_seed(settings.seed)
    network = BoundaryNetwork(settings.width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.steps, pct_start=settings.warm_up
    )
    rows = _Rows(len(examples), settings)
    loss = np.empty(settings.steps)
    steps = tqdm(range(settings.steps), desc="steps", disable=not progress)
    for step in steps:
        batch = examples.batch(rows.next())
        logits = network(*_with_less(inputs(batch), settings))
        error = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(batch.target), reduction="none")
        weight = torch.from_numpy(batch.weight)
        total = (error * weight).sum() / weight.sum()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
        optimiser.step()
        if step + 1 < settings.steps:
            schedule.step()
        loss[step] = float(total.detach())
        if step % 100 == 99:
            steps.set_postfix(loss=f"{loss[step - 99 : step + 1].mean():.4f}")
    return Fitted(network.eval(), loss)


def inputs(examples: Examples) -> Inputs:
    """The network's inputs: patches, units, known pieces, lag."""
    patches = torch.from_numpy(examples.patches).float()
    return patches, torch.from_numpy(examples.units), torch.from_numpy(examples.known), torch.from_numpy(examples.lag)


def _with_less(given: Inputs, settings: FitSettings) -> Inputs:
    """With some views hidden, and some of the past: the network must not rely on any of them."""
    patches, units, known, lag = given
    count, views = len(patches), layout.VIEWS
    shown = (torch.rand(count, views, 1, 1) >= settings.view_dropout).float()
    shown[:, 0] = 1.0
    less = torch.randint(0, layout.PIECES_BEFORE - 4, (count,)) * (torch.rand(count) < settings.truncation)
    first = torch.maximum(known[:, 0], less)
    return patches * shown.repeat_interleave(2, dim=1), units, torch.stack([first, known[:, 1]], dim=1), lag


class _Rows:
    """Rows of batches: all of them in random order, then again in another."""

    def __init__(self, count: int, settings: FitSettings) -> None:
        self._rng = np.random.default_rng(settings.seed)
        self._count = count
        self._batch = settings.batch
        self._left = np.empty(0, np.int64)

    def next(self) -> NDArray[np.int64]:
        while len(self._left) < self._batch:
            self._left = np.concatenate([self._left, self._rng.permutation(self._count)])
        rows, self._left = self._left[: self._batch], self._left[self._batch :]
        return rows
