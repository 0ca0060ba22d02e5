"""Where a model runs: on CUDA where that works, gives the CPU's numbers and takes less time, else on the CPU."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from kineseg_core.errors import CannotStart
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.cuda import CudaDevice
from kineseg_core.inference.device_table import DeviceTable
from kineseg_core.inference.providers import CAPTURES, CPU, CUDA, Wanted, cuda_problem, open_cpu
from kineseg_core.inference.state_table import F32, HostTable, StateTable, random_frames

_TICK_S = 0.005  # a server's ticks: of all streams, what comes in one is stepped at once
_LOADS = (1 / 16, 1 / 4, 1)  # of all streams
_STEPS = 9
_ALIKE = 1e-3
"""How far a device's outputs may be from the CPU's, as a share of the largest; a wrong one is far beyond."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A table, and where it is.

    Attributes:
        provider: By ONNX Runtime's name.
        reason: Why that is not CUDA; empty when it is.
        uneven: Outputs whose rows depend on their batch.
    """

    table: StateTable
    provider: str
    reason: str
    uneven: list[str]


def open_table(bundle: Bundle, wanted: Wanted, slots: int, max_batch: int, threads: int) -> Opened:
    """Opens a table for a model; see `Decoder`. Its slots are yet to be reset: it may have been tried out.

    Raises:
        CannotStart: "cuda" was asked for and does not work; says why.
    """
    host = HostTable(bundle, open_cpu(bundle.graph, threads), slots, max_batch)
    if wanted == "cpu":
        return _on_cpu(host, "asked for")
    sizes = expected_batches(bundle, slots, max_batch)
    try:
        device = _on_cuda(bundle, host, slots, max_batch, sizes)
    except RuntimeError as error:
        if wanted == "cuda":
            raise CannotStart(f"model {bundle.name!r} cannot run on CUDA: {error}") from error
        return _on_cpu(host, str(error))
    if wanted == "auto" and (slower := _slower(bundle, host, device, sizes)):
        return _on_cpu(host, slower)
    return Opened(device, CUDA, "", [])


def expected_batches(bundle: Bundle, slots: int, max_batch: int) -> list[int]:
    """Batches of a server with some, and with all of its slots in use, in ascending order."""
    most = min(max_batch, slots, max(1, math.ceil(slots * bundle.frame_rate_hz * _TICK_S)))
    return sorted({max(1, round(most * load)) for load in _LOADS})


def _on_cpu(host: HostTable, reason: str) -> Opened:
    return Opened(host, CPU, reason, host.uneven)


def _on_cuda(bundle: Bundle, host: HostTable, slots: int, max_batch: int, sizes: list[int]) -> DeviceTable:
    """A table on CUDA, which gives what the one in main memory gives.

    Raises:
        RuntimeError: There is none; says why.
    """
    reason = cuda_problem()
    if not reason:
        # Some models cannot be captured: parts of them run on the CPU, or copy to there.
        for captured in sorted({CAPTURES, False}, reverse=True):
            try:
                device = DeviceTable(bundle, CudaDevice(captured=captured), slots, max_batch)
                reason = _differs(bundle, host, device, sizes)
            except Exception as error:  # whatever CUDA comes up with, the CPU still works
                reason = str(error)
            if not reason:
                return device
    raise RuntimeError(reason)


def _differs(bundle: Bundle, host: HostTable, device: DeviceTable, sizes: list[int]) -> str:
    """What a device computes otherwise than the CPU; empty when it is the same."""
    for slot in range(sizes[-1]):
        host.reset(slot)
    # By turns: what is kept of a size must not suffer from another.
    for size in (*sizes, *reversed(sizes)):
        slots, frames = np.arange(size), random_frames(bundle, size)
        here, there = host.step(slots, frames), device.step(slots, frames)
        for name in ("embedding", "surprise", "scores"):
            one, other = getattr(here, name), getattr(there, name)
            if one is not None and not _alike(one, other):
                return f"its {name} is not what the CPU gives"
    return ""


def _alike(one: F32, other: F32) -> bool:
    """Whether two outputs are the same but for rounding."""
    return bool(np.allclose(one, other, rtol=0.0, atol=_ALIKE * max(1.0, float(np.abs(one).max()))))


def _slower(bundle: Bundle, host: HostTable, device: DeviceTable, sizes: list[int]) -> str:
    """By how much a device takes longer for the batches to be expected; empty when it does not."""
    here, there = ([_step_s(bundle, table, size) for size in sizes] for table in (host, device))
    if sum(there) < sum(here):
        return ""
    listed = [", ".join(f"{1e3 * seconds:.2f}" for seconds in table) for table in (here, there)]
    batches = ", ".join(map(str, sizes))
    return f"the CPU is faster: {listed[0]} ms a step of {batches} streams, CUDA takes {listed[1]}"


def _step_s(bundle: Bundle, table: HostTable | DeviceTable, batch: int) -> float:
    """A step's median time, seconds."""
    slots, frames = np.arange(batch), random_frames(bundle, batch)
    table.step(slots, frames)
    spent = []
    for _ in range(_STEPS):
        began = time.perf_counter()
        table.step(slots, frames)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent))
