"""The decoder: one model, the table of its streams' states, and the leases on the table's slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.errors import Full
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.choice import open_table
from kineseg_core.inference.providers import Wanted
from kineseg_core.inference.state_table import F32, Stepped


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to use a slot. The generation distinguishes it from every earlier and later lease on the same slot."""

    slot: int
    generation: int


class Decoder:
    """Steps many streams of one model. To be used by one thread at a time.

    Args:
        bundle: The model.
        provider: "cuda", "cpu", or "auto" for CUDA where it works and is the faster, which is measured, else the CPU.
        slots: How many streams there is room for.
        max_batch: The most streams in one step.
        threads: Threads within a step on the CPU.

    Attributes:
        provider: What the model runs on, by ONNX Runtime's name.
        reason: Why it does not run on CUDA; empty when it does.
        uneven: Outputs whose rows depend on their batch; there should be none.

    Raises:
        CannotStart: "cuda" was asked for and does not work; says why.
    """

    def __init__(
        self, bundle: Bundle, provider: Wanted = "auto", *, slots: int = 1024, max_batch: int = 128, threads: int = 1
    ) -> None:
        self.bundle = bundle
        self.max_batch = max_batch
        opened = open_table(bundle, provider, slots, max_batch, threads)
        self.provider, self.reason, self.uneven = opened.provider, opened.reason, opened.uneven
        self._table = opened.table
        self._generations = [0] * slots
        self._free = list(range(slots - 1, -1, -1))

    @property
    def slots(self) -> int:
        """How many streams there is room for."""
        return len(self._generations)

    @property
    def free_slots(self) -> int:
        """How many more streams there is room for."""
        return len(self._free)

    def acquire(self) -> Lease:
        """Lends a slot in the initial state.

        Raises:
            Full: All slots are lent.
        """
        if not self._free:
            raise Full(
                f"all {len(self._generations)} streams of model {self.bundle.name!r} are in use; try again later"
            )
        slot = self._free.pop()
        self._table.reset(slot)
        return Lease(slot, self._generations[slot])

    def reset(self, lease: Lease) -> None:
        """Puts a lent slot back into the initial state."""
        self._table.reset(lease.slot)

    def release(self, lease: Lease) -> bool:
        """Takes a slot back. False, and nothing happens, when this lease has been given back before."""
        if self._generations[lease.slot] != lease.generation:
            return False
        self._generations[lease.slot] += 1
        self._free.append(lease.slot)
        return True

    def step(self, slots: NDArray[np.int64], frames: F32) -> Stepped:
        """Steps the streams in `slots` (B,), each given once, by one frame each: `frames` (B, C), B <= `max_batch`."""
        return self._table.step(slots, frames)

    def state(self, lease: Lease) -> F32:
        """A copy of the state in a lent slot, ``(S,)``."""
        return self._table.get(lease.slot)

    def put(self, lease: Lease, state: F32) -> None:
        """Puts a lent slot into a state that `state` gave, ``(S,)``, here or elsewhere."""
        self._table.put(lease.slot, state)

    def warm_up(self) -> None:
        """Steps batches of every size that a table plans for, so that no stream waits for memory or kernels.

        These are the powers of two and the largest batch. To be called in the thread that will step: what a device
        prepares is that thread's. States stay as they are.
        """
        most = min(self.max_batch, self.free_slots)
        leases = [self.acquire() for _ in range(most)]
        slots = np.array([lease.slot for lease in leases], np.int64)
        frames = np.zeros((most, len(self.bundle.channels)), np.float32)
        # The largest first: memory is then taken once.
        for size in (most, *(1 << bits for bits in reversed(range((most - 1).bit_length())))):
            self.step(slots[:size], frames[:size])
        for lease in reversed(leases):
            self.release(lease)
