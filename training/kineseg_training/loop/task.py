"""What a family of models gives the loop: what is trained, on what, and how well it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from kineseg_training.loop.processes import Processes
from kineseg_training.loop.settings import Precision

_LOW: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Update:
    """What a task calls with each of its losses.

    Gradients go to the optimiser's own parameters only, so that an adversary and what it looks at can be updated one
    after the other from the same predictions.
    """

    def __init__(self, processes: Processes, precision: Precision) -> None:
        self.processes = processes
        self._precision = precision
        self._scaler = torch.amp.GradScaler(processes.device.type, enabled=precision == "float16")

    @property
    def device(self) -> torch.device:
        """Where batches have to be."""
        return self.processes.device

    def precision(self) -> AbstractContextManager[object]:
        """Compute predictions and losses under this: autocast, or nothing special for float32."""
        low = _LOW.get(self._precision)
        return torch.autocast(self.device.type, dtype=low, enabled=low is not None)

    def __call__(
        self, loss: Tensor, optimiser: torch.optim.Optimizer, clip_norm: float, *, keep_graph: bool = False
    ) -> None:
        """Minimise `loss`, a scalar, by one step of `optimiser`.

        Args:
            loss: Mean over this process's share of the batch.
            optimiser: Whose parameters are to be changed.
            clip_norm: Largest norm of their gradient.
            keep_graph: Another loss will be computed from the same predictions.
        """
        parameters = [p for group in optimiser.param_groups for p in group["params"] if p.requires_grad]
        for parameter in parameters:
            parameter.grad = None
        self._scaler.scale(loss).backward(inputs=parameters, retain_graph=keep_graph)  # type: ignore[no-untyped-call]
        # A parameter that this batch had no use for counts as one whose gradient is zero, in every process.
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self._scaler.unscale_(optimiser)
        self.processes.average(p.grad for p in parameters if p.grad is not None)
        nn.utils.clip_grad_norm_(parameters, clip_norm)
        self._scaler.step(optimiser)
        self._scaler.update()


class Task(ABC):
    """Something to train.

    Attributes:
        network: All that is trained and saved (an ``nn.ModuleDict`` where there are several parts).
        optimisers: By name; they hold parameters of `network`.
        recipe: Plain values that a run is made of (settings, data fingerprint); a resumed run must have the same.
        notes: Further plain values, saved beside the recipe; a resumed run may have others.
    """

    network: nn.Module
    optimisers: Mapping[str, torch.optim.Optimizer]
    recipe: Mapping[str, object]
    notes: Mapping[str, object] = MappingProxyType({})

    @abstractmethod
    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """Train once.

        Draw the whole batch with `rng`, which is the same in all processes and depends on nothing but seed and
        `iteration`; take the rows ``update.processes.share(batch)``; compute the losses under `update.precision` on
        `update.device`; call `update` with each.

        Args:
            iteration: From 1.
            rng: For everything random but what torch draws itself (dropout), which is seeded too.
            update: Applies a loss.

        Returns:
            Losses by name, for the course; ``train_loss`` among them.
        """

    def validate(self) -> Mapping[str, float]:
        """Figures on held-out data by name; none unless a task has some, and then ``validation_loss`` among them.

        Which parameters are the best, and when to stop early, go by the one that `LoopSettings.monitor` names.

        Called in eval mode and without gradients, first before any training.
        """
        return {}
