"""Decoder steps a second, next to a bare ONNX Runtime loop over the same graph and the same motion."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import onnxruntime as ort
from kineseg.motion import canonical_pose, generate
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from rich.table import Table

from evaluation.bench.parts import Report

BATCHES = (1, 32, 128)
ROUNDS = 9
_SECONDS = 10.0  # of motion, then again from its beginning


@dataclass(frozen=True)
class DecoderCost:
    """Medians over alternating rounds."""

    batch: int
    steps_per_s: float
    bare_steps_per_s: float

    @property
    def share_of_bare(self) -> float:
        return self.steps_per_s / self.bare_steps_per_s


def measure(seconds: float) -> list[DecoderCost]:
    """Steps the default model, `seconds` for each batch size; a step is one frame of one stream."""
    bundle = shipped_bundle()
    return [_measure_batch(bundle, batch, seconds) for batch in BATCHES]


def shipped_bundle() -> Bundle:
    """The model that comes with the package."""
    path = packaged_bundle()
    if path is None:
        raise FileNotFoundError("the service ships no bundle: run make train-default")
    return load_bundle(path)


def _measure_batch(bundle: Bundle, batch: int, seconds: float) -> DecoderCost:
    frames = motions(bundle, batch)
    ours, bare = _decoder_loop(bundle, frames), _bare_loop(bundle, frames)
    slice_s = seconds / (2 * ROUNDS)
    ours(slice_s), bare(slice_s)  # warm
    rates = [(ours(slice_s), bare(slice_s)) for _ in range(ROUNDS)]
    a, b = (float(np.median(side)) * batch for side in zip(*rates, strict=True))
    return DecoderCost(batch, a, b)


def _decoder_loop(bundle: Bundle, frames: np.ndarray) -> Callable[[float], float]:
    decoder = Decoder(bundle, "cpu", slots=1024, max_batch=128)
    leases = [decoder.acquire() for _ in range(frames.shape[1])]
    # Slots as they come to lie after a while: in no order.
    slots = np.random.default_rng(0).permutation([lease.slot for lease in leases])
    coming = itertools.cycle(frames)
    return lambda seconds: rate(lambda: decoder.step(slots, next(coming)), seconds)


def _bare_loop(bundle: Bundle, frames: np.ndarray) -> Callable[[float], float]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(bundle.graph, options, providers=["CPUExecutionProvider"])
    inputs = {"state": np.zeros((frames.shape[1], bundle.state_size), np.float32)}
    outputs = ["embedding", "surprise", "next_state"]
    coming = itertools.cycle(frames)

    def step() -> None:
        inputs["frame"] = next(coming)
        inputs["state"] = session.run(outputs, inputs)[2]

    return lambda seconds: rate(step, seconds)


def motions(bundle: Bundle, batch: int) -> np.ndarray:
    """Frames, ``(T, B, C)``: a motion of its own for every stream."""
    each = [canonical_pose(generate(seed, _SECONDS, bundle.frame_rate_hz)).frames for seed in range(batch)]
    return np.stack(each, axis=1).astype(np.float32)


def rate(step: Callable[[], object], seconds: float) -> float:
    """How often something can be done in a second."""
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        for _ in range(10):
            step()
        count += 10
    return count / spent


def report(seconds: float) -> Report:
    """Measures, as rows and as a table."""
    table = Table("batch", "steps/s", "bare ONNX Runtime", "share of bare", title="decoder, one thread, CPU")
    rows = []
    for cost in measure(seconds):
        rows.append(asdict(cost) | {"share_of_bare": cost.share_of_bare})
        table.add_row(
            str(cost.batch), f"{cost.steps_per_s:,.0f}", f"{cost.bare_steps_per_s:,.0f}", f"{cost.share_of_bare:.2f}"
        )
    return rows, table
