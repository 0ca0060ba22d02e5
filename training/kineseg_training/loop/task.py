"""What a family of models gives the loop: what is trained, on what, and how well it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import nn

from kineseg_training.loop.update import Update


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
