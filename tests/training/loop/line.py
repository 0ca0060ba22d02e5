"""A task as small as can be: fit a plane to made-up points."""

from __future__ import annotations

import signal
from collections.abc import Mapping

import numpy as np
import torch
from kineseg_training.loop import Task, Update
from torch import Tensor, nn


class Line(Task):
    """``y = 2 x0 - 3 x1 + 1``."""

    def __init__(self, rate: float = 0.05, interrupt_after: int | None = None) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(2, 1)
        self.optimisers = {"adam": torch.optim.Adam(self.network.parameters(), lr=abs(rate), maximize=rate < 0)}
        self.recipe = {"rate": rate}
        self._interrupt_after = interrupt_after

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        x = torch.from_numpy(rng.standard_normal((16, 2), dtype=np.float32))[update.processes.share(16)]
        with update.precision():
            loss = self._loss(x)
        update(loss, self.optimisers["adam"], clip_norm=1.0)
        if iteration == self._interrupt_after:
            signal.raise_signal(signal.SIGINT)
        return {"train_loss": loss.item()}

    def validate(self) -> Mapping[str, float]:
        x = torch.from_numpy(np.random.default_rng(1).standard_normal((64, 2), dtype=np.float32))
        return {"validation_loss": self._loss(x).item()}

    def _loss(self, x: Tensor) -> Tensor:
        truth = 2 * x[:, :1] - 3 * x[:, 1:] + 1
        return ((self.network(x) - truth) ** 2).float().mean()
