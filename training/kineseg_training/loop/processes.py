"""The processes that train together: started by `torchrun`, or just this one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from kineseg_training.errors import SettingsError


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: Which one this is, from 0.
        count: How many there are.
        device: Where this one computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and shows progress."""
        return self.rank == 0

    def share(self, rows: int) -> slice:
        """This process's rows of a batch, so that all processes together have each row once.

        Raises:
            SettingsError: The batch cannot be shared equally: means over the shares would not be the batch's.
        """
        if rows % self.count:
            raise SettingsError(f"batch: {rows} rows cannot be shared equally by {self.count} processes")
        each = rows // self.count
        return slice(self.rank * each, (self.rank + 1) * each)

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its mean over the processes."""
        if self.count == 1:
            return
        members = list(tensors)
        if not members:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in members])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(members, torch.split(flat, [tensor.numel() for tensor in members]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def from_first(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by that of the first process."""
        if self.count > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)


@contextmanager
def joined(device: str = "cpu") -> Iterator[Processes]:
    """Join the group of processes that `torchrun` describes in the environment; alone without it.

    Raises:
        SettingsError: The device is not there.
    """
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if device == "cuda" and count > 1:
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"device: {device!r} cannot be used here ({error}); try 'cpu'") from error
    started = count > 1 and not dist.is_initialized()
    if started:
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, place)
    finally:
        if started:
            dist.destroy_process_group()
