"""Decoder steps a second, next to a bare ONNX Runtime loop over the same graph."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from kineseg_service.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_service.decoder import Decoder

BATCHES = (1, 32, 128)
ROUNDS = 9


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
    path = packaged_bundle()
    if path is None:
        raise FileNotFoundError("the service ships no bundle: run make train-default")
    bundle = load_bundle(path)
    return [_measure_batch(bundle, batch, seconds) for batch in BATCHES]


def _measure_batch(bundle: Bundle, batch: int, seconds: float) -> DecoderCost:
    ours, bare = _decoder_loop(bundle, batch), _bare_loop(bundle, batch)
    slice_s = seconds / (2 * ROUNDS)
    ours(slice_s), bare(slice_s)  # warm
    rates = [(ours(slice_s), bare(slice_s)) for _ in range(ROUNDS)]
    a, b = (float(np.median(side)) * batch for side in zip(*rates, strict=True))
    return DecoderCost(batch, a, b)


def _decoder_loop(bundle: Bundle, batch: int) -> Callable[[float], float]:
    decoder = Decoder(bundle, "cpu", slots=1024, max_batch=128)
    leases = [decoder.acquire() for _ in range(batch)]
    # Slots as they come to lie after a while: in no order.
    slots = np.random.default_rng(0).permutation([lease.slot for lease in leases])
    frames = _frames(bundle, batch)
    return lambda seconds: _rate(lambda: decoder.step(slots, frames), seconds)


def _bare_loop(bundle: Bundle, batch: int) -> Callable[[float], float]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(bundle.graph, options, providers=["CPUExecutionProvider"])
    inputs = {"frame": _frames(bundle, batch), "state": np.zeros((batch, bundle.state_size), np.float32)}
    outputs = ["embedding", "surprise", "next_state"]

    def step() -> None:
        inputs["state"] = session.run(outputs, inputs)[2]

    return lambda seconds: _rate(step, seconds)


def _frames(bundle: Bundle, batch: int) -> np.ndarray:
    mean, scale = (np.asarray(v) for v in (bundle.manifest.normalization.mean, bundle.manifest.normalization.scale))
    noise = np.random.default_rng(1).standard_normal((batch, len(bundle.channels)))
    return (mean + scale * noise).astype(np.float32)


def _rate(step: Callable[[], object], seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        for _ in range(10):
            step()
        count += 10
    return count / spent
