"""One step of an optimiser: backward, gradients averaged over the processes, clipped, applied."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from kineseg_training.loop.processes import Processes
from kineseg_training.loop.settings import Precision

_LOW: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Update:
    """What a task calls with each of its losses.

    Gradients go to the optimiser's own parameters only, so that an adversary and what it judges can be updated one
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
