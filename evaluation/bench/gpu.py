"""A decoder's step on a GPU, next to bare loops over the same graph in which everything stays on the device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import onnxruntime as ort
from kineseg_core.inference.bundle import Bundle
from kineseg_core.inference.cuda import CudaDevice
from kineseg_core.inference.device import Device
from kineseg_core.inference.device_table import DeviceTable
from kineseg_core.inference.providers import cuda_problem, open_cuda
from rich.table import Table

from evaluation.bench.decoder import ROUNDS, motions, rate, shipped_bundle
from evaluation.bench.parts import Report

BATCHES = (1, 32, 128, 1024, 4096, 16384)
_MOTIONS = 64  # that streams share, each from another frame on
_STEPS = 16  # then the same frames again

Step = Callable[[], object]


@dataclass(frozen=True)
class GpuCost:
    """Medians over alternating rounds, microseconds a step.

    Attributes:
        batch: Streams in a step.
        step_us: Of the decoder's table: frames sent there, states gathered, stepped, checked and scattered, and
            embedding and surprise back in main memory.
        bare_us: Of ONNX Runtime over the model's graph, TF32 off: all inputs and outputs, states too, bound on the
            device. Nothing is sent, nothing comes back, frames are always the same, no state is looked up.
        captured_us: The same, captured as a CUDA graph.
    """

    batch: int
    step_us: float
    bare_us: float
    captured_us: float

    @property
    def share_of_bare(self) -> float:
        return self.bare_us / self.step_us


def measure(
    bundle: Bundle,
    device: Device,
    open_bare: Callable[[bytes], ort.InferenceSession],
    batches: Sequence[int],
    seconds: float,
) -> list[GpuCost]:
    """Steps a model for so many seconds for each batch size.

    Args:
        bundle: The model.
        device: Where it runs.
        open_bare: Opens a graph there that is not captured.
        batches: Sizes.
        seconds: For each of them.
    """
    table = DeviceTable(bundle, device, slots=max(batches), max_batch=max(batches))
    return [_measure_batch(bundle, table, device, open_bare, batch, seconds) for batch in batches]


def _measure_batch(
    bundle: Bundle,
    table: DeviceTable,
    device: Device,
    open_bare: Callable[[bytes], ort.InferenceSession],
    batch: int,
    seconds: float,
) -> GpuCost:
    frames = _frames(bundle, batch)
    steps = (
        _table_step(table, frames),
        _bare_step(bundle, open_bare(bundle.graph), device, frames[0]),
        _bare_step(bundle, device.open(bundle.graph), device, frames[0]),
    )
    slice_s = seconds / (len(steps) * ROUNDS)
    for step in steps:
        rate(step, slice_s)  # warm
    rates = [[rate(step, slice_s) for step in steps] for _ in range(ROUNDS)]
    return GpuCost(batch, *(1e6 / float(np.median(each)) for each in zip(*rates, strict=True)))


def _table_step(table: DeviceTable, frames: np.ndarray) -> Step:
    # Slots as they come to lie after a while: in no order.
    slots = np.random.default_rng(0).permutation(frames.shape[1])
    coming = itertools.cycle(frames)
    return lambda: table.step(slots, next(coming))


def _bare_step(bundle: Bundle, session: ort.InferenceSession, device: Device, frame: np.ndarray) -> Step:
    batch = len(frame)
    frame_there = device.array(*frame.shape)
    frame_there.write(frame)
    states = [device.array(batch, bundle.state_size) for _ in range(2)]
    sizes = {"prediction": (batch, len(bundle.channels)), "embedding": (batch, bundle.embedding_dim)}
    outputs = {
        each.name: device.array(*sizes.get(each.name, (batch,)))
        for each in session.get_outputs()
        if each.name != "next_state"
    }
    turns = []
    for turn in (0, 1):
        binding = session.io_binding()
        binding.bind_ortvalue_input("frame", frame_there.value)
        binding.bind_ortvalue_input("state", states[turn].value)
        binding.bind_ortvalue_output("next_state", states[1 - turn].value)
        for name, array in outputs.items():
            binding.bind_ortvalue_output(name, array.value)
        options = ort.RunOptions()
        options.add_run_config_entry("gpu_graph_id", str(turn + 1))
        turns.append(partial(session.run_with_iobinding, binding, options))
    coming = itertools.cycle(turns)
    kept = [frame_there, *states, *outputs.values()]

    def step() -> object:
        next(coming)()
        return kept  # a binding does not keep what it is bound to

    return step


def _frames(bundle: Bundle, batch: int) -> np.ndarray:
    """Frames of some steps, ``(T, B, C)``."""
    shared = motions(bundle, min(batch, _MOTIONS))
    streams = np.arange(batch)
    at = np.arange(_STEPS)[:, None] + streams // _MOTIONS
    picked: np.ndarray = np.ascontiguousarray(shared[at % len(shared), streams % _MOTIONS])
    return picked


def report(seconds: float) -> Report:
    """Measures, as rows and as a table; one row with the reason where there is no GPU."""
    if problem := cuda_problem():
        return [{"skipped": problem}], Table(title=f"decoder on a GPU: skipped, {problem}")
    device = CudaDevice()
    table = Table("streams", "us a step", "bare, bound", "bare, captured", "share of bare, bound")
    table.title = f"decoder on {device.name}"
    rows = []
    for cost in measure(shipped_bundle(), device, open_cuda, BATCHES, seconds):
        rows.append(asdict(cost) | {"share_of_bare": cost.share_of_bare, "card": device.name})
        table.add_row(
            f"{cost.batch:,}", f"{cost.step_us:,.0f}", f"{cost.bare_us:,.0f}", f"{cost.captured_us:,.0f}",
            f"{cost.share_of_bare:.2f}",
        )  # fmt: skip
    return rows, table
